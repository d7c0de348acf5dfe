//! Reads payloads at the edge. Only who acted, which button or dialog, and one opaque handle are taken; whatever else is in there
//! chooses nothing.

use crate::client::Place;
use crate::message::{ACTION, CALLBACK, CANARY, REASON};
use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::decision::DecisionKind;
use countersign_model::id::RequestId;
use serde_json::Value;

/// What a payload asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// A button of a request's message.
    Click(Click),
    /// A dialog was sent.
    Submission(Submission),
    /// A dialog was closed: it means nothing but a note.
    Closed { handle: String },
    /// The link to the page: Slack tells of it, and it means nothing.
    Followed,
    /// Anything else.
    Unknown,
}

/// A button of a request's message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Click {
    pub(crate) kind: DecisionKind,
    pub(crate) handle: String,
    pub(crate) trigger: String,
    /// The same text for the same click, however often and on whatever way it is delivered.
    pub(crate) once: String,
    /// The message, where the click came from one.
    pub(crate) place: Option<Place>,
}

/// A dialog was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Submission {
    pub(crate) kind: DecisionKind,
    pub(crate) handle: String,
    pub(crate) reason: String,
    /// `Err`: what was typed is no percentage.
    pub(crate) conditions: Result<Conditions, String>,
    pub(crate) once: String,
}

/// Who sent it, and from where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sender {
    pub(crate) actor: Actor,
    /// The user's identifier, to answer them.
    pub(crate) user: String,
}

/// The sender, when the payload is for this app in this workspace.
pub(crate) fn sender(payload: &Value, app: &str, team: &str) -> Option<Sender> {
    let ours = payload["api_app_id"].as_str() == Some(app) && payload["team"]["id"].as_str() == Some(team);
    let user = payload["user"]["id"].as_str().filter(|user| !user.is_empty())?;
    // Somebody of another workspace, in a shared channel, has another team than the payload's.
    let home = payload["user"]["team_id"].as_str().filter(|home| !home.is_empty()).unwrap_or(team);
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (ours && plain(user) && plain(home)).then(|| Sender { actor: Actor::slack(home, user), user: user.to_string() })
}

/// What it asks for.
pub(crate) fn asked(payload: &Value) -> Asked {
    match payload["type"].as_str() {
        Some("block_actions") => click(payload),
        Some("view_submission") => submission(payload).map_or(Asked::Unknown, Asked::Submission),
        Some("view_closed") => match (kind_of(&payload["view"]["callback_id"], CALLBACK), handle_of(payload)) {
            (Some(_), Some(handle)) => Asked::Closed { handle },
            _ => Asked::Unknown,
        },
        _ => Asked::Unknown,
    }
}

/// Request and nonce of a handle.
pub(crate) fn parse_handle(handle: &str) -> Option<(RequestId, &str)> {
    let (id, nonce) = handle.split_once('.')?;
    Some((id.parse().ok()?, nonce)).filter(|_| !nonce.is_empty())
}

