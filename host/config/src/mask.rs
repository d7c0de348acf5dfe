//! Secrets that people wrote where none belongs are not shown again: not in the lines that a message quotes, and not in the
//! message. Works on the text alone, for the file may be no TOML.

use std::ops::Range;

/// Parts of keys whose values are secrets, spelt so that most misspellings have them too.
const SECRET_KEYS: [&str; 7] = ["tok", "secr", "totp", "passw", "cred", "access_key", "header"];
/// How Slack's tokens begin.
const PREFIXES: [&str; 7] = ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxe-", "xoxe.", "xapp-"];
/// Nothing that people choose as a name goes on for so long with digits in it, or without a small letter.
const LONG: usize = 16;

/// A settings file as messages may show it, of the same length so that places stay right: the values at `hidden`, the values
/// of keys that are called like secrets, and words that look like one are stars.
pub(crate) fn file(text: &str, hidden: &[Range<usize>]) -> String {
    let mut places = word_places(text);
    places.extend(value_places(text));
    let masked = stars(text, &places, b"\n");
    // Lists and tables keep their form, so that people see what they wrote.
    stars(&masked, hidden, b"\n\"'[]{},= ")
}

/// A sentence without words that look like a secret.
pub(crate) fn words(text: &str) -> String {
    stars(text, &word_places(text), b"\n")
}

/// Whether a text that should be a file's name looks like the secret itself.
pub(crate) fn is_secret(text: &str) -> bool {
    let text = text.trim();
    let plain = text.len() >= LONG && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain || text.contains("://") || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Overwrites byte by byte, but what is in `kept`; line breaks always are, or lines would be counted wrongly.
fn stars(text: &str, places: &[Range<usize>], kept: &[u8]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for place in places {
        // Whole characters only: half of one would be no text.
        let end = text.ceil_char_boundary(place.end);
        let start = text.floor_char_boundary(place.start.min(end));
        bytes[start..end].iter_mut().filter(|byte| !kept.contains(byte)).for_each(|byte| *byte = b'*');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Slack's tokens behind their prefix, users and passwords in addresses, and long runs of letters and digits.
fn word_places(text: &str) -> Vec<Range<usize>> {
    let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '%' | '+' | '/' | '=');
    let mut places = Vec::new();
    for prefix in PREFIXES {
        for (start, _) in text.match_indices(prefix) {
            let start = start + prefix.len();
            let rest = &text[start..];
            places.push(start..start + rest.find(|c| !token(c)).unwrap_or(rest.len()));
        }
    }
    // `postgres://user:password@host`: all before the last `@`, for a password may have one that is not spelt `%40`.
    for (at, sign) in text.match_indices("://") {
        let start = at + sign.len();
        let rest = &text[start..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`')).unwrap_or(rest.len());
        places.extend(rest[..end].rfind('@').map(|length| start..start + length));
    }
    let mut start = 0;
    for run in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let has = |test: fn(&u8) -> bool| run.bytes().any(|byte| test(&byte));
        if run.len() >= LONG && (has(u8::is_ascii_digit) || !has(u8::is_ascii_lowercase)) {
            places.push(start..start + run.len());
        }
        // What ends a run is one character of any length.
        let end = start + run.len();
        start = end + text[end..].chars().next().map_or(0, char::len_utf8);
    }
    places
}

/// What stands behind `key =` where the key is called like a secret and not like a file: a whole text in quotes, or the rest
/// of the line.
fn value_places(text: &str) -> Vec<Range<usize>> {
    let key_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
    let mut places = Vec::new();
    for (equals, _) in text.match_indices(['=', ':']) {
        let before = text[..equals].trim_end_matches([' ', '\t']);
        let key = &before[before.rfind(|c| !key_part(c)).map_or(0, |at| text.ceil_char_boundary(at + 1))..];
        let key = key.trim_matches(['"', '\'']).to_ascii_lowercase();
        if key.ends_with("_file") || !SECRET_KEYS.iter().any(|part| key.contains(part)) {
            continue;
        }
        let rest = &text[equals + 1..];
        let value = rest.trim_start_matches([' ', '\t']);
        let start = equals + 1 + rest.len() - value.len();
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| value.starts_with(quote)).unwrap_or_default();
        let inner = &value[quote.len()..];
        let line = inner.find('\n').unwrap_or(inner.len());
        let length = match quote.len() {
            0 => line,
            3 => inner.find(quote).unwrap_or(inner.len()),
            _ => inner[..line].rfind(quote).unwrap_or(line),
        };
        places.push(start + quote.len()..start + quote.len() + length);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_secret_keys_are_stars_and_files_are_not() {
        let masked = |text: &str| file(text, &[]);
        assert_eq!(masked("bot_token = \"abc\" # x\n"), "bot_token = \"***\" # x\n");
        assert_eq!(masked("bot_token_file = \"abc\""), "bot_token_file = \"abc\"");
        assert_eq!(masked("signing_secrt = ab c\nteam = \"T01\""), "signing_secrt = ****\nteam = \"T01\"");
        assert_eq!(masked("\"client-secret\" = 'ab'"), "\"client-secret\" = '**'");
        assert_eq!(masked("# slack.app_token=abc"), "# slack.app_token=***");
        assert_eq!(masked("totp = \"\"\"\nab\ncd\"\"\"\nx = 1"), "totp = \"\"\"\n**\n**\"\"\"\nx = 1");
        assert_eq!(file("role = [\"ab\", 'c']", std::slice::from_ref(&(7..18))), "role = [\"**\", '*']");
        assert_eq!(masked("{ totp = \"é\", team = \"T01\" }"), "{ totp = \"****************\" }");
    }

    #[test]
    fn words_that_look_like_a_secret_are_stars_anywhere() {
        assert_eq!(words("`xoxb-12-abc` is no team"), "`xoxb-******` is no team");
        assert_eq!(words("no `8f742231b10e8888abcd99` here"), "no `**********************` here");
        assert_eq!(words("JBSWYPDPEHPKPXPA"), "****************");
        let fine = "COUNTERSIGN_SLACK_SIGNING_SECRET_FILE, misunderstandings, xoxb-…, T01ABCDEFGH, 127.0.0.1:8484";
        assert_eq!(words(fine), fine);
        assert_eq!(words("`postgres://ada:p@w@db/x` ends"), "`postgres://*******@db/x` ends");
        assert!(
            is_secret("postgres://ada:pw@db/x")
                && is_secret("xapp-1-A")
                && is_secret("8f742231b10e8888")
                && !is_secret("secrets/bot-token")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_keeps_its_length_and_lines(text in "\\PC{0,20}(token|secret)? ?=?\\PC{0,20}\n?[\"'é]{0,4}.{0,20}") {
            let masked = file(&text, &[]);
            prop_assert_eq!(masked.len(), text.len());
            prop_assert_eq!(masked.lines().count(), text.lines().count());
        }
    }
}
