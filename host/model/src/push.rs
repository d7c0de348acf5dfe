//! Pushes: a model placed at a target, at most once per (model digest, target).

use crate::conditions::Conditions;
use crate::digest::Digest;
use crate::id::{PushId, RequestId, RunId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One placement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// Its identifier.
    pub id: PushId,
    /// The run.
    pub run: RunId,
    /// The pipeline.
    pub pipeline: String,
    /// The `Model` artifact's digest.
    pub model: Digest,
    /// Where.
    pub target: String,
    /// The request whose permit allowed it.
    pub request: RequestId,
    /// What the people who approved asked for.
    pub conditions: Conditions,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it was in place.
    pub completed_at: Option<Timestamp>,
}
