//! What people and other systems do: over the pages, in Slack, by hook. Each answers whether it got through; a daemon may die meanwhile.

use crate::http::{self, Answer};
use crate::installation::{Installation, now};
use crate::pipelines::{HOOK, SIGNING, TOTP};
use countersign_slack_double::{form, signature};
use ring::hmac;
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody who is signed in at the pages.
pub struct Session {
    cookie: String,
    csrf: String,
}

impl Installation {
    fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        http::try_send(&self.address()?, request, headers, body.as_bytes()).filter(|answer| answer.status > 0)
    }

    /// Another system says that something happened; the same text is the same event.
    pub fn hook(&mut self, name: &str, id: &str) -> Option<()> {
        let bearer = format!("Bearer {HOOK}");
        let headers = [("authorization", &*bearer), ("content-type", "application/json"), ("idempotency-key", id)];
        let answer = self.ask(&format!("POST /hooks/{name}"), &headers, &json!({ "id": id }).to_string())?;
        assert!(answer.status == 202 || answer.status == 503, "{answer:?}");
        (answer.status == 202).then_some(())
    }

    /// Signs somebody in with a one-time link.
    pub fn sign_in(&mut self, person: &str) -> Option<Session> {
        let made = self.try_run(&["--output", "json", "access", "link", "--person", person])?.must(0).json();
        let secret = made["data"]["link"].as_str()?.rsplit('/').next()?.to_string();
        let plain = [("content-type", "application/x-www-form-urlencoded")];
        let signed_in = self.ask("POST /sign-in/link", &plain, &format!("secret={secret}"))?;
        // Taken by a daemon that died before it answered: there is another link.
        let cookies = signed_in.headers("set-cookie");
        let cookie = cookies.iter().find(|cookie| cookie.starts_with("countersign="))?.split(';').next()?.to_string();
        let session = self.ask("GET /api/v1/session", &[("cookie", &cookie)], "")?;
        let csrf = session.json()["data"]["csrf"].as_str()?.to_string();
        Some(Session { cookie, csrf })
    }

    fn post(&mut self, session: &Session, path: &str, body: &Value) -> Option<Answer> {
        let headers =
            [("cookie", &*session.cookie), ("x-csrf-token", &*session.csrf), ("content-type", "application/json")];
        self.ask(&format!("POST /api/v1/requests/{path}"), &headers, &body.to_string())
    }

    pub fn poke(&mut self, session: &Session, request: &str) -> Option<Answer> {
        self.post(session, &format!("{request}/poke"), &json!({ "example": { "fare": "12", "miles": "3" } }))
    }

    /// An approval on the page, with the one-time code of a step near now: each counts once.
    pub fn approve_on_page(&mut self, session: &Session, request: &str, step: Option<i64>) -> Option<Answer> {
        let query = format!("SELECT evidence_digest FROM requests WHERE id = '{request}'");
        let evidence = self.record.texts(&query).pop()?;
        let code = step.map(|step| code(now().as_secs() as i64 / 30 + step));
        let body = json!({ "kind": "approve", "reason": "seen on the page", "evidence": evidence, "code": code });
        self.post(session, &format!("{request}/decision"), &body)
    }

    /// Two clicks: the button in the request's message, and the dialog behind it.
    pub fn approve_in_slack(&mut self, request: &str) -> Option<()> {
        let messages = self.slack.messages();
        let message = messages.iter().find(|one| one.metadata["event_payload"]["request"] == *request)?;
        let click = self.slack.press("U0ADA", message, "approve")?;
        self.interact(&click)?;
        let dialog = (0..50).find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.slack.dialog(&click)
        })?;
        let sent = self.slack.send_dialog("U0ADA", &dialog, &[("reason", "seen in Slack")]);
        self.interact(&sent)
    }

    fn interact(&mut self, payload: &Value) -> Option<()> {
        let (body, seconds) = (form(payload), now().as_secs() as i64);
        let (timestamp, signature) = (seconds.to_string(), signature(SIGNING, seconds, &body));
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-slack-request-timestamp", &*timestamp),
            ("x-slack-signature", &*signature),
        ];
        let answer = self.ask("POST /slack/interactions", &headers, &body)?;
        (answer.status == 200).then_some(())
    }
}

/// The one-time code of a step, by RFC 6238.
fn code(step: i64) -> String {
    let letter = |letter: u8| if letter >= b'A' { letter - b'A' } else { letter - b'2' + 26 };
    let bits: Vec<u8> = TOTP.bytes().flat_map(|byte| (0..5).rev().map(move |bit| letter(byte) >> bit & 1)).collect();
    let key: Vec<u8> = bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[19] & 15);
    let word = bytes[offset..offset + 4].iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}