fn click(payload: &Value) -> Asked {
    let actions = payload["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    // One click is one action; a message of ours never sends two.
    let [action] = actions else { return Asked::Unknown };
    if action["action_id"].as_str() == Some(&format!("{ACTION}open")) {
        return Asked::Followed;
    }
    let trigger = payload["trigger_id"].as_str().unwrap_or_default();
    let (Some(kind), Some(handle), Some(at)) =
        (kind_of(&action["action_id"], ACTION), action["value"].as_str(), action["action_ts"].as_str())
    else {
        return Asked::Unknown;
    };
    let container = &payload["container"];
    let place = match (container["channel_id"].as_str(), container["message_ts"].as_str()) {
        (Some(channel), Some(ts)) => Some(Place { channel: channel.to_string(), ts: ts.to_string() }),
        _ => None,
    };
    let deed = if trigger.is_empty() { payload["user"]["id"].as_str().unwrap_or_default() } else { trigger };
    Asked::Click(Click {
        kind,
        handle: handle.to_string(),
        trigger: trigger.to_string(),
        once: format!("slack:{deed}:{at}"),
        place,
    })
}

fn submission(payload: &Value) -> Option<Submission> {
    let view = &payload["view"];
    let typed = |block: &str| {
        let elements = view["state"]["values"][block].as_object()?;
        elements.values().find_map(|element| element["value"].as_str()).map(|text| text.trim().to_string())
    };
    let conditions = match typed(CANARY).filter(|text| !text.is_empty()) {
        None => Ok(Conditions::default()),
        Some(text) => match text.trim_end_matches('%').trim_end().parse::<u8>() {
            Ok(percent @ 1..=100) => Ok(Conditions { canary_percent: Some(percent), ..Conditions::default() }),
            Ok(_) | Err(_) => Err("Give a whole number from 1 to 100, or leave it empty.".to_string()),
        },
    };
    Some(Submission {
        kind: kind_of(&view["callback_id"], CALLBACK)?,
        handle: handle_of(payload)?,
        reason: typed(REASON).unwrap_or_default(),
        conditions,
        // One dialog is at most one decision: sent again after a refusal it is still the same.
        once: format!("slack:view:{}", view["id"].as_str().filter(|id| !id.is_empty())?),
    })
}

fn handle_of(payload: &Value) -> Option<String> {
    payload["view"]["private_metadata"].as_str().map(ToString::to_string)
}

fn kind_of(name: &Value, prefix: &str) -> Option<DecisionKind> {
    match name.as_str()?.strip_prefix(prefix)? {
        "approve" => Some(DecisionKind::Approve),
        "reject" => Some(DecisionKind::Reject),
        "hold" => Some(DecisionKind::Hold),
        "override" => Some(DecisionKind::Override),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn payload() -> Value {
        json!({ "type": "block_actions", "user": { "id": "U1", "team_id": "T1", "name": "ada" }, "team": { "id": "T1" },
            "api_app_id": "A1", "container": { "type": "message", "message_ts": "1.2", "channel_id": "C1" },
            "trigger_id": "9.9.x", "actions": [{ "type": "button", "action_id": "countersign.hold", "block_id": "gate",
            "value": "req_01.n", "action_ts": "3.4" }] })
    }

    #[test]
    fn the_sender_is_user_and_team_and_never_a_name() {
        let sender = |change: &dyn Fn(&mut Value)| {
            let mut payload = payload();
            change(&mut payload);
            super::sender(&payload, "A1", "T1").map(|sender| sender.actor.to_string())
        };
        assert_eq!(sender(&|_| {}).as_deref(), Some("slack:T1/U1"));
        assert_eq!(sender(&|p| p["user"]["name"] = "boss".into()).as_deref(), Some("slack:T1/U1"));
        assert_eq!(sender(&|p| p["user"]["team_id"] = "T2".into()).as_deref(), Some("slack:T2/U1"));
        assert_eq!(sender(&|p| p["api_app_id"] = "A2".into()), None);
        assert_eq!(sender(&|p| p["team"] = Value::Null), None);
        assert_eq!(sender(&|p| p["user"]["id"] = "U1/U2".into()), None);
    }

    #[test]
    fn two_actions_in_one_click_and_strange_names_mean_nothing() {
        assert!(matches!(asked(&payload()), Asked::Click(Click { kind: DecisionKind::Hold, .. })));
        let mut two = payload();
        two["actions"] = json!([two["actions"][0], two["actions"][0]]);
        assert_eq!(asked(&two), Asked::Unknown);
        let mut other = payload();
        other["actions"][0]["action_id"] = "countersign.push".into();
        assert_eq!(asked(&other), Asked::Unknown);
        assert_eq!(asked(&json!({ "type": "message", "text": "LGTM" })), Asked::Unknown);
    }

    proptest! {
        #[test]
        fn no_payload_makes_it_panic(text in ".{0,200}", kind in "(block_actions|view_submission|view_closed|shortcut)") {
            let mut value = payload();
            value["type"] = kind.into();
            value["view"] = json!({ "callback_id": text, "private_metadata": text, "state": { "values": text } });
            value["actions"][0]["value"] = text.clone().into();
            let _ = (asked(&value), sender(&value, "A1", "T1"), parse_handle(&text));
        }
    }
}
