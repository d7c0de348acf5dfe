//! Text that can not break out of its place, nor run over its edge.

/// Text as XML character data or attribute value. Characters that XML forbids, and those that turn the reading direction of
/// what follows, become replacement characters.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other if other.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// About how wide a text is drawn: DejaVu Sans, rounded up.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    text.chars().map(|character| advance(character) * size).sum()
}

/// Thousandths of the size, by classes of like width.
fn advance(character: char) -> f64 {
    let thousandths = match character {
        'i' | 'j' | 'l' | 'I' | 'J' | '\'' | '.' | ',' | ' ' => 318.0,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '|' | ':' | ';' | '!' | '-' | '/' => 411.0,
        'c' | 's' | 'z' | '_' | '"' | '*' | '?' | 'L' | 'F' => 560.0,
        'm' | 'W' | 'w' | 'M' | '@' | '%' | '…' | '—' => 1000.0,
        'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'U' | '+' | '=' | '<' | '>' | '±' | '&' | '#' | '~' => 840.0,
        'A'..='Z' => 700.0,
        other if other < '\u{1100}' => 640.0,
        _ => 1050.0,
    };
    thousandths / 1000.0
}

/// The text, cut with `…` where it is wider than `room`.
pub(crate) fn fit(text: &str, room: f64, size: f64) -> String {
    if width_of(text, size) <= room {
        return text.to_string();
    }
    let mut used = advance('…') * size;
    let mut out = String::new();
    for character in text.chars() {
        used += advance(character) * size;
        if used > room {
            break;
        }
        out.push(character);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}
