//! The push step: a fresh permit, then the model at its target, at most once per (model, target).

use crate::driver::Position;
use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::gate::GateAnswer;
use crate::placement::{Papers, Placed, Placement, Target};
use crate::watcher::RunEvent;
use countersign_formats::model::MODEL_GRAPH;
use countersign_model::artifact::{Artifact, ArtifactKind, Manifest};
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::PushId;
use countersign_model::permit::Permit;
use countersign_model::pipeline::{ComponentStep, Step, Work};
use countersign_model::policy::SignoffPolicy;
use countersign_model::push::Push;
use countersign_ports::metadata_store::PushStart;
use countersign_ports::notifier::Message;

impl Engine {
    /// Pushes what `step` laid out. When the permit is refused the approval is withdrawn and people are asked again.
    pub(crate) async fn push(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
    ) -> Result<GateAnswer, OrchestratorError> {
        let (gate, policy, target) = gate_of(position, step, work)?;
        loop {
            let seen = Target::new(target).newest()?;
            let evidence = self.assemble(position, &gate.name, policy).await?;
            let Some(request) = self.approved_request(position, &gate.name, evidence.model).await? else {
                let problem = format!("gate `{}` was passed without an approved request", gate.name);
                return Err(definition(position, problem));
            };
            match self.permit(position, &request, policy, &evidence, target).await? {
                Ok(permit) => {
                    if self.go_live(position, step, &permit, &request, seen).await? {
                        return Ok(GateAnswer::Pass);
                    }
                    tracing::info!(run.id = %position.run.id, target, "another version was shown meanwhile: asking for the permit anew");
                    continue;
                }
                Err(refusal) => {
                    // Closing a request carries no claim, and whoever took the run over may have pushed on it.
                    self.still_ours(position.claim).await?;
                    self.withdraw(&request, refusal.to_string()).await?;
                }
            }
            // It passes only on another approval, which is then the next to be tried: each turn takes one away.
            match self.gate(position, gate, policy).await? {
                GateAnswer::Pass => {}
                answer @ (GateAnswer::Wait(_) | GateAnswer::End(_)) => return Ok(answer),
            }
        }
    }

    /// This run's approved request, or the newest earlier one about the same model.
    async fn approved_request(
        &self,
        position: &Position<'_>,
        gate: &str,
        model: Digest,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        let mut requests = self.parts.store.requests(None, Some(&model)).await?;
        requests.retain(|request| {
            request.pipeline == position.run.pipeline && request.gate == gate && request.state == RequestState::Approved
        });
        let own = requests.iter().position(|request| request.run == position.run.id);
        Ok(requests.into_iter().nth(own.unwrap_or(0)))
    }

    /// False: the target is not what it was when the permit was derived, and nothing was placed.
    async fn go_live(
        &self,
        position: &Position<'_>,
        step: &Step,
        permit: &Permit,
        request: &SignoffRequest,
        seen: Option<u64>,
    ) -> Result<bool, OrchestratorError> {
        let laid_out = laid_out(position, step)?;
        let from = self.parts.artifacts.open(&laid_out.digest).await?;
        let manifest = self.parts.artifacts.manifest(&laid_out.digest).await?;
        let signed = self.parts.artifacts.manifest(&permit.model).await?;
        if graph(&manifest).is_none() || graph(&manifest) != graph(&signed) {
            let problem = format!("step `{}` laid out another {MODEL_GRAPH} than the one that was signed", step.name);
            return Err(definition(position, problem));
        }
        let push = Push {
            id: PushId::from_ulid(self.parts.ids.ulid()),
            run: position.run.id,
            pipeline: position.run.pipeline.clone(),
            model: permit.model,
            target: permit.target.clone(),
            request: permit.request,
            conditions: permit.conditions.clone(),
            begun_at: self.parts.clock.now(),
            completed_at: None,
        };
        let push = match self.parts.store.begin_push(position.claim, &push).await? {
            PushStart::AlreadyThere(push) => {
                self.parts.watcher.hear(RunEvent::Pushed { push, already: true });
                return Ok(true);
            }
            PushStart::Go(push) => push,
        };
        let papers = Papers::new(&push, request, &self.parts.store.decisions(&request.id).await?, permit)?;
        let epoch = position.claim.epoch;
        let placement = Placement { from, manifest, push: push.clone(), papers, epoch, seen };
        // Held until the record says what the target shows.
        let still_ours = || {
            let (engine, claim) = (self.clone(), position.claim.clone());
            async move { engine.still_ours(&claim).await }
        };
        let Placed::Live(_lock) = placement.place(still_ours).await? else {
            return Ok(false);
        };
        let push = Push { completed_at: Some(self.parts.clock.now()), ..push };
        let message = Message::Pushed { push: push.clone() };
        let notices = self.request_notices(position.run.id, &request.policy, &message);
        self.parts.store.complete_push(position.claim, &push, &notices).await?;
        self.hint_outbox();
        self.parts.watcher.hear(RunEvent::Pushed { push, already: false });
        Ok(true)
    }
}

/// The digest of the file that is served.
fn graph(manifest: &Manifest) -> Option<Digest> {
    manifest.files.iter().find(|file| file.path == MODEL_GRAPH).map(|file| file.digest)
}

fn laid_out<'a>(position: &'a Position<'_>, step: &Step) -> Result<&'a Artifact, OrchestratorError> {
    let result = position.finished.get(&step.name).and_then(|execution| execution.state.result());
    result
        .and_then(|result| {
            result.outputs.values().find(|artifact| artifact.kind.as_str() == ArtifactKind::PUSHED_MODEL)
        })
        .ok_or_else(|| definition(position, format!("step `{}` laid out no PushedModel", step.name)))
}

fn gate_of<'a>(
    position: &Position<'a>,
    step: &'a Step,
    work: &'a ComponentStep,
) -> Result<(&'a Step, &'a SignoffPolicy, &'a str), OrchestratorError> {
    let gate = work.release.as_deref().and_then(|gate| position.pipeline.step(gate));
    match (gate, work.target.as_deref()) {
        (Some(gate @ Step { work: Work::Signoff(policy), .. }), Some(target)) => Ok((gate, policy, target)),
        _ => Err(definition(position, format!("step `{}` pushes without a sign-off gate", step.name))),
    }
}

fn definition(position: &Position<'_>, problem: String) -> OrchestratorError {
    OrchestratorError::Definition { run: position.run.id.to_string(), problem }
}
