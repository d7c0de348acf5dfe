//! Sign-off gates: assemble the evidence, ask, and go on only on a decision that is bound to exactly that evidence.

use crate::decide::first_half;
use crate::driver::Position;
use crate::engine::Engine;
use crate::error::{OrchestratorError, document};
use crate::permit;
use crate::watcher::RunEvent;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::id::RequestId;
use countersign_model::pipeline::Step;
use countersign_model::policy::SignoffPolicy;
use countersign_model::run::RunEnd;
use countersign_ports::IdSource;
use countersign_ports::notifier::Message;
use std::fmt::Write as _;

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
        let newest = self.newest_request(position, &step.name).await?;
        if let Some(request) = &newest {
            if let Some(answer) = self.answered(position, request, &evidence, digest).await? {
                return Ok(answer);
            }
        }
        // Where this run's own approval was withdrawn, an older one does not stand in for it.
        else if let Some(earlier) = self.approved_before(position, &step.name, policy, &evidence, digest).await? {
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
            verdict: evidence.verdict(),
            nonce: nonce(self.parts.ids.as_ref()),
            state: RequestState::Open,
            posted_at: self.parts.clock.now(),
            progress: Progress::default(),
        };
        self.post(position, request, newest.is_none()).await.map(GateAnswer::Wait)
    }

    async fn post(
        &self,
        position: &Position<'_>,
        request: SignoffRequest,
        first: bool,
    ) -> Result<RequestId, OrchestratorError> {
        let message = Message::SignoffRequested { request: request.id, evidence: request.evidence_digest };
        let mut notices = self.request_notices(position.run.id, &request.policy, &message);
        if let Some(older) = self.parts.store.open_request_of(&request.pipeline, &request.gate).await? {
            notices.extend(self.changed(&older));
        }
        if first && self.last_asked(position).await?.is_none() {
            notices.extend(self.warning(position.run.id, position.finished));
        }
        self.parts.store.open_request(position.claim, &request, &notices).await?;
        self.hint_outbox();
        // A run that it supersedes no longer stands in the way of others.
        self.hint_work();
        self.parts.watcher.hear(RunEvent::Waiting { run: position.run.id, request: request.id });
        Ok(request.id)
    }

    /// What this run asked people last: with its first request its warnings were told.
    pub(crate) async fn last_asked(
        &self,
        position: &Position<'_>,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        Ok(self.parts.store.requests(Some(&position.run.id), None).await?.into_iter().next())
    }

    /// This run's newest request at the gate.
    async fn newest_request(
        &self,
        position: &Position<'_>,
        gate: &str,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        let requests = self.parts.store.requests(Some(&position.run.id), None).await?;
        Ok(requests.into_iter().find(|request| request.gate == gate))
    }

    /// What this run's request says; none when a new one is needed.
    async fn answered(
        &self,
        position: &Position<'_>,
        request: &SignoffRequest,
        evidence: &Evidence,
        digest: Digest,
    ) -> Result<Option<GateAnswer>, OrchestratorError> {
        Ok(match &request.state {
            RequestState::Approved if request.evidence_digest == digest => Some(GateAnswer::Pass),
            RequestState::Approved => {
                self.withdraw(request, permit::changed(request, evidence, digest).to_string()).await?;
                None
            }
            RequestState::Rejected => Some(GateAnswer::End(rejection(&self.parts.store.decisions(&request.id).await?))),
            RequestState::Expired => Some(GateAnswer::End(RunEnd::Expired)),
            RequestState::Superseded { by } => Some(GateAnswer::End(RunEnd::Superseded { by: *by })),
            RequestState::Open => {
                tracing::warn!(run.id = %position.run.id, request.id = %request.id, "a waiting run was claimed");
                Some(GateAnswer::Wait(request.id))
            }
            RequestState::Cancelled | RequestState::Void { .. } => None,
        })
    }

    /// An approval of the same evidence under the same policy, from an earlier run, that would still let a model go live: the same
    /// question needs no second answer.
    async fn approved_before(
        &self,
        position: &Position<'_>,
        gate: &str,
        policy: &SignoffPolicy,
        evidence: &Evidence,
        digest: Digest,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        for request in self.parts.store.requests(None, Some(&evidence.model)).await? {
            let same = request.pipeline == position.run.pipeline
                && request.gate == gate
                && request.state == RequestState::Approved
                && request.evidence_digest == digest;
            if !same {
                continue;
            }
            // Only whether there is a permit matters here, not for which target.
            match self.permit(position, &request, policy, evidence, "").await? {
                Ok(_) => return Ok(Some(request)),
                Err(refusal) => {
                    tracing::info!(run.id = %position.run.id, request.id = %request.id, %refusal, "an earlier approval does not hold");
                }
            }
        }
        Ok(None)
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

/// 32 hexadecimal digits that nobody guesses: two identifiers, of which 160 bits are random.
fn nonce(ids: &dyn IdSource) -> String {
    let two = [ids.ulid().to_bytes(), ids.ulid().to_bytes()].concat();
    first_half(Digest::of(&two)).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
