//! Text from elsewhere made harmless for Slack's mrkdwn: no mention, no link, no format, no reordering of what stands beside it; and
//! never longer than asked. Our own mentions and links are made here too, so that no other file writes `<`.

/// What tells that something was cut.
const ELLIPSIS: char = '…';

/// How long Slack may count a text: in UTF-16 code units as it stands in JSON, which are never fewer than its characters.
pub fn length(text: &str) -> usize {
    text.chars().map(|letter| if matches!(letter, '"' | '\\' | '\n') { 2 } else { letter.len_utf16() }).sum()
}

/// Somebody's text, to stand in a line of mrkdwn: at most `cap` long when escaped.
///
/// Slack has no way to escape `*`, `_`, `~` and the backtick, so they are replaced by characters that look like them.
pub fn quoted(text: &str, cap: usize) -> String {
    cut(text, cap, |letter, inside_word| match letter {
        '&' => Piece::Text("&amp;"),
        '<' => Piece::Text("&lt;"),
        '>' => Piece::Text("&gt;"),
        '*' => Piece::Text("∗"),
        '~' => Piece::Text("∼"),
        '`' => Piece::Text("ˋ"),
        // Inside a word it formats nothing, and names are full of it.
        '_' if !inside_word => Piece::Text("ˍ"),
        other => Piece::Letter(other),
    })
}

/// A name, as code: at most `cap` long with its backticks.
pub fn code(text: &str, cap: usize) -> String {
    let inside = cut(text, cap.saturating_sub(2), |letter, _| match letter {
        '&' => Piece::Text("&amp;"),
        '<' => Piece::Text("&lt;"),
        '>' => Piece::Text("&gt;"),
        '`' => Piece::Text("ˋ"),
        other => Piece::Letter(other),
    });
    // An empty code span would show its backticks.
    if inside.trim().is_empty() { "`(empty)`".to_string() } else { format!("`{inside}`") }
}

/// Somebody's text for a field that Slack does not read as mrkdwn.
pub fn plain(text: &str, cap: usize) -> String {
    cut(text, cap, |letter, _| Piece::Letter(letter))
}

/// A link of ours; the bare words when the address is none that can stand in mrkdwn.
pub fn link(address: &str, words: &str) -> String {
    if is_address(address) { format!("<{}|{words}>", address.replace('&', "&amp;")) } else { words.to_string() }
}

/// Whether an address can be opened, and stand in a link and a button.
pub fn is_address(address: &str) -> bool {
    let web = address.starts_with("https://") || address.starts_with("http://");
    let harmless = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '<' | '>' | '|' | '"' | '`');
    web && address.len() <= 2_000 && address.chars().all(harmless)
}

/// A mention of a Slack user.
pub fn user(id: &str) -> Option<String> {
    is_id(id).then(|| format!("<@{id}>"))
}

/// A mention of a Slack user group.
pub fn group(id: &str) -> Option<String> {
    is_id(id).then(|| format!("<!subteam^{id}>"))
}

/// A mention that somebody else made, if it is of a user, a group or a channel and nothing else; otherwise its text, harmless.
pub fn mention(text: &str) -> String {
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let id = inside.and_then(|inside| {
        ["@", "#", "!subteam^"].into_iter().find_map(|kind| inside.strip_prefix(kind)).filter(|id| is_id(id))
    });
    if id.is_some() { text.to_string() } else { quoted(text, 200) }
}

/// Whether a text is an identifier as Slack makes them.
pub fn is_id(text: &str) -> bool {
    (2..=40).contains(&text.len()) && text.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
}

