//! The desk at which people act: the one way in for decisions, whatever the channel. The engine stands behind it.

use crate::metadata_store::{Recorded, StoreError};
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Channel, DecisionKind};
use countersign_model::digest::Digest;
use countersign_model::id::{RequestId, RunId};
use countersign_model::poke::Poke;
use countersign_model::policy::Refusal;
use std::collections::BTreeMap;

/// What a person says.
#[derive(Debug, Clone)]
pub struct DecisionInput {
    /// The request they answer.
    pub request: RequestId,
    /// The evidence that they were shown.
    pub evidence: Digest,
    /// What they say.
    pub kind: DecisionKind,
    /// Who they are, as the channel established it.
    pub actor: Actor,
    /// Where they say it.
    pub channel: Channel,
    /// Whether they showed a second factor and it is right.
    pub second_factor: bool,
    /// Why.
    pub reason: String,
    /// Under which conditions.
    pub conditions: Conditions,
    /// The same text for the same deed: a click that is delivered twice is one decision. None: every call is a deed of its own.
    pub once: Option<String>,
}

/// Why a decision was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// They may not. The attempt is in the audit log.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such request, other evidence was shown, or something failed.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// What goes wrong at the desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that was asked for can not be done: says what and why.
    #[error("{0}")]
    Impossible(String),
    /// The engine failed.
    #[error("{operation}")]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        Self::Desk(DeskError::Store(error))
    }
}

/// Where people act.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Records a decision; durable when this answers. On a closed request it is recorded as late and changes nothing.
    async fn decide(&self, input: DecisionInput) -> Result<Recorded, DecideError>;
    /// Asks the candidate and the live model what they make of an example, in the sandbox, and logs it. `example`: raw column to
    /// text; a column that is left out is missing.
    async fn poke(
        &self,
        request: &RequestId,
        actor: &Actor,
        example: BTreeMap<String, String>,
    ) -> Result<Poke, DeskError>;
    /// Stops a run.
    async fn cancel(&self, run: &RunId, actor: &Actor) -> Result<(), DeskError>;
    /// Starts a run of a pipeline, as it is registered now.
    async fn start(&self, pipeline: &str, by: &Actor) -> Result<RunId, DeskError>;
    /// Pauses a pipeline: nothing new of it is claimed until it goes on. `false`: it was paused before.
    async fn pause(&self, pipeline: &str, by: &Actor, reason: &str) -> Result<bool, DeskError>;
    /// Lets a pipeline go on. `false`: it was not paused.
    async fn unpause(&self, pipeline: &str, by: &Actor) -> Result<bool, DeskError>;
}
