//! The dialog behind a button: why, and on approving how much of the traffic.

use super::blocks::{plain_text, section};
use super::mrkdwn::quoted;
use super::{CALLBACK, Situation, people, summary};
use countersign_model::decision::DecisionKind;
use serde_json::{Value, json};

/// Block and action of the reason.
pub const REASON: &str = "reason";
/// Block and action of the share of traffic.
pub const CANARY: &str = "canary";
/// Longest reason that can be typed.
const REASON_LENGTH: usize = 2_000;

/// The modal view for one kind of decision. It carries the request's handle and no secret: a view is readable by who opened it.
pub fn decision_dialog(kind: DecisionKind, handle: &str, situation: &Situation<'_>) -> Value {
    let (title, submit, label, required) = match kind {
        DecisionKind::Approve => ("Approve", "Approve", "Why is this good to go?", false),
        DecisionKind::Reject => ("Reject", "Reject", "Why not?", true),
        DecisionKind::Hold => ("Hold", "Hold", "What are you waiting for?", false),
        DecisionKind::Override => ("Override", "Override", "Why is the failed check no reason to stop?", true),
    };
    let mut blocks = vec![section(&question(kind, situation)), reason(label, required)];
    if kind.approves() {
        blocks.push(canary());
    }
    json!({
        "type": "modal",
        "callback_id": format!("{CALLBACK}{kind}"),
        "private_metadata": handle,
        "notify_on_close": true,
        "title": plain_text(title),
        "submit": plain_text(submit),
        "close": plain_text("Back"),
        "blocks": blocks,
    })
}

/// What is decided on: the same twelve characters as in the message, on the page and in the terminal.
fn question(kind: DecisionKind, situation: &Situation<'_>) -> String {
    let effect = match kind {
        DecisionKind::Approve => "Once everybody wanted has signed, the candidate goes live.",
        DecisionKind::Reject => "The run ends and nothing is deployed. One rejection is enough.",
        DecisionKind::Hold => "The request stays open and says that you asked to wait.",
        DecisionKind::Override => "A check failed. An override stays visible for ever, with your reason.",
    };
    let conditions = situation.request.policy.conditions.in_words();
    let under =
        if conditions.is_empty() { String::new() } else { format!("\nAlways under: {}", quoted(&conditions, 300)) };
    format!(
        "*{}*, gate {}\n{}\n*Needs* {}\n{effect}{under}",
        quoted(&situation.request.pipeline, 80),
        quoted(&situation.request.gate, 60),
        summary::verdict(situation),
        people::needed(situation)
    )
}

fn reason(label: &str, required: bool) -> Value {
    json!({
        "type": "input",
        "block_id": REASON,
        "label": plain_text(label),
        "optional": !required,
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": true,
            "max_length": REASON_LENGTH,
            "placeholder": plain_text("Recorded, signed and shown to everybody"),
        },
    })
}

fn canary() -> Value {
    json!({
        "type": "input",
        "block_id": CANARY,
        "label": plain_text("At most this share of the traffic, per cent"),
        "optional": true,
        "hint": plain_text("Empty: no condition of yours. The smallest share anybody asks for counts."),
        "element": {
            "type": "number_input",
            "action_id": CANARY,
            "is_decimal_allowed": false,
            "min_value": "1",
            "max_value": "100",
        },
    })
}
