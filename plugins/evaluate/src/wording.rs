//! Numbers and slices as people read them.

use countersign_formats::evaluation::Slice;

/// A metric's value.
pub fn number(value: f64) -> String {
    format!("{value:.4}")
}

/// A difference, with its sign.
pub fn change(value: f64) -> String {
    format!("{value:+.4}")
}

/// `company = Blue Ribbon`, or `overall`.
pub fn name(slice: &Slice) -> String {
    match (&slice.column, &slice.value) {
        (Some(column), Some(value)) => format!("{column} = {value}"),
        _ => "overall".to_string(),
    }
}

/// `3,751`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 3_751, 1_234_567].map(thousands), ["0", "999", "1,000", "3,751", "1,234,567"]);
    }
}
