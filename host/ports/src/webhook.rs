//! Signed requests from outside that some house wants to judge by their raw bytes.

use async_trait::async_trait;
use bytes::Bytes;

/// A request as it arrived: nothing decoded, no header merged.
#[derive(Debug, Clone)]
pub struct WebhookRequest {
    /// Every header in order, lower-case names, values as bytes; one that was given twice is here twice.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON text, or nothing.
    pub body: String,
}

/// Takes requests of one kind.
#[async_trait]
pub trait Webhook: Send + Sync {
    /// Judges and handles a request; what it means is durable before this answers.
    async fn receive(&self, request: WebhookRequest) -> WebhookAnswer;
}
