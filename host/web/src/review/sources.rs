//! Where view models come from, and what can go wrong on the way.

use super::shelf::Shelf;
use countersign_ports::{ArtifactStore, Clock, MetadataStore, StoreError};
use std::sync::Arc;

/// The record, the artifacts, the time, and what was read of the artifacts before.
pub struct Sources {
    /// The record.
    pub store: Arc<dyn MetadataStore>,
    /// The bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    pub(super) shelf: Shelf,
}

impl Sources {
    /// With nothing read yet.
    pub fn new(store: Arc<dyn MetadataStore>, artifacts: Arc<dyn ArtifactStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, artifacts, clock, shelf: Shelf::default() }
    }
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// No such thing.
    #[error("find {0}")]
    NotFound(String),
    /// The record failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that is there can not be read.
    #[error("read {what}: {problem}")]
    Unreadable {
        /// What.
        what: String,
        /// Why not.
        problem: String,
    },
}
