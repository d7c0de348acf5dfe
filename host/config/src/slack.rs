//! How people write what is in Slack: teams, accounts, groups, channels. Identifiers are taken as they are; whether something of
//! that name exists is not known here.

use crate::diagnostics::Problem;

/// A letter of `kinds`, then capital letters and digits.
fn is_identifier(text: &str, kinds: &[char]) -> bool {
    let rest = text.strip_prefix(kinds).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// `T01`.
pub(crate) fn is_team(text: &str) -> bool {
    is_identifier(text, &['T'])
}

/// `A01`.
pub(crate) fn is_app(text: &str) -> bool {
    is_identifier(text, &['A'])
}

/// `S0123`.
pub(crate) fn is_group(text: &str) -> bool {
    is_identifier(text, &['S'])
}

/// `T01/U02AB`.
pub(crate) fn is_account(text: &str) -> bool {
    text.split_once('/').is_some_and(|(team, user)| is_team(team) && is_identifier(user, &['U', 'W']))
}

/// `slack:#ml-releases` or `slack:C0123`.
pub(crate) fn channel(text: &str) -> Result<String, Problem> {
    let bare = text.strip_prefix("slack:");
    if bare.is_some_and(|bare| is_identifier(bare, &['C', 'G']) || bare.strip_prefix('#').is_some_and(is_channel_name))
    {
        return Ok(text.to_string());
    }
    let name = bare.unwrap_or(text).trim().trim_start_matches('#').to_lowercase();
    let guess = is_channel_name(&name).then(|| format!("slack:#{name}"));
    let help = "a channel is `slack:#name`, or `slack:` and its identifier, such as `slack:C0123ABCD`";
    Err(Problem::new("settings.bad-channel", format!("`{text}` is no channel"), help).guess(guess))
}

/// Slack allows letters of any script, but no capitals.
fn is_channel_name(name: &str) -> bool {
    let fits = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_');
    !name.is_empty() && name.chars().count() <= 80 && name.chars().all(fits)
}

/// `@ml-leads` or `#ml-leads`.
pub(crate) fn is_audience(text: &str) -> bool {
    text.strip_prefix(['@', '#']).is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_capitals_and_digits_after_their_letter() {
        assert!(is_team("T01ABC") && is_app("A01") && is_group("S0123") && is_account("T01/U02AB"));
        for text in ["", "T", "t01", "T0l", "T01/U02", "T01 ", "U01", "Té"] {
            assert!(!is_team(text), "{text}");
        }
        for text in ["", "T01", "T01/", "/U02", "T01/U", "T01/U02/U03", "T01/A02", "t01/u02", "T01/u02"] {
            assert!(!is_account(text), "{text}");
        }
    }

    #[test]
    fn channels_are_names_or_identifiers_of_slack() {
        for text in ["slack:#ml-releases", "slack:C0123ABCD", "slack:G01", "slack:#模型", "slack:#a_1"] {
            assert_eq!(channel(text).unwrap(), text);
        }
        let guess = |text| channel(text).unwrap_err().guess;
        assert_eq!(guess("#ML-Releases").as_deref(), Some("slack:#ml-releases"));
        assert_eq!(guess("slack:ml-releases").as_deref(), Some("slack:#ml-releases"));
        for text in ["", "slack:", "slack:#", "teams:#a", "slack:#a b", "mailto:a@b.c", "slack:#<!channel>"] {
            assert_eq!(guess(text), None, "{text}");
        }
        assert!(is_audience("@ml-leads") && is_audience("#ml") && !is_audience("ml-leads") && !is_audience("@ here"));
    }
}
