//! The driver: resolves a step's inputs, computes the cache key, and decides between an earlier result and a run.

use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure, document, step_error};
use crate::overriding::LeftOut;
use countersign_model::artifact::Artifact;
use countersign_model::canonical;
use countersign_model::component::{Description, Port};
use countersign_model::digest::Digest;
use countersign_model::execution::{Execution, ExecutionState};
use countersign_model::fingerprint::{Fingerprint, own_inputs_digest};
use countersign_model::pipeline::{ComponentStep, Input, Pipeline, Step};
use countersign_model::run::{Claim, Run};
use countersign_ports::component_runner::Component;
use countersign_ports::metadata_store::HistoryQuery;
use std::collections::BTreeMap;

/// Results of the run's finished steps, by name.
pub(crate) type Finished = BTreeMap<String, Execution>;

/// What the driver decided.
pub(crate) enum Driven {
    /// An earlier execution's outputs, verified: record and go on.
    Reuse(Box<Execution>),
    /// It has to run.
    Run(Box<Plan>),
}

/// An execution that is about to begin.
pub(crate) struct Plan {
    /// The record, in state `Running`.
    pub execution: Execution,
    /// The component.
    pub component: Component,
    /// What it said of itself.
    pub description: Description,
    /// Bound inputs by port, newest first.
    pub inputs: BTreeMap<String, Vec<Artifact>>,
}

/// The run, its definition and what is done so far.
pub(crate) struct Position<'a> {
    pub claim: &'a Claim,
    pub run: &'a Run,
    pub pipeline: &'a Pipeline,
    pub finished: &'a Finished,
    pub left_out: &'a LeftOut,
}

impl Engine {
    /// Decides what to do about a component step.
    pub(crate) async fn drive(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
        attempt: u32,
    ) -> Result<Driven, StepFailure> {
        let (component, description) = self.pinned(position, step, work)?;
        let (inputs, own_inputs) = self.bind(position, step, work, description).await?;
        let fingerprint = fingerprint(work, description, component.digest, &inputs)?;
        let cache_key = fingerprint.digest().map_err(document)?;
        let previous =
            self.parts.store.previous_execution(&position.run.pipeline, &step.name, &position.run.id).await?;
        let mut execution = Execution {
            id: self.execution_id(),
            run: position.run.id,
            pipeline: position.run.pipeline.clone(),
            step: step.name.clone(),
            attempt,
            component: format!("{} {}", description.name, description.version),
            why: why(&fingerprint, previous.as_ref(), work.cache),
            fingerprint,
            cache_key,
            own_inputs,
            inputs: inputs.iter().map(|(port, found)| (port.clone(), found.iter().map(|a| a.id).collect())).collect(),
            parameters: work.parameters.clone(),
            state: ExecutionState::Running,
            started_at: self.parts.clock.now(),
        };
        if work.cache
            && let Some(earlier) = self.parts.store.cached_execution(&cache_key).await?
        {
            match self.reusable(&earlier).await? {
                None => {
                    execution.state = reuse(&earlier);
                    execution.why = "nothing changed".to_string();
                    return Ok(Driven::Reuse(Box::new(execution)));
                }
                Some(problem) => execution.why = format!("earlier result unusable: {problem}"),
            }
        }
        Ok(Driven::Run(Box::new(Plan {
            execution,
            component: component.clone(),
            description: description.clone(),
            inputs,
        })))
    }

    /// The component that the run's definition was checked against.
    fn pinned(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
    ) -> Result<&(Component, Description), StepFailure> {
        self.parts.components.get(&work.component_digest).ok_or_else(|| {
            let problem = format!(
                "step `{}` was started with component `{}` {}, which is not installed any more: start a new run",
                step.name,
                work.component,
                work.component_digest.short()
            );
            OrchestratorError::Definition { run: position.run.id.to_string(), problem }.into()
        })
    }

