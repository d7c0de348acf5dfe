//! Numbers and states as people read them.

use countersign_model::event::Cause;
use countersign_model::finding::Severity;
use countersign_model::time::Timestamp;
use std::time::Duration;

/// `1 h 4 min`, `3.2 s`, `40 ms`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.as_millis() < 1000 => format!("{} ms", duration.as_millis()),
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// From one instant to another, in words.
pub(super) fn between(from: Timestamp, to: Timestamp) -> String {
    duration(to.since(from))
}

/// Why a run started.
pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Person => "started by a person".to_string(),
        Cause::Cron { wall_time, .. } => format!("schedule: {wall_time}"),
        Cause::Arrival { source, path, .. } => format!("arrival at {source}: {path}"),
        Cause::Pushed { pipeline, .. } => format!("a model of {pipeline} went live"),
        Cause::Http { hook, kind, source, .. } if source.is_empty() => format!("request to the hook {hook}: {kind}"),
        Cause::Http { hook, kind, source, .. } => format!("request to the hook {hook}: {kind} from {source}"),
        Cause::Backfill { source, span, .. } => format!("backfill of {source}: {span}"),
    }
}

/// The name of a severity, as it is stored.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warn => "warn",
        Severity::Ask => "ask",
        Severity::Block => "block",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let told = |millis| duration(Duration::from_millis(millis));
        assert_eq!(told(40), "40 ms");
        assert_eq!(told(3_240), "3.2 s");
        assert_eq!(told(64_000), "1 min 4 s");
        assert_eq!(told(3_840_000), "1 h 4 min");
        assert_eq!(told(90_000_000), "1 d 1 h");
    }
}
