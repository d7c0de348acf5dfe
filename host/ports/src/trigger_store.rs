//! What triggers remember, and which pipelines are paused.

use crate::metadata_store::StoreError;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use serde::Serialize;

/// A file that a trigger has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    /// `pipeline/source`.
    pub trigger: String,
    /// Path.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it last changed, in microseconds; for an object a number that stands for its version.
    pub modified: i64,
    /// Since when size and time are as they are.
    pub stable_since: Timestamp,
    /// Digest of what was accepted, once it was.
    pub accepted: Option<Digest>,
    /// Since when it is not listed any more.
    pub missing_since: Option<Timestamp>,
}

/// A pipeline from which nothing new is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Its name.
    pub pipeline: String,
    /// Who paused it.
    pub by: Actor,
    /// Why; may be empty.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// What triggers remember, each method one transaction.
#[async_trait]
pub trait TriggerStore: Send + Sync {
    /// The last instant that a schedule fired for, or that a push was taken note of: the next is later.
    async fn last_fire(&self, trigger: &str) -> Result<Option<Timestamp>, StoreError>;
    /// Registers a trigger that starts from `at`, unless it is registered already.
    async fn register_trigger(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError>;
    /// Moves it; an earlier instant changes nothing.
    async fn record_fire(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError>;
    /// Files that a trigger has seen.
    async fn seen_files(&self, trigger: &str) -> Result<Vec<SeenFile>, StoreError>;
    /// Records or updates them, in one transaction.
    async fn record_seen_files(&self, files: &[SeenFile]) -> Result<(), StoreError>;
    /// Forgets those files of a trigger that are missing since before that instant.
    async fn forget_seen_files(&self, trigger: &str, missing_before: Timestamp) -> Result<(), StoreError>;
    /// Pauses a pipeline; one that is paused stays as it is. `false`: it was paused before.
    async fn pause(&self, paused: &Paused) -> Result<bool, StoreError>;
    /// Lets it go on. `false`: it was not paused.
    async fn unpause(&self, pipeline: &str, by: &Actor, at: Timestamp) -> Result<bool, StoreError>;
    /// The paused pipelines, by name.
    async fn paused(&self) -> Result<Vec<Paused>, StoreError>;
}
