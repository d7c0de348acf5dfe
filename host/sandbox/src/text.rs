//! Text from a component goes to terminals, pages and Slack: this is where it becomes harmless, and short.

/// Replaces control characters (but line breaks and tabs, where `lines`) and direction overrides.
pub fn harmless(text: &str, lines: bool) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' if lines => c,
            '\n' | '\r' | '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Cuts text after at most `bytes` bytes, between characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
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
    fn control_characters_do_not_reach_people() {
        assert_eq!(harmless("\u{1b}[31mred\u{202e}\n\tx\u{0}", false), "\u{fffd}[31mred\u{fffd}  x\u{fffd}");
        assert_eq!(harmless("a\n\tb", true), "a\n\tb");
        assert_eq!(cut("größe", 3), "gr");
        assert_eq!([grouped(7), grouped(1000), grouped(1_234_567)], ["7", "1,000", "1,234,567"]);
    }
}
