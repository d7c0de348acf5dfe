//! What was posted where, so that a message is edited in place and never posted twice.

use crate::metadata_store::StoreError;
use async_trait::async_trait;
use countersign_model::time::Timestamp;

/// One message out there.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// What it is about: `req_…` for a request's message, `alert:<pipeline>:<kind>` for a group of alerts.
    pub subject: String,
    /// The channel as it was asked for: `slack:#ml-releases`.
    pub channel: String,
    /// The channel as the service knows it: `C0123`.
    pub channel_id: String,
    /// The message as the service knows it: `1795400000.000100`.
    pub message_id: String,
    /// When it was posted.
    pub posted_at: Timestamp,
    /// What its keeper wants to remember: digest of what it shows, picture, count.
    pub memo: serde_json::Value,
}

/// Messages out there. They are no state of the record and are not audited.
#[async_trait]
pub trait PostStore: Send + Sync {
    /// The message about a subject in a channel.
    async fn post(&self, subject: &str, channel: &str) -> Result<Option<Post>, StoreError>;
    /// Records or replaces it.
    async fn record_post(&self, post: &Post) -> Result<(), StoreError>;
}
