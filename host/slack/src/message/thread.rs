//! What is said beside a request's message: in its thread, or to one person.

use super::blocks::section;
use super::figures::{span, time};
use super::mrkdwn::{length, mention as own_mention, quoted};
use super::{Rendered, Situation, people};
use serde_json::json;

/// Nobody decided for a while.
pub fn reminder(situation: &Situation<'_>) -> Rendered {
    reply(format!("⏳ {} still waits for {}.\n{}", situation.name(), people::needed(situation), since(situation)))
}

/// Nobody decided for too long. `mention` is whom to tell, as `<!subteam^S…>`, `<@U…>` or `<#C…>`; anything else is shown as text.
pub fn escalation(situation: &Situation<'_>, mention: &str) -> Rendered {
    let whom = own_mention(mention);
    reply(format!(
        "⏰ {whom} nobody decided on {}: it waits for {}.\n{}",
        situation.name(),
        people::needed(situation),
        since(situation)
    ))
}

/// A note to one person: refused, late, already decided.
pub fn notice_to_person(text: &str) -> Rendered {
    let said = quoted(text, 2_000);
    // Slack refuses an empty text.
    reply(if said.trim().is_empty() { "Nothing was done.".to_string() } else { said })
}

fn since(situation: &Situation<'_>) -> String {
    let waited = situation.now.since(situation.request.posted_at).as_secs();
    let deadline = people::deadline(situation).map(|text| format!(" · {text}")).unwrap_or_default();
    format!(
        "Asked {} ({} ago){deadline} · evidence `{}` · never approves by itself",
        time(situation.request.posted_at),
        span(waited),
        situation.request.evidence_digest.short()
    )
}

fn reply(text: String) -> Rendered {
    debug_assert!(length(&text) <= super::blocks::SECTION);
    let blocks = json!([section(&text)]);
    Rendered { text, blocks }
}
