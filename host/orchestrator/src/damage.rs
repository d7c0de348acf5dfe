//! Artifacts of a run whose bytes are not what was published: whoever signed them did not sign these. The approval is withdrawn, the
//! steps that made them run again, and people are asked again.

use crate::attestation::evidence_of;
use crate::driver::Finished;
use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::overriding::ancestors;
use countersign_model::artifact::ArtifactKind;
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::pipeline::Pipeline;
use countersign_model::run::Run;
use std::collections::BTreeSet;

impl Engine {
    /// Forgets the finished steps that the damage reaches, so that they run again. False when none made it: then nothing here can.
    pub(crate) async fn make_again(
        &self,
        run: &Run,
        pipeline: &Pipeline,
        finished: &mut Finished,
        damaged: &Digest,
        problem: &OrchestratorError,
    ) -> Result<bool, OrchestratorError> {
        let made_by: BTreeSet<String> = finished
            .iter()
            .filter(|(_, execution)| {
                let result = execution.state.result();
                result.is_some_and(|result| result.outputs.values().any(|artifact| artifact.digest == *damaged))
            })
            .map(|(step, _)| step.clone())
            .collect();
        if made_by.is_empty() {
            return Ok(false);
        }
        tracing::warn!(run.id = %run.id, artifact.digest = %damaged, %problem, "damaged artifact is made again");
        for request in self.approvals_of(run, finished).await? {
            if evidence_of(&request).is_ok_and(|evidence| evidence.artifacts.values().any(|one| one == damaged)) {
                self.withdraw(&request, format!("what was signed is damaged: {problem}")).await?;
            }
        }
        let touched = |step: &String| made_by.contains(step) || !ancestors(pipeline, step).is_disjoint(&made_by);
        finished.retain(|step, _| !touched(step));
        Ok(true)
    }

    /// Approved requests about a model of this run.
    async fn approvals_of(&self, run: &Run, finished: &Finished) -> Result<Vec<SignoffRequest>, OrchestratorError> {
        let outputs =
            finished.values().filter_map(|execution| execution.state.result()).flat_map(|r| r.outputs.values());
        let models: BTreeSet<Digest> = outputs
            .filter(|artifact| artifact.kind.as_str() == ArtifactKind::MODEL)
            .map(|artifact| artifact.digest)
            .collect();
        let mut approved = Vec::new();
        for model in models {
            let requests = self.parts.store.requests(None, Some(&model)).await?;
            approved.extend(
                requests
                    .into_iter()
                    .filter(|request| request.pipeline == run.pipeline && request.state == RequestState::Approved),
            );
        }
        Ok(approved)
    }
}
