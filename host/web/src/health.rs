//! How the daemon is, for those who watch it: two probes and the numbers that Prometheus reads.

use crate::numbers::{self, Family, Kind};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Counts;
use schemars::JsonSchema;
use serde::Serialize;

/// What the daemon says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Health {
    /// Its version.
    pub version: String,
    /// Why it can not do its work, each in a few words that may be shown to anybody; empty when it can.
    pub problems: Vec<String>,
    /// The connection to Slack; none where Slack is not set up.
    pub slack: Option<SlackHealth>,
    /// Requests to the Slack endpoint and to hooks that were refused since the start.
    pub webhook_refused: u64,
    /// What the daemon counted since its start: for `/metrics`.
    #[serde(skip)]
    #[schemars(skip)]
    pub numbers: Vec<Family>,
}

/// The connection to Slack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SlackHealth {
    /// `socket` or `http`.
    pub transport: String,
    /// Whether Slack can reach us now.
    pub connected: bool,
}

/// What the record counts, the daemon itself, and what it counted since its start; without the record when the store does not answer.
pub fn metrics(health: &Health, counts: Option<&Counts>, now: Timestamp) -> String {
    let flag = |flag: bool| f64::from(u8::from(flag));
    let mut families = vec![
        Family::new("countersign_build_info", Kind::Gauge, "The version that runs; always 1.")
            .with(&[("version", &health.version)], 1.0),
        Family::alone(
            "countersign_ready",
            Kind::Gauge,
            "Whether the daemon can do its work.",
            flag(health.problems.is_empty()),
        ),
        Family::alone("countersign_store_up", Kind::Gauge, "Whether the store answers.", flag(counts.is_some())),
        Family::alone(
            "countersign_webhook_refused_total",
            Kind::Counter,
            "Requests to hooks and to the Slack endpoint that were refused.",
            health.webhook_refused as f64,
        ),
    ];
    if let Some(slack) = &health.slack {
        families.push(
            Family::new("countersign_slack_connected", Kind::Gauge, "Whether Slack can reach the daemon.")
                .with(&[("transport", &slack.transport)], flag(slack.connected)),
        );
    }
    if let Some(counts) = counts {
        families.extend(recorded(counts, now));
    }
    families.extend(health.numbers.iter().cloned());
    numbers::render(&families)
}

fn recorded(counts: &Counts, now: Timestamp) -> Vec<Family> {
    let age = |since: Option<Timestamp>| since.map_or(0.0, |since| now.since(since).as_secs_f64());
    let gauge = |name, help, value| Family::alone(name, Kind::Gauge, help, value);
    vec![
        Family::new("countersign_runs", Kind::Gauge, "Runs that are not over, by state.")
            .with(&[("state", "queued")], counts.queued as f64)
            .with(&[("state", "running")], counts.running as f64)
            .with(&[("state", "waiting")], counts.waiting as f64),
        gauge(
            "countersign_oldest_request_age_seconds",
            "How long the oldest open request waits for people.",
            age(counts.oldest_request),
        ),
        gauge("countersign_outbox_pending", "Messages still to be delivered.", counts.outbox_pending as f64),
        gauge("countersign_outbox_oldest_age_seconds", "How long the oldest of them waits.", age(counts.outbox_oldest)),
        gauge("countersign_outbox_dead", "Messages that were given up.", counts.outbox_dead as f64),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Health, SlackHealth, metrics};
    use crate::numbers::{Family, Histogram, Kind};
    use countersign_model::time::Timestamp;
    use countersign_ports::metadata_store::Counts;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn page() -> String {
        let slack = SlackHealth { transport: "socket".to_string(), connected: true };
        let mut took = Histogram::new(&[0.5, 10.0]);
        [0.5, 3.0, 70.0].into_iter().for_each(|value| took.add(value));
        let mut steps = Family::new("countersign_step_duration_seconds", Kind::Histogram, "How long steps took.");
        steps.samples = took.samples(("status", "succeeded"));
        let health = Health {
            version: "0.1 \"x\"\n".to_string(),
            slack: Some(slack),
            webhook_refused: 3,
            numbers: vec![steps, Family::new("countersign_nothing", Kind::Gauge, "Has no samples.")],
            ..Health::default()
        };
        let second = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let counts = Counts { waiting: 2, oldest_request: Some(second(10)), ..Counts::default() };
        metrics(&health, Some(&counts), second(70))
    }

    #[test]
    fn every_family_says_what_it_knows() {
        let text = page();
        for line in [
            "countersign_runs{state=\"waiting\"} 2",
            "countersign_oldest_request_age_seconds 60",
            "countersign_slack_connected{transport=\"socket\"} 1",
            "countersign_webhook_refused_total 3",
            "countersign_build_info{version=\"0.1 \\\"x\\\"\\n\"} 1",
            "countersign_store_up 1",
            "countersign_step_duration_seconds_bucket{status=\"succeeded\",le=\"0.5\"} 1",
            "countersign_step_duration_seconds_bucket{status=\"succeeded\",le=\"10\"} 2",
            "countersign_step_duration_seconds_bucket{status=\"succeeded\",le=\"+Inf\"} 3",
            "countersign_step_duration_seconds_sum{status=\"succeeded\"} 73.5",
            "countersign_step_duration_seconds_count{status=\"succeeded\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("countersign_nothing"));
    }

    #[test]
    fn a_store_that_does_not_answer_does_not_hide_the_rest() {
        let text = metrics(&Health::default(), None, Timestamp::from_micros(0));
        assert!(text.contains("countersign_store_up 0") && !text.contains("countersign_runs"), "{text}");
    }

    #[test]
    fn promtool_accepts_the_page_and_refuses_a_counter_that_is_named_wrongly() {
        if !countersign_judges::found("promtool") {
            return;
        }
        let check = |text: &str| {
            let mut promtool = Command::new("promtool")
                .args(["check", "metrics"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            let output = promtool.wait_with_output().unwrap();
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        assert_eq!(check(&page()), (true, String::new()), "{}", page());
        assert!(!check(&page().replace("_refused_total", "_refused")).0);
    }
}
