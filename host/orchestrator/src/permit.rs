//! Permits: re-derived from verified bytes and signatures at the moment of pushing, and before an earlier approval is used again.

use crate::attestation::evidence_of;
use crate::driver::Position;
use crate::engine::Engine;
use crate::error::{OrchestratorError, document};
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::permit::{self, NoPermit, Permit, Present};
use countersign_model::policy::SignoffPolicy;

impl Engine {
    /// A permit to push what `evidence` shows, or why there is none. Every artifact that the evidence names is read and checked.
    pub(crate) async fn permit(
        &self,
        position: &Position<'_>,
        request: &SignoffRequest,
        policy: &SignoffPolicy,
        evidence: &Evidence,
        target: &str,
    ) -> Result<Result<Permit, NoPermit>, OrchestratorError> {
        for artifact in evidence.artifacts.values() {
            self.parts.artifacts.open(artifact).await?;
        }
        let store = &self.parts.store;
        let decisions = store.decisions(&request.id).await?;
        let live = store.pushes(Some(&position.run.pipeline), 1).await?.first().map(|push| push.model);
        let (_, digest) = evidence.seal().map_err(document)?;
        if digest != request.evidence_digest {
            return Ok(Err(changed(request, evidence, digest)));
        }
        let deciders = self.deciders(&decisions).await;
        let statements = self.statements(&decisions, request, evidence).await?;
        let present = Present {
            policy,
            evidence: digest,
            model: evidence.model,
            live,
            baseline: evidence.baseline,
            deciders: &deciders,
            statements: &statements,
            target,
        };
        Ok(permit::derive(request, &decisions, &present))
    }

    /// Takes an approval back, with the reason.
    pub(crate) async fn withdraw(&self, request: &SignoffRequest, reason: String) -> Result<(), OrchestratorError> {
        tracing::warn!(run.id = %request.run, request.id = %request.id, reason, "approval withdrawn: people are asked again");
        let state = RequestState::Void { reason };
        let notices = self.changed(request);
        self.parts.store.close_request(&request.id, &state, self.parts.clock.now(), &notices).await?;
        self.hint_outbox();
        Ok(())
    }
}

/// Evidence other than what was signed; says what changed, where the documents can tell.
pub(crate) fn changed(request: &SignoffRequest, now: &Evidence, digest: Digest) -> NoPermit {
    match evidence_of(request) {
        Ok(signed) if signed.model != now.model => NoPermit::ModelChanged,
        Ok(signed) if signed.baseline != now.baseline => NoPermit::BaselineChanged,
        Ok(signed) if signed.policy != now.policy => NoPermit::PolicyChanged,
        Ok(_) | Err(_) => NoPermit::EvidenceChanged { now: digest.short(), signed: request.evidence_digest.short() },
    }
}
