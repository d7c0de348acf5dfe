//! People at their screens: what Slack sends when they press a button, send a dialog or close it, and how it signs what it sends.

use crate::double::{Message, SlackDouble};
use crate::{APP_ID, TEAM};
use ring::hmac;
use serde_json::{Value, json};
use tokio::time::Instant;

/// A click on a button of a message.
pub fn click(user: &str, action: &str, handle: &str, trigger: &str) -> Value {
    json!({ "type": "block_actions", "user": { "id": user, "team_id": TEAM, "name": "ada", "username": "ada" },
        "team": { "id": TEAM, "domain": "example" }, "api_app_id": APP_ID, "token": "deprecated",
        "container": { "type": "message", "message_ts": "1795400000.000001", "channel_id": "C0GATES" },
        "channel": { "id": "C0GATES" }, "trigger_id": trigger, "response_url": "https://hooks.slack.com/actions/x",
        "actions": [{ "type": "button", "action_id": format!("countersign.{action}"), "block_id": "gate",
            "value": handle, "action_ts": "1795400100.000200" }] })
}

/// A dialog that is sent.
pub fn submission(user: &str, kind: &str, handle: &str, view: &str, reason: &str) -> Value {
    json!({ "type": "view_submission", "user": { "id": user, "team_id": TEAM }, "team": { "id": TEAM },
        "api_app_id": APP_ID, "trigger_id": "7.7.view", "view": { "id": view, "hash": "1.abc", "type": "modal",
            "callback_id": format!("countersign.decide.{kind}"), "private_metadata": handle,
            "state": { "values": { "reason": { "reason": { "type": "plain_text_input", "value": reason } } } } } })
}

/// A payload as the body of a request.
pub fn form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

/// The signature of a body that is sent at that second.
pub fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("v0:{seconds}:{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

impl SlackDouble {
    /// Presses a button of a message as somebody sees it, which may be a stale copy; none where it has no such button.
    pub fn press(&self, user: &str, message: &Message, action: &str) -> Option<Value> {
        let blocks = message.blocks.as_array()?;
        let action = format!("countersign.{action}");
        let (block, button) = blocks.iter().find_map(|block| {
            let button = block["elements"].as_array()?.iter().find(|element| element["action_id"] == *action)?;
            Some((block["block_id"].clone(), button.clone()))
        })?;
        let (trigger, action_ts) = {
            let mut inner = self.inner();
            inner.counter += 1;
            let number = inner.counter;
            let trigger = format!("{number}.{number}.press");
            inner.made_triggers.insert(trigger.clone(), Instant::now());
            (trigger, format!("1795400100.{number:06}"))
        };
        let mut payload = click(user, "", "", &trigger);
        payload["container"] = json!({ "type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": false });
        payload["channel"] = json!({ "id": message.channel });
        payload["message"] = json!({ "ts": message.ts, "blocks": message.blocks, "metadata": message.metadata });
        payload["actions"] = json!([{ "type": "button", "action_id": action, "block_id": block,
            "value": button["value"], "text": button["text"], "action_ts": action_ts }]);
        Some(payload)
    }

    /// The dialog that was opened on a click.
    pub fn dialog(&self, click: &Value) -> Option<Value> {
        let inner = self.inner();
        inner.views.iter().find(|opened| click["trigger_id"] == *opened.trigger).map(|opened| opened.view.clone())
    }

    /// Sends a dialog with what was typed into its inputs, by block.
    pub fn send_dialog(&self, user: &str, view: &Value, typed: &[(&str, &str)]) -> Value {
        let mut payload = submission(user, "", "", "", "");
        let mut values = json!({});
        for input in view["blocks"].as_array().into_iter().flatten().filter(|block| block["type"] == "input") {
            let block = input["block_id"].as_str().unwrap_or_default();
            let value = typed.iter().find(|(name, _)| *name == block).map(|(_, value)| *value);
            let action = input["element"]["action_id"].as_str().unwrap_or_default();
            values[block][action] = json!({ "type": input["element"]["type"], "value": value });
        }
        payload["view"] = view.clone();
        payload["view"]["state"] = json!({ "values": values });
        payload
    }

    /// Closes a dialog without sending it.
    pub fn close_dialog(&self, user: &str, view: &Value) -> Value {
        let mut payload = submission(user, "", "", "", "");
        payload["type"] = "view_closed".into();
        payload["is_cleared"] = false.into();
        payload["view"] = view.clone();
        payload
    }
}