/// What becomes of one character.
enum Piece {
    Letter(char),
    Text(&'static str),
}

/// Cleans, replaces character by character, and cuts at a character boundary with a visible sign.
fn cut(text: &str, cap: usize, replace: impl Fn(char, bool) -> Piece) -> String {
    let isolated = text.chars().any(is_right_to_left);
    // Room for the sign and, around right-to-left text, for the isolates that keep it from reordering its neighbours.
    let room = cap.saturating_sub(if isolated { 2 } else { 0 });
    let mut out = String::new();
    let mut used = 0;
    // Where to cut when it turns out too long.
    let mut last_fit = 0;
    let mut before: Option<char> = None;
    let mut letters = text.chars().filter_map(cleaned).peekable();
    while let Some(letter) = letters.next() {
        let word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let inside_word = word(before) && word(letters.peek().copied());
        let start = out.len();
        match replace(letter, inside_word) {
            Piece::Letter(letter) => out.push(letter),
            Piece::Text(text) => out.push_str(text),
        }
        used += length(&out[start..]);
        if used > room {
            out.truncate(last_fit);
            // Half a composed emoji is another emoji.
            while out.ends_with('\u{200d}') {
                out.pop();
            }
            if room > 0 {
                out.push(ELLIPSIS);
            }
            break;
        }
        if used < room {
            last_fit = out.len();
        }
        before = Some(letter);
    }
    if isolated && cap >= 2 { format!("\u{2068}{out}\u{2069}") } else { out }
}

/// A character as one line of text may hold it; none for what only controls.
fn cleaned(letter: char) -> Option<char> {
    match letter {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        // Bidirectional marks, embeddings, overrides and isolates; invisible joints; tags.
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => None,
        other if other.is_control() => None,
        other => Some(other),
    }
}

/// Whether a character is of a script that is written from right to left.
fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_forms_nothing() {
        assert_eq!(quoted("<!channel> & <@U1|x> `rm` *b*", 200), "&lt;!channel&gt; &amp; &lt;@U1|x&gt; ˋrmˋ ∗b∗");
        assert_eq!(quoted("pickup_census_tract _x_", 200), "pickup_census_tract ˍxˍ");
        assert_eq!(code("a`b<c", 200), "`aˋb&lt;c`");
        assert_eq!(quoted("a\u{202e}b\nc\u{2066}d\u{0}", 200), "ab cd");
        assert_eq!(quoted("שלום", 200), "\u{2068}שלום\u{2069}");
    }

    #[test]
    fn a_cut_shows_and_never_splits_an_entity() {
        assert_eq!(quoted("&&&", 15), "&amp;&amp;&amp;");
        assert_eq!(quoted("&&&", 14), "&amp;&amp;…");
        assert_eq!(quoted("&&&", 11), "&amp;&amp;…");
        assert_eq!(quoted("&&&", 10), "&amp;…");
        assert_eq!(plain("abc", 3), "abc");
        assert_eq!(plain("abcd", 3), "ab…");
    }

    #[test]
    fn only_mentions_of_people_groups_and_channels_pass() {
        for good in ["<@U02AB>", "<!subteam^S0123>", "<#C01>"] {
            assert_eq!(mention(good), good);
        }
        for bad in ["<!channel>", "<!here>", "<@U1> <!channel>", "<https://x|y>", "<@u1>", "@ml-leads"] {
            assert!(!mention(bad).contains(['<', '>']), "{bad}");
        }
    }

    #[test]
    fn an_address_that_would_break_out_of_a_link_is_none() {
        assert_eq!(link("https://a/b?x=1&y=2", "Open"), "<https://a/b?x=1&amp;y=2|Open>");
        for bad in ["javascript:alert(1)", "https://a|b", "https://a>b", "https://a b", "https://ä"] {
            assert_eq!(link(bad, "Open"), "Open");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_asked(text in any::<String>(), cap in 3_usize..80) {
            for made in [quoted(&text, cap), plain(&text, cap)] {
                prop_assert!(length(&made) <= cap, "{made:?}");
            }
            prop_assert!(length(&code(&text, cap.max(9))) <= cap.max(9));
            prop_assert!(!quoted(&text, cap).contains(['<', '>', '`', '*', '~']));
        }
    }
}
