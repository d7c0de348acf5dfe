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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_people() {
        assert_eq!(harmless("\u{1b}[31mred\u{202e}\n\tx\u{0}", false), "\u{fffd}[31mred\u{fffd}  x\u{fffd}");
        assert_eq!(harmless("a\n\tb", true), "a\n\tb");
        assert_eq!(cut("größe", 3), "gr");
    }
}
