//! Numbers, sizes and times as a page writes them. What is not known is a dash, never an empty cell.

use countersign_model::figures;
use std::borrow::Borrow;

/// Written where there is no value.
const NONE: &str = "–";

/// `0.871`; three decimals, more of something small, none of a count.
pub(super) fn number(value: &Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| NONE.to_string(), |value| plain(&value))
}

/// A number that is there.
pub(super) fn plain(value: &f64) -> String {
    let value = *value;
    let size = value.abs();
    let text = if size >= 1000.0 || is_count(value) {
        format!("{value:.0}")
    } else if size >= 0.01 || value == 0.0 {
        format!("{value:.3}")
    } else if size >= 1e-4 {
        format!("{value:.4}")
    } else {
        format!("{value:.2e}")
    };
    // A minus sign as wide as the plus: columns of changes line up.
    text.replace('-', "−")
}

/// `+0.007`, `−0.012`, `±0.000`: as many decimals in every row, so that changes compare at a glance.
pub(super) fn signed(value: &Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => NONE.to_string(),
        Some(value) if value.abs() < 5e-4 => "±0.000".to_string(),
        Some(value) if value.abs() >= 1000.0 || is_count(value) => format!("{value:+.0}").replace('-', "−"),
        Some(value) => format!("{value:+.3}").replace('-', "−"),
    }
}

/// Whole numbers from 2 on: what we measure between 0 and 1 keeps its decimals.
fn is_count(value: f64) -> bool {
    value.abs() >= 2.0 && value.fract() == 0.0
}

/// ` ± 0.014`; nothing without a margin.
pub(super) fn margin(value: &Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => String::new(),
        // As many decimals as the number that it stands beside.
        Some(value) if (5e-4..0.01).contains(&value) => format!(" ± {value:.3}"),
        Some(value) => format!(" ± {}", plain(&value)),
    }
}

/// `11.5 %`.
pub(super) fn percent(share: &f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { NONE.to_string() }
}

/// As [`percent`].
pub(super) fn percent_or_none(share: &Option<f64>) -> String {
    share.as_ref().map_or_else(|| NONE.to_string(), percent)
}

/// `15,310`.
pub(super) fn count(number: &u64) -> String {
    figures::count(*number)
}

/// As [`count`].
pub(super) fn count_usize(number: impl Borrow<usize>) -> String {
    count(&u64::try_from(*number.borrow()).unwrap_or(u64::MAX))
}

/// `1.9 MB`.
pub(super) fn bytes(bytes: &u64) -> String {
    figures::bytes(*bytes)
}

/// As [`bytes`].
pub(super) fn bytes_or_none(size: &Option<u64>) -> String {
    size.as_ref().map_or_else(|| NONE.to_string(), bytes)
}

/// `2026-11-22 16:04:09 UTC` of an RFC 3339 instant in UTC; the text itself when it is none.
pub(super) fn time(at: &str) -> String {
    match (at.get(..10), at.get(10..11), at.get(11..19), at.ends_with('Z')) {
        (Some(day), Some("T"), Some(clock), true) => format!("{day} {clock} UTC"),
        _ => at.to_string(),
    }
}

/// The first twelve characters of a digest.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// `1 decision`, `2 decisions`.
pub(super) fn some(number: impl Borrow<usize>, noun: &str) -> String {
    let number = *number.borrow();
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count_usize(number))
}

/// What became of a request, as it is shown for ever: what passed although a check had failed is not called approved.
pub(super) fn standing<'a>(state: &'a str, verdict: &str) -> &'a str {
    match (state, verdict) {
        ("approved", "fail") => "overridden",
        _ => state,
    }
}

/// The class of a state, a severity or a verdict: how it is coloured. The word beside it always says the same.
pub(super) fn tone(state: &str) -> &'static str {
    match state {
        "pass" | "approved" | "approve" | "succeeded" | "cached" | "live" => "good",
        "fail" | "failed" | "block" | "blocked" | "rejected" | "reject" | "error" | "expired" | "override"
        | "overridden" => "bad",
        "needs a person" | "ask" | "open" | "waiting" | "hold" | "warn" | "void" => "ask",
        _ => "calm",
    }
}

/// A sign for those who do not see colours.
pub(super) fn sign(state: &str) -> &'static str {
    match tone(state) {
        _ if state.starts_with("overrid") => "!",
        "good" => "✔",
        "bad" => "✘",
        "ask" => "!",
        _ => "·",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(number(&Some(0.8712)), "0.871");
        assert_eq!(number(&Some(f64::NAN)), "–");
        assert_eq!(signed(&Some(0.0074)), "+0.007");
        assert_eq!(signed(&Some(-0.012)), "−0.012");
        assert_eq!(signed(&Some(-0.0001)), "±0.000");
        assert_eq!(
            (number(&Some(38.0)), number(&Some(1.0)), signed(&Some(-36.0))),
            ("38".into(), "1.000".into(), "−36".into())
        );
        assert_eq!(time("2026-11-22T16:04:09.120000Z"), "2026-11-22 16:04:09 UTC");
        assert_eq!(time("soon 日本語 and later"), "soon 日本語 and later");
        assert_eq!((margin(&Some(0.0067)), margin(&Some(0.000_12))), (" ± 0.007".into(), " ± 0.0001".into()));
        assert_eq!((standing("approved", "fail"), standing("approved", "pass")), ("overridden", "approved"));
        assert_eq!((tone("overridden"), sign("overridden")), ("bad", "!"));
        assert_eq!(short("é日本語日本語"), "é日本語日本語", "no cut inside a character");
    }
}
