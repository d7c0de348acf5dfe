//! How numbers are written where a person reads them.

/// A count with its thousands apart: `15,002`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with three significant digits where it is small, and none too many where it is large: `0.00692`, `7.85`, `1,369,897,200`.
pub fn number(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() || size == 0.0 {
        return format!("{number}");
    }
    if (0.001..1000.0).contains(&size) {
        let decimals = 2 - size.log10().floor() as i32;
        let text = format!("{number:.*}", decimals.max(0) as usize);
        if !text.contains('.') {
            return text;
        }
        return text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    if (1000.0..1e15).contains(&size) {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}{}", self::count(size.round() as u64));
    }
    format!("{number:.2e}")
}

/// A share of one as a percentage: `0.7 %`, `31 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent != 0.0 && percent.abs() < 0.01 {
        return if percent > 0.0 { "under 0.01 %".to_string() } else { "over -0.01 %".to_string() };
    }
    format!("{} %", number(percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!([0, 7, 999, 1000, 15_002, 1_234_567].map(count), ["0", "7", "999", "1,000", "15,002", "1,234,567"]);
        assert_eq!(
            [0.0069, 7.85, 16.9, 11.7616, 100.0, -0.5, 0.0, 1_369_897_200.0, -2500.4, 0.000_05].map(number),
            ["0.0069", "7.85", "16.9", "11.8", "100", "-0.5", "0", "1,369,897,200", "-2,500", "5.00e-5"]
        );
        assert_eq!([0.31, 0.000_07, 0.000_266, 1.0].map(percent), ["31 %", "under 0.01 %", "0.0266 %", "100 %"]);
    }
}
