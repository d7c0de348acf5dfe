//! Which of several daemons does what only one may do at a time: hold the connection with Slack, deliver the outbox.

use crate::metadata_store::StoreError;
use async_trait::async_trait;
use countersign_model::id::WorkerId;
use countersign_model::time::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// A duty and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What is held, such as `slack`.
    pub name: String,
    /// By which daemon.
    pub owner: WorkerId,
    /// Until when, unless it is extended.
    pub until: Timestamp,
}

/// Leases on names, measured on the store's own clock.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Takes the lease when it is free, or extends it when `owner` has it. `false`: somebody else has it.
    async fn hold(&self, name: &str, owner: &WorkerId, lease: Duration) -> Result<bool, StoreError>;
    /// Gives it back; nothing happens when `owner` does not have it.
    async fn let_go(&self, name: &str, owner: &WorkerId) -> Result<(), StoreError>;
    /// Who holds what now, by name.
    async fn held(&self) -> Result<Vec<Held>, StoreError>;
}
