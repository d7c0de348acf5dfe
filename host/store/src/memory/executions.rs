//! Executions and artifacts.

use super::claims::guard;
use super::state::State;
use crate::deeds::{self, Deed};
use countersign_model::artifact::Artifact;
use countersign_model::digest::Digest;
use countersign_model::execution::{Execution, ExecutionState, LogLine};
use countersign_model::id::{ArtifactId, RunId};
use countersign_model::run::{Claim, InvalidTransition};
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{ARTIFACT, ArtifactFilter, must_have_ended};

pub(super) fn begin(state: &mut State, claim: &Claim, execution: &Execution) -> Result<Vec<Deed>, StoreError> {
    guard(state, claim, &execution.run)?;
    insert(state, execution)?;
    Ok(vec![deeds::execution_begun(claim, execution)])
}

pub(super) fn publish(
    state: &mut State,
    claim: &Claim,
    execution: &Execution,
    log: &[LogLine],
) -> Result<Vec<Deed>, StoreError> {
    must_have_ended(execution)?;
    guard(state, claim, &execution.run)?;
    match state.executions.get_mut(&execution.id) {
        Some(begun) if begun.run == execution.run && begun.state == ExecutionState::Running => {
            begun.state = execution.state.clone();
        }
        Some(_) | None => insert(state, execution)?,
    }
    for artifact in execution.state.result().iter().flat_map(|result| result.outputs.values()) {
        match execution.state {
            ExecutionState::Succeeded { .. } => insert_artifact(state, artifact)?,
            ExecutionState::Cached { .. } => must_be_there(state, &artifact.id)?,
            // Neither has a result.
            ExecutionState::Running | ExecutionState::Failed { .. } => {}
        }
    }
    if !log.is_empty() {
        state.logs.insert(execution.id, log.to_vec());
    }
    Ok(vec![deeds::execution_published(claim, execution)])
}

fn insert(state: &mut State, execution: &Execution) -> Result<(), StoreError> {
    execution.inputs.values().flatten().try_for_each(|input| must_be_there(state, input))?;
    if state.executions.contains_key(&execution.id) {
        return Err(InvalidTransition { from: "past this execution", to: "record it again" }.into());
    }
    state.executions.insert(execution.id, execution.clone());
    Ok(())
}

/// An execution can not have to do with an artifact that was collected since somebody found it, or never was there.
fn must_be_there(state: &State, artifact: &ArtifactId) -> Result<(), StoreError> {
    if state.artifacts.contains_key(artifact) && !state.collected.contains(artifact) {
        return Ok(());
    }
    Err(StoreError::NotFound { what: ARTIFACT, id: artifact.to_string() })
}

fn insert_artifact(state: &mut State, artifact: &Artifact) -> Result<(), StoreError> {
    if state.artifacts.contains_key(&artifact.id) {
        return Err(InvalidTransition { from: "past this artifact", to: "record it again" }.into());
    }
    state.artifacts.insert(artifact.id, artifact.clone());
    Ok(())
}

pub(super) fn record_delivery(state: &mut State, claim: &Claim, artifact: &Artifact) -> Result<Vec<Deed>, StoreError> {
    guard(state, claim, &artifact.run)?;
    insert_artifact(state, artifact)?;
    Ok(vec![deeds::delivery_recorded(claim, artifact)])
}

pub(super) fn of_run(state: &State, run: &RunId) -> Vec<Execution> {
    let mut executions: Vec<Execution> =
        state.executions.values().filter(|execution| execution.run == *run).cloned().collect();
    executions.sort_by_key(|execution| (execution.started_at, execution.id));
    executions
}

pub(super) fn cached(state: &State, cache_key: &Digest) -> Option<Execution> {
    let hit = |execution: &&Execution| {
        let ExecutionState::Succeeded { result } = &execution.state else { return false };
        let mut outputs = result.outputs.values();
        execution.cache_key == *cache_key && !outputs.any(|artifact| state.collected.contains(&artifact.id))
    };
    state.executions.values().rev().find(hit).cloned()
}

pub(super) fn previous(state: &State, pipeline: &str, step: &str, before: &RunId) -> Option<Execution> {
    let earlier = |execution: &&Execution| {
        execution.pipeline == pipeline
            && execution.step == step
            && execution.run < *before
            && execution.state != ExecutionState::Running
    };
    state.executions.values().filter(earlier).max_by_key(|execution| (execution.run, execution.id)).cloned()
}

pub(super) fn artifacts(state: &State, filter: &ArtifactFilter) -> Vec<Artifact> {
    let wanted = |artifact: &&Artifact| {
        filter.pipeline.as_ref().is_none_or(|pipeline| artifact.pipeline == *pipeline)
            && filter.kind.as_ref().is_none_or(|kind| artifact.kind == *kind)
            && filter.digest.is_none_or(|digest| artifact.digest == digest)
            && filter.run.is_none_or(|run| artifact.run == run)
    };
    state.artifacts.values().rev().filter(wanted).take(super::page(filter.limit)).cloned().collect()
}
