//! How the daemon is, for those who watch it: two probes and the numbers that Prometheus reads.

use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Counts;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;

/// What the daemon says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    /// Its version.
    pub version: String,
    /// Why it can not do its work, each in a few words that may be shown to anybody; empty when it can.
    pub problems: Vec<String>,
    /// The connection to Slack; none where Slack is not set up.
    pub slack: Option<SlackHealth>,
    /// Requests to the Slack endpoint that were refused since the start.
    pub webhook_refused: u64,
}

/// The connection to Slack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SlackHealth {
    /// `socket` or `http`.
    pub transport: String,
    /// Whether Slack can reach us now.
    pub connected: bool,
}

/// The numbers in Prometheus' text format.
pub fn metrics(health: &Health, counts: &Counts, now: Timestamp) -> String {
    let mut text = String::new();
    let age = |since: Option<Timestamp>| since.map_or(0.0, |since| now.since(since).as_secs_f64());
    let label = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, f64)]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let alone = |value: f64| vec![(String::new(), value)];
    let build = format!("{{version=\"{}\"}}", label(&health.version));
    family("countersign_build_info", "gauge", "The version that runs; always 1.", &[(build, 1.0)]);
    let runs = [("queued", counts.queued), ("running", counts.running), ("waiting", counts.waiting)];
    let runs = runs.map(|(state, runs)| (format!("{{state=\"{state}\"}}"), runs as f64));
    family("countersign_runs", "gauge", "Runs that are not over, by state.", &runs);
    let oldest = alone(age(counts.oldest_request));
    family(
        "countersign_oldest_request_age_seconds",
        "gauge",
        "How long the oldest open request waits for people.",
        &oldest,
    );
    let pending = alone(counts.outbox_pending as f64);
    family("countersign_outbox_pending", "gauge", "Messages still to be delivered.", &pending);
    let oldest = alone(age(counts.outbox_oldest));
    family("countersign_outbox_oldest_age_seconds", "gauge", "How long the oldest of them waits.", &oldest);
    let dead = alone(counts.outbox_dead as f64);
    family("countersign_outbox_dead", "gauge", "Messages that were given up.", &dead);
    let refused = alone(health.webhook_refused as f64);
    family(
        "countersign_webhook_refused_total",
        "counter",
        "Requests to the Slack endpoint that were refused.",
        &refused,
    );
    if let Some(slack) = &health.slack {
        let connected = format!("{{transport=\"{}\"}}", label(&slack.transport));
        let samples = [(connected, f64::from(u8::from(slack.connected)))];
        family("countersign_slack_connected", "gauge", "Whether Slack can reach the daemon.", &samples);
    }
    let ready = alone(f64::from(u8::from(health.problems.is_empty())));
    family("countersign_ready", "gauge", "Whether the daemon can do its work.", &ready);
    text
}

#[cfg(test)]
mod tests {
    use super::{Health, SlackHealth, metrics};
    use countersign_model::time::Timestamp;
    use countersign_ports::metadata_store::Counts;

    #[test]
    fn every_family_is_explained_and_counters_end_in_total() {
        let slack = SlackHealth { transport: "socket".to_string(), connected: true };
        let health =
            Health { version: "0.1 \"x\"\n".to_string(), slack: Some(slack), webhook_refused: 3, ..Health::default() };
        let second = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let counts = Counts { waiting: 2, oldest_request: Some(second(10)), ..Counts::default() };
        let text = metrics(&health, &counts, second(70));
        for line in [
            "countersign_runs{state=\"waiting\"} 2",
            "countersign_oldest_request_age_seconds 60",
            "countersign_slack_connected{transport=\"socket\"} 1",
            "countersign_webhook_refused_total 3",
            "countersign_build_info{version=\"0.1 \\\"x\\\"\\n\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            assert!(text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} ")), "{name}");
            assert_eq!(name.ends_with("_total"), text.contains(&format!("# TYPE {name} counter")), "{name}");
        }
    }
}
