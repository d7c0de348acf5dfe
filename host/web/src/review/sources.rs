//! Where view models come from, and what can go wrong on the way.

use super::shelf::Shelf;
use countersign_ports::{ArtifactStore, Clock, MetadataStore, StoreError, Timetable, TriggerStore};
use std::sync::Arc;

/// The record, the artifacts, the time, the schedules, and what was read of the artifacts before.
pub struct Sources {
    /// The record.
    pub store: Arc<dyn MetadataStore>,
    /// Which pipelines are paused.
    pub triggers: Arc<dyn TriggerStore>,
    /// The bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When schedules fire next.
    pub timetable: Arc<dyn Timetable>,
    pub(super) shelf: Shelf,
}

impl Sources {
    /// With nothing read yet.
    pub fn new(
        store: Arc<dyn MetadataStore>,
        triggers: Arc<dyn TriggerStore>,
        artifacts: Arc<dyn ArtifactStore>,
        clock: Arc<dyn Clock>,
        timetable: Arc<dyn Timetable>,
    ) -> Self {
        Self { store, triggers, artifacts, clock, timetable, shelf: Shelf::default() }
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
