//! Hooks: named places at which other systems say over HTTP that something happened.

use crate::webhook::{WebhookAnswer, WebhookRequest};
use async_trait::async_trait;

/// Takes what is sent to hooks.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Judges and handles a request to the hook of that name, which may not exist; what it means is durable before this answers.
    async fn receive(&self, hook: &str, request: WebhookRequest) -> WebhookAnswer;
}
