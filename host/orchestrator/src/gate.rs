//! Sign-off gates: assemble the evidence, ask, and go on only on a decision that is bound to exactly that evidence.

use crate::driver::{Position, document};
use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::watcher::RunEvent;
use countersign_model::decision::{Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::RequestId;
use countersign_model::pipeline::Step;
use countersign_model::policy::SignoffPolicy;
use countersign_model::run::RunEnd;
use countersign_ports::notifier::Message;

/// What a gate says.
pub(crate) enum GateAnswer {
    Pass,
    Wait(RequestId),
    End(RunEnd),
}

impl Engine {
    pub(crate) async fn gate(
        &self,
        position: &Position<'_>,
        step: &Step,
        policy: &SignoffPolicy,
    ) -> Result<GateAnswer, OrchestratorError> {
        let evidence = self.assemble(position, &step.name, policy).await?;
        let (text, digest) = evidence.seal().map_err(document)?;
        if let Some(request) = self.newest_request(position, &step.name).await? {
            if let Some(answer) = self.answered(position, &request, digest).await? {
                return Ok(answer);
            }
        } else if let Some(earlier) = self.approved_before(position, &step.name, policy, evidence.model, digest).await?
        {
            self.parts.watcher.hear(RunEvent::AlreadyApproved {
                run: position.run.id,
                gate: step.name.clone(),
                request: earlier.id,
            });
            return Ok(GateAnswer::Pass);
        }
        let request = SignoffRequest {
            id: RequestId::from_ulid(self.parts.ids.ulid()),
            run: position.run.id,
            pipeline: position.run.pipeline.clone(),
            gate: step.name.clone(),
            policy: policy.clone(),
            evidence: text,
            evidence_digest: digest,
            model_digest: evidence.model,
            state: RequestState::Open,
            posted_at: self.parts.clock.now(),
        };
        self.post(position, request).await.map(GateAnswer::Wait)
    }

    async fn post(&self, position: &Position<'_>, request: SignoffRequest) -> Result<RequestId, OrchestratorError> {
        let message = Message::SignoffRequested { request: request.id, evidence: request.evidence_digest };
        let notice = self.notice(position.run.id, message);
        self.parts.store.open_request(position.claim, &request, &[notice]).await?;
        self.parts.watcher.hear(RunEvent::Waiting { run: position.run.id, request: request.id });
        Ok(request.id)
    }

    /// This run's newest request at the gate that still means something.
    async fn newest_request(
        &self,
        position: &Position<'_>,
        gate: &str,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        let requests = self.parts.store.requests(Some(&position.run.id), None, false).await?;
        Ok(requests.into_iter().find(|request| request.gate == gate))
    }

    /// What this run's request says; none when a new one is needed.
    async fn answered(
        &self,
        position: &Position<'_>,
        request: &SignoffRequest,
        evidence: Digest,
    ) -> Result<Option<GateAnswer>, OrchestratorError> {
        let decisions = self.parts.store.decisions(&request.id).await?;
        Ok(match &request.state {
            RequestState::Approved if request.evidence_digest == evidence => Some(GateAnswer::Pass),
            RequestState::Approved => {
                let reason = format!("the evidence is now {}, not what was signed", evidence.short());
                let state = RequestState::Void { reason };
                self.parts.store.close_request(&request.id, &state, self.parts.clock.now()).await?;
                None
            }
            RequestState::Rejected => Some(GateAnswer::End(rejection(&decisions))),
            RequestState::Expired => Some(GateAnswer::End(RunEnd::Expired)),
            RequestState::Superseded { by } => Some(GateAnswer::End(RunEnd::Superseded { by: *by })),
            RequestState::Open => {
                tracing::warn!(run.id = %position.run.id, request.id = %request.id, "a waiting run was claimed");
                Some(GateAnswer::Wait(request.id))
            }
            RequestState::Cancelled | RequestState::Void { .. } => None,
        })
    }

    /// An approval of the same evidence under the same policy, from an earlier run: the same question needs no second answer.
    async fn approved_before(
        &self,
        position: &Position<'_>,
        gate: &str,
        policy: &SignoffPolicy,
        model: Digest,
        evidence: Digest,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        let requests = self.parts.store.requests(None, Some(&model), false).await?;
        Ok(requests.into_iter().find(|request| {
            request.pipeline == position.run.pipeline
                && request.gate == gate
                && request.state == RequestState::Approved
                && request.evidence_digest == evidence
                && request.policy == *policy
        }))
    }
}

fn rejection(decisions: &[Decision]) -> RunEnd {
    let rejected = decisions.iter().find(|decision| decision.kind == DecisionKind::Reject && !decision.late);
    match rejected {
        Some(decision) => RunEnd::Rejected { by: decision.actor.clone(), reason: decision.reason.clone() },
        // The store rejects a request only together with such a decision.
        None => RunEnd::Expired,
    }
}
