//! The one way in for people's decisions, whatever the channel: looks up the request, checks who may, records.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::actor::Actor;
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState};
use countersign_model::digest::Digest;
use countersign_model::id::{DecisionId, RequestId};
use countersign_model::policy::Refusal;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::Recorded;
use countersign_ports::notifier::Message;

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
    /// Why.
    pub reason: String,
}

/// Why a decision was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// They may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such request, or the stores failed.
    #[error(transparent)]
    Orchestrator(#[from] OrchestratorError),
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        Self::Orchestrator(error.into())
    }
}

impl Engine {
    /// Records a decision. A decision on a closed request is recorded as late and changes nothing.
    ///
    /// # Errors
    /// When the person may not decide so, saw other evidence, or the store fails.
    pub async fn decide(&self, input: DecisionInput) -> Result<Recorded, DecideError> {
        let store = &self.parts.store;
        let request = store
            .request(&input.request)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "sign-off request", id: input.request.to_string() })?;
        let run = store
            .run(&request.run)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "run", id: request.run.to_string() })?;
        let roles = (self.parts.roles_of)(&input.actor);
        if request.state == RequestState::Open {
            request.policy.authorise(
                &input.actor,
                &roles,
                &run.started_by,
                input.kind,
                input.channel,
                &input.reason,
            )?;
        }
        let decision = Decision {
            id: DecisionId::from_ulid(self.parts.ids.ulid()),
            request: request.id,
            kind: input.kind,
            actor: input.actor,
            roles: roles.into_iter().collect(),
            channel: input.channel,
            reason: input.reason,
            evidence_digest: input.evidence,
            late: false,
            at: self.parts.clock.now(),
        };
        let notice = self.notice(request.run, Message::DecisionRecorded { decision: decision.clone() });
        Ok(store.record_decision(&decision, &[notice]).await?)
    }
}