    /// Binds every port, the run's own inputs first: history is relative to them.
    async fn bind(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
        description: &Description,
    ) -> Result<(BTreeMap<String, Vec<Artifact>>, Digest), StepFailure> {
        let mut inputs = BTreeMap::new();
        for (port, input) in &work.inputs {
            let artifact = match input {
                Input::Step { step: from, output } => output_of(position.finished, from, output)?,
                Input::Source { source } => {
                    let definition =
                        position.pipeline.sources.get(source).ok_or_else(|| {
                            step_error("input.missing", format!("the pipeline has no source `{source}`"))
                        })?;
                    self.delivery(position.claim, position.run, source, definition).await?
                }
                Input::Resolve { .. } => continue,
            };
            inputs.insert(port.clone(), vec![artifact]);
        }
        let own_digests = digests(&inputs);
        let own_inputs = own_inputs_digest(&own_digests).map_err(document)?;
        for (port, input) in &work.inputs {
            let Input::Resolve { resolver } = input else { continue };
            let query = HistoryQuery {
                pipeline: position.run.pipeline.clone(),
                resolver: resolver.clone(),
                step: step.name.clone(),
                own_inputs,
                own_digests: own_digests.values().flatten().copied().collect(),
                run: position.run.id,
            };
            let mut found = self.parts.store.resolve(&query).await?;
            let many = description.input(port).is_some_and(|port| port.many);
            if !many {
                found.truncate(1);
            }
            if found.is_empty() {
                must_be_optional(description.input(port), &resolver.to_string())?;
            } else {
                inputs.insert(port.clone(), found);
            }
        }
        Ok((inputs, own_inputs))
    }

    /// Why an earlier execution can not be used again; none when it can.
    async fn reusable(&self, earlier: &Execution) -> Result<Option<String>, OrchestratorError> {
        let Some(result) = earlier.state.result() else { return Ok(Some("it has no result".to_string())) };
        for artifact in result.outputs.values() {
            if let Err(error) = self.parts.artifacts.open(&artifact.digest).await {
                return Ok(Some(error.to_string()));
            }
        }
        Ok(None)
    }
}

fn reuse(earlier: &Execution) -> ExecutionState {
    match &earlier.state {
        ExecutionState::Succeeded { result } => {
            ExecutionState::Cached { from: earlier.id, from_run: earlier.run, result: result.clone() }
        }
        // The store answers cache look-ups with successful executions only.
        ExecutionState::Running | ExecutionState::Cached { .. } | ExecutionState::Failed { .. } => {
            earlier.state.clone()
        }
    }
}

fn output_of(finished: &Finished, step: &str, output: &str) -> Result<Artifact, StepFailure> {
    finished
        .get(step)
        .and_then(|execution| execution.state.result())
        .and_then(|result| result.outputs.get(output))
        .cloned()
        .ok_or_else(|| step_error("input.missing", format!("step `{step}` left no output `{output}`")).into())
}

fn must_be_optional(port: Option<&Port>, resolver: &str) -> Result<(), StepFailure> {
    match port {
        Some(port) if !port.optional => Err(step_error(
            "input.missing",
            format!(
                "input `{}` asks for `{resolver}`, and there is none yet: the component can not run without it",
                port.name
            ),
        )
        .into()),
        Some(_) | None => Ok(()),
    }
}

fn digests(inputs: &BTreeMap<String, Vec<Artifact>>) -> BTreeMap<String, Vec<Digest>> {
    inputs.iter().map(|(port, found)| (port.clone(), found.iter().map(|artifact| artifact.digest).collect())).collect()
}

fn fingerprint(
    work: &ComponentStep,
    description: &Description,
    component: Digest,
    inputs: &BTreeMap<String, Vec<Artifact>>,
) -> Result<Fingerprint, OrchestratorError> {
    Ok(Fingerprint {
        component,
        interface: description.interface.clone(),
        parameters: canonical::digest(&work.parameters).map_err(document)?,
        inputs: digests(inputs),
        outputs: description.outputs.iter().map(|port| (port.name.clone(), port.kind.clone())).collect(),
        grant: work.grant.clone(),
    })
}

fn why(fingerprint: &Fingerprint, previous: Option<&Execution>, cache: bool) -> String {
    let Some(previous) = previous else { return "first run".to_string() };
    let changes = fingerprint.changes_since(&previous.fingerprint);
    match (changes.is_empty(), cache, &previous.state) {
        (false, _, _) => changes.join(", "),
        (true, false, _) => "caching is off".to_string(),
        (true, true, ExecutionState::Failed { .. }) => "it failed the last time".to_string(),
        (true, true, _) => "no usable earlier result".to_string(),
    }
}
