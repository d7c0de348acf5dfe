//! Figures as people read them.

pub use countersign_model::figures::{bytes, count};
use countersign_model::time::Timestamp;

/// What stands where there is no value.
pub const NONE: &str = "–";

/// A number with the digits that matter.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if !value.is_finite() => return NONE.to_string(),
        _ if size == 0.0 => return "0".to_string(),
        _ if !(1e-5..1e6).contains(&size) => format!("{value:.2e}"),
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 0.01 => format!("{value:.3}"),
        _ if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.5}"),
    };
    text.replace('-', "−")
}

/// A number that may not be defined.
pub fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_string(), number)
}

/// The difference of two numbers, with its sign. Fine when it is small, so that a change never reads as none.
pub fn difference(value: f64, before: f64) -> String {
    let change = value - before;
    let size = change.abs();
    let text = if (0.0005..0.01).contains(&size) { format!("{change:.3}").replace('-', "−") } else { number(change) };
    if change > 0.0 { format!("+{text}") } else { text }
}

/// A share as per cent, without the sign.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if !value.is_finite() {
        return NONE.to_string();
    }
    // Rounded before it is asked for its digits, so that 9.96 is 10 and not 10.0.
    let tenths = (value * 10.0).round();
    let whole = tenths.abs() >= 100.0 || tenths % 10.0 == 0.0;
    let text = if whole { format!("{:.0}", (tenths / 10.0).round() + 0.0) } else { format!("{:.1}", tenths / 10.0) };
    text.replace('-', "−")
}

/// How a count changed: `+2 %`.
pub fn growth(now: u64, before: u64) -> Option<String> {
    if before == 0 {
        return None;
    }
    let change = now as f64 / before as f64 - 1.0;
    let text = percent(change);
    Some(if change > 0.0 && text != "0" { format!("+{text} %") } else { format!("{text} %") })
}

/// An instant, always with its zone.
pub fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A span of time.
pub fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds {
        _ if seconds >= DAY && seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
        _ if seconds >= 2 * DAY => format!("{} d {} h", seconds / DAY, seconds % DAY / HOUR),
        _ if seconds >= HOUR && seconds.is_multiple_of(HOUR) => format!("{} h", seconds / HOUR),
        _ if seconds >= HOUR => format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE),
        _ if seconds >= MINUTE => format!("{} min", seconds / MINUTE),
        _ => format!("{seconds} s"),
    }
}

/// `1 person`, `2 people`.
pub fn people(number: u32) -> String {
    counted(u64::from(number), "person", "people")
}

/// A number with its noun.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        for (value, text) in [(0.871, "0.871"), (-0.0071, "−0.0071"), (12.34, "12.3"), (1234.5, "1234"), (0.0, "0")] {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(f64::NAN), NONE);
        assert_eq!(difference(0.878, 0.871), "+0.007");
        assert_eq!(difference(0.8711, 0.871), "+0.00010");
        assert_eq!(difference(0.871, 0.871), "0");
        for (share, text) in [(0.0, "0"), (0.003, "0.3"), (0.0996, "10"), (0.463, "46"), (-0.004, "−0.4")] {
            assert_eq!(percent(share), text);
        }
        assert_eq!(growth(15_310, 15_002).as_deref(), Some("+2.1 %"));
        assert_eq!(growth(1, 0), None);
        assert_eq!((span(14_400), span(604_800), span(5_400)), ("4 h".into(), "7 d".into(), "1 h 30 min".into()));
        assert_eq!(time(Timestamp::from_micros(0)), "1970-01-01 00:00 UTC");
    }
}
