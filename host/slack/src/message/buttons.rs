//! The buttons of a request. Each carries the request's handle and nothing else.

use super::blocks::plain_text;
use super::stage::Stage;
use super::{ACTION, GATE, Situation, people};
use countersign_model::decision::{Channel, DecisionKind};
use countersign_model::finding::Verdict;
use serde_json::{Value, json};

/// The block of buttons; none when there is nothing to press.
pub fn of(situation: &Situation<'_>, stage: &Stage<'_>) -> Option<Value> {
    let handle = situation.request.handle();
    let verdict = situation.request.verdict;
    let mut buttons = Vec::new();
    let here = people::channels(&situation.request.policy, verdict).contains(&Channel::Slack);
    if let Some(page) = situation.address() {
        let words = if stage.is_open() && !here { "Open and decide" } else { "Open" };
        let mut open = button("open", words, &handle);
        open["url"] = page.into();
        buttons.push(open);
    }
    if stage.is_open() {
        if here && !situation.request.policy.wanted(verdict).is_empty() {
            buttons.push(match verdict {
                Verdict::Pass | Verdict::NeedsPerson => styled(DecisionKind::Approve, "Approve", &handle, "primary"),
                Verdict::Fail => styled(DecisionKind::Override, "Override", &handle, "danger"),
            });
        }
        buttons.push(styled(DecisionKind::Reject, "Reject", &handle, "danger"));
        buttons.push(button(DecisionKind::Hold.as_str(), "Hold", &handle));
    }
    (!buttons.is_empty()).then(|| json!({"type": "actions", "block_id": GATE, "elements": buttons}))
}

fn button(action: &str, words: &str, handle: &str) -> Value {
    json!({"type": "button", "action_id": format!("{ACTION}{action}"), "text": plain_text(words), "value": handle})
}

fn styled(kind: DecisionKind, words: &str, handle: &str, style: &str) -> Value {
    let mut button = button(kind.as_str(), words, handle);
    button["style"] = style.into();
    button
}
