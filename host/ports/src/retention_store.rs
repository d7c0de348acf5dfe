//! What retention asks of the record, and how it takes something out of it. Rows stay for ever, they are what happened; what goes are
//! the logs of old runs, and the bytes of artifacts that nothing needs any more.
//!
//! A run is *collected* when retention has been over it, an artifact when its bytes are given up. A collected artifact answers no
//! resolver and no look-up in the cache, and no execution can be recorded that reads it or brings it out again: whoever found it a moment
//! before looks again.

use crate::metadata_store::StoreError;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::id::{ArtifactId, RunId};
use countersign_model::time::Timestamp;
use serde::Serialize;
use std::collections::HashSet;

/// Which runs are kept, whatever else speaks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Keep {
    /// Those that did not end before this.
    pub since: Timestamp,
    /// So many of the newest of each pipeline; and as many of the newest that neither failed nor were blocked, because later runs take
    /// their history from those.
    pub newest: u32,
}

/// What a run leaves to retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// How many of its executions have a log.
    pub logs: u64,
    /// What it read or made and is not collected.
    pub artifacts: Vec<Holding>,
}

/// An artifact as far as retention cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub id: ArtifactId,
    /// Its kind.
    pub kind: ArtifactKind,
    /// Its bytes' digest.
    pub digest: Digest,
}

/// Why artifacts are needed although the run that made them is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A run that pushed read or made it, or it is upstream of that, or of whatever has the digest of a pushed model.
    Pushed,
    /// The same for runs whose request is open or approved: people are looking at it, or said yes.
    Asked,
    /// The same for runs that are queued, running or waiting.
    UnderWay,
}

impl Need {
    /// Every one, the weightiest first.
    pub const ALL: [Self; 3] = [Self::Pushed, Self::Asked, Self::UnderWay];
}

/// A run to collect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collecting {
    /// Which.
    pub run: RunId,
    /// The artifacts that go with it.
    pub artifacts: Vec<ArtifactId>,
}

/// What was taken out with one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The run.
    pub run: RunId,
    /// How many logs.
    pub logs: u64,
    /// The artifacts.
    pub artifacts: Vec<ArtifactId>,
}

/// What the record says of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// An artifact has them.
    Held,
    /// Artifacts had them, and all are collected.
    Given {
        /// When the newest of those artifacts was made.
        newest: Timestamp,
    },
    /// No artifact ever had them, as far as was recorded.
    Unknown,
}

/// What retention asks of the record. Questions cost what their answers hold, but for [`RetentionStore::needed`], which follows every
/// pushed model upstream.
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// The pipeline's runs that may be collected, longest ended first: ended, not kept, not collected, not pushed, without an open or
    /// approved request.
    async fn expired_runs(&self, pipeline: &str, keep: &Keep) -> Result<Vec<RunId>, StoreError>;
    /// What a run leaves.
    async fn holdings(&self, run: &RunId) -> Result<Holdings, StoreError>;
    /// Everything that is needed for that reason.
    async fn needed(&self, need: Need) -> Result<HashSet<ArtifactId>, StoreError>;
    /// A run that read or made the artifact and is not collected, other than `besides`.
    async fn user(&self, artifact: &ArtifactId, besides: &HashSet<RunId>) -> Result<Option<RunId>, StoreError>;
    /// Collects ended runs in one transaction: their logs go, and those of the named artifacts that no other run holds on to by now. A
    /// run that is collected already is passed over.
    async fn collect(&self, runs: &[Collecting], by: &Actor, at: Timestamp) -> Result<Vec<Collected>, StoreError>;
    /// What the record says of bytes, if the artifacts `besides` were collected.
    async fn standing(&self, digest: &Digest, besides: &HashSet<ArtifactId>) -> Result<Standing, StoreError>;
}
