//! The signed HTTP endpoint: judges the raw bytes before it reads anything.

use crate::clerk::{Answer, Clerk, NotTaken};
use crate::signature;
use async_trait::async_trait;
use countersign_model::secret::Secret;
use countersign_ports::{Webhook, WebhookAnswer, WebhookRequest};
use serde_json::Value;

/// Takes Slack's requests.
pub(crate) struct SlackWebhook {
    pub(crate) clerk: Clerk,
    pub(crate) secret: Secret,
}

#[async_trait]
impl Webhook for SlackWebhook {
    async fn receive(&self, request: WebhookRequest) -> WebhookAnswer {
        let house = &self.clerk.house;
        if let Err(forged) = signature::check(&self.secret, &request.headers, &request.body, house.now()) {
            tracing::debug!(?forged, "a request was refused");
            house.health.request_refused();
            return answer(401, String::new());
        }
        if is_ssl_check(&request.body) {
            return answer(200, String::new());
        }
        let Some(payload) = payload(&request.body) else {
            // A slash command, or something that Slack thinks of later.
            house.health.payload_ignored();
            return answer(200, String::new());
        };
        match self.clerk.handle(&payload).await {
            Ok(Answer::Taken) => answer(200, String::new()),
            Ok(Answer::Dialog(dialog)) => answer(200, dialog.to_string()),
            Err(NotTaken) => answer(500, String::new()),
        }
    }
}

fn answer(status: u16, body: String) -> WebhookAnswer {
    WebhookAnswer { status, body }
}

/// Slack looks now and then whether the certificate is good.
fn is_ssl_check(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(name, value)| name == "ssl_check" && value == "1")
}

/// The JSON of the one field `payload`.
fn payload(body: &[u8]) -> Option<Value> {
    std::str::from_utf8(body).ok()?;
    let mut fields = form_urlencoded::parse(body).filter(|(name, _)| name == "payload");
    match (fields.next(), fields.next()) {
        (Some((_, text)), None) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}
