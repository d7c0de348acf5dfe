//! Counts and sizes as people read them, the same in the terminal, on pages and in messages.

/// A count with its thousands apart: `15,002`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in powers of a thousand, as disks and networks are sold: `1.9 MB`.
pub fn bytes(size: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let real = size as f64;
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{:.1} kB", real / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", real / 1e6),
        _ => format!("{:.1} GB", real / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 15_002, 1_234_567].map(count), ["0", "999", "15,002", "1,234,567"]);
    }

    #[test]
    fn sizes_have_one_decimal_and_a_unit() {
        assert_eq!(
            [0, 999, 1_000, 1_900_000, 3_000_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.9 MB", "3.0 GB"]
        );
    }
}
