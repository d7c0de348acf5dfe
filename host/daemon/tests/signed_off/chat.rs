//! What people see and do in Slack, and what Slack is answered.

use crate::harness::eventually;
use crate::http;
use crate::prepared::SIGNING;
use crate::stage::{Asked, Stage, Transport, now};
use countersign_slack_double::{Message, form, signature};
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What Slack was answered to something that somebody did.
#[derive(Debug)]
pub struct Taken {
    pub status: u16,
    pub body: Value,
    pub took: Duration,
}

impl Stage {
    /// Messages about a request; replies are left out.
    pub fn messages(&self, asked: &Asked) -> Vec<Message> {
        let about = |message: &Message| {
            message.metadata["event_payload"]["request"] == *asked.request && message.thread.is_none()
        };
        self.slack.messages().into_iter().filter(about).collect()
    }

    /// The request's message once it is headed so.
    pub fn headed(&self, asked: &Asked, words: &str) -> Message {
        eventually(&format!("the message is headed: {words}"), || {
            self.messages(asked).into_iter().find(|message| message.text.contains(words))
        })
    }

    /// The request's message once it says this somewhere.
    pub fn says(&self, asked: &Asked, words: &str) -> Message {
        eventually(&format!("the message says: {words}"), || {
            self.messages(asked).into_iter().find(|message| message.blocks.to_string().contains(words))
        })
    }

    /// What Slack sends, over the transport, and what it was answered.
    pub fn send(&self, payload: &Value) -> Taken {
        let begun = now();
        match self.transport {
            Transport::Http => {
                let body = form(payload);
                let answer = self.signed(&body, begun.as_secs() as i64, SIGNING);
                let body = serde_json::from_str(&answer.body).unwrap_or_default();
                Taken { status: answer.status, body, took: now() - begun }
            }
            Transport::Socket => {
                let envelope = self.envelope(payload);
                self.acknowledged(&envelope, begun)
            }
        }
    }

    /// Sends an envelope and waits for nothing.
    pub fn envelope(&self, payload: &Value) -> String {
        let envelope = format!("e{}", self.envelopes.fetch_add(1, Ordering::SeqCst));
        let open = eventually("a socket is open", || self.slack.sockets.open().pop());
        self.slack.sockets.deliver(open, &envelope, payload);
        envelope
    }

    fn acknowledged(&self, envelope: &str, begun: Duration) -> Taken {
        for _ in 0..30_000 {
            if let Some((_, answer)) = self.slack.sockets.acknowledgement(envelope) {
                return Taken { status: 200, body: answer["payload"].clone(), took: now() - begun };
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("never acknowledged: {envelope}\n{}", self.log());
    }

    /// A signed request to the endpoint.
    pub fn signed(&self, body: &str, seconds: i64, secret: &str) -> http::Answer {
        let (timestamp, signature) = (seconds.to_string(), signature(secret, seconds, body));
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-slack-request-timestamp", &*timestamp),
            ("x-slack-signature", &*signature),
        ];
        http::send(&self.address, "POST /slack/interactions", &headers, body.as_bytes())
    }

    /// Presses a button.
    pub fn press(&self, user: &str, message: &Message, action: &str) -> Value {
        let pressed = self.slack.press(user, message, action);
        pressed.unwrap_or_else(|| panic!("there is no button {action}: {}", message.blocks))
    }

    /// Presses a button and waits for the dialog behind it.
    pub fn open_dialog(&self, user: &str, message: &Message, action: &str) -> Value {
        let click = self.press(user, message, action);
        let taken = self.send(&click);
        assert_eq!(taken.status, 200, "{taken:?}");
        eventually("the dialog is open", || self.slack.dialog(&click))
    }

    /// Two interactions: a button, and the dialog behind it.
    pub fn decide(&self, user: &str, message: &Message, action: &str, reason: &str) -> Taken {
        let dialog = self.open_dialog(user, message, action);
        self.send(&self.slack.send_dialog(user, &dialog, &[("reason", reason)]))
    }
}
