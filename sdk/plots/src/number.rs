//! Numbers as text: the same count of decimals throughout one plot.

/// Said where there is no number.
pub(crate) const NO_DATA: &str = "no data";

/// The decimals that suit values of the size of the largest.
pub(crate) fn decimals<I: IntoIterator<Item = f64>>(values: I) -> usize {
    let largest =
        values.into_iter().filter(|value| value.is_finite()).fold(0.0, |most: f64, value| most.max(value.abs()));
    match largest {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        size if size >= 1.0 => 3,
        _ => 4,
    }
}

/// A number with so many decimals; powers of ten where that would be a long row of digits or only zeros.
pub(crate) fn written(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return NO_DATA.to_string();
    }
    let vanishes = size > 0.0 && size * 10_f64.powi(decimals as i32) < 0.5;
    if size >= 1e9 || vanishes { format!("{value:.2e}") } else { plain(value, decimals) }
}

/// [`written`], or [`NO_DATA`].
pub(crate) fn written_or_none(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| NO_DATA.to_string(), |value| written(value, decimals))
}

/// A share of one in per cent.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{} %", written(share * 100.0, 1)) } else { NO_DATA.to_string() }
}

/// Fixed decimals without a negative zero.
pub(crate) fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_string(),
        Some(_) | None => text,
    }
}

/// A value that can be placed on an axis. What is smaller than any axis resolves is zero; what no axis of ours reaches is not
/// drawn, only written.
pub(crate) fn drawable(value: f64) -> Option<f64> {
    let size = value.abs();
    if !value.is_finite() || size > 1e15 {
        return None;
    }
    Some(if size < 1e-12 { 0.0 } else { value })
}
