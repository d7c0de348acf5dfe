//! Retention: which runs are old, what they hold, who else needs that, and marking what is given up.

use super::MemoryStore;
use super::state::{QueuedRun, State};
use crate::deeds::{self, Deed};
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::execution::Execution;
use countersign_model::id::{ArtifactId, ExecutionId, RunId};
use countersign_model::run::{RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::retention_store::{Collected, Collecting, Holding, Holdings, Keep, Need, Standing};
use countersign_ports::{RetentionStore, StoreError};
use std::collections::{BTreeSet, HashSet};

#[async_trait]
impl RetentionStore for MemoryStore {
    async fn expired_runs(&self, pipeline: &str, keep: &Keep) -> Result<Vec<RunId>, StoreError> {
        Ok(expired(&self.state(), pipeline, keep))
    }

    async fn holdings(&self, run: &RunId) -> Result<Holdings, StoreError> {
        let state = self.state();
        let holding = |id: &ArtifactId| {
            let artifact = state.artifacts.get(id).filter(|_| !state.collected.contains(id))?;
            Some(Holding { id: *id, kind: artifact.kind.clone(), digest: artifact.digest })
        };
        let artifacts = held(&state, run).iter().filter_map(holding).collect();
        Ok(Holdings { logs: logs(&state, run).len() as u64, artifacts })
    }

    async fn needed(&self, need: Need) -> Result<HashSet<ArtifactId>, StoreError> {
        Ok(needed(&self.state(), need))
    }

    async fn user(&self, artifact: &ArtifactId, besides: &HashSet<RunId>) -> Result<Option<RunId>, StoreError> {
        Ok(users(&self.state(), artifact).find(|run| !besides.contains(run)))
    }

    async fn collect(&self, runs: &[Collecting], by: &Actor, at: Timestamp) -> Result<Vec<Collected>, StoreError> {
        self.write(|state, _| {
            let collected: Vec<Collected> = runs.iter().filter_map(|run| collect(state, run)).collect();
            let deeds: Vec<Deed> = collected.iter().map(|gone| deeds::run_collected(gone, by, at)).collect();
            Ok((collected, deeds))
        })
    }

    async fn standing(&self, digest: &Digest, besides: &HashSet<ArtifactId>) -> Result<Standing, StoreError> {
        let state = self.state();
        let of_digest = || state.artifacts.values().filter(|artifact| artifact.digest == *digest);
        if of_digest().any(|artifact| !state.collected.contains(&artifact.id) && !besides.contains(&artifact.id)) {
            return Ok(Standing::Held);
        }
        let newest = of_digest().next_back().map(|artifact| artifact.created_at);
        Ok(newest.map_or(Standing::Unknown, |newest| Standing::Given { newest }))
    }
}

fn expired(state: &State, pipeline: &str, keep: &Keep) -> Vec<RunId> {
    let of_pipeline = || state.runs.values().rev().filter(|queued| queued.run.pipeline == pipeline);
    let newest = of_pipeline().take(keep.newest as usize).map(|queued| queued.run.id);
    let newest_sound = of_pipeline().filter(is_sound).take(keep.newest as usize).map(|queued| queued.run.id);
    let kept: BTreeSet<RunId> = newest.chain(newest_sound).collect();
    let pushed = |run: &RunId| state.pushes.values().any(|push| push.run == *run);
    let asked = |run: &RunId| requests(state).any(|request| request.run == *run && is_standing(request));
    let mut expired: Vec<(Timestamp, RunId)> = of_pipeline()
        .filter_map(|queued| Some((queued.run.ended_at?, queued.run.id)))
        .filter(|(ended_at, run)| *ended_at < keep.since && !kept.contains(run))
        .filter(|(_, run)| !state.collected_runs.contains(run) && !pushed(run) && !asked(run))
        .collect();
    expired.sort();
    expired.into_iter().map(|(_, run)| run).collect()
}

fn is_sound(queued: &&QueuedRun) -> bool {
    !matches!(queued.run.state, RunState::Ended { end: RunEnd::Failed { .. } | RunEnd::Blocked { .. } })
}

fn requests(state: &State) -> impl Iterator<Item = &SignoffRequest> {
    state.requests.values().map(|posted| &posted.request)
}

fn is_standing(request: &SignoffRequest) -> bool {
    matches!(request.state, RequestState::Open | RequestState::Approved)
}

fn touched(execution: &Execution) -> impl Iterator<Item = ArtifactId> {
    let outputs = execution.state.result().into_iter().flat_map(|result| result.outputs.values());
    execution.inputs.values().flatten().copied().chain(outputs.map(|artifact| artifact.id))
}

/// What the run read or made.
fn held(state: &State, run: &RunId) -> BTreeSet<ArtifactId> {
    let executions = state.executions.values().filter(|execution| execution.run == *run);
    let own = state.artifacts.values().filter(|artifact| artifact.run == *run).map(|artifact| artifact.id);
    executions.flat_map(touched).chain(own).collect()
}

/// Its executions that have a log.
fn logs(state: &State, run: &RunId) -> Vec<ExecutionId> {
    let of_run = |id: &&ExecutionId| state.executions.get(*id).is_some_and(|execution| execution.run == *run);
    state.logs.keys().filter(of_run).copied().collect()
}

fn users(state: &State, artifact: &ArtifactId) -> impl Iterator<Item = RunId> {
    let not_collected = |run: &&RunId| !state.collected_runs.contains(*run);
    state.runs.keys().rev().filter(not_collected).filter(|run| held(state, run).contains(artifact)).copied()
}

fn needed(state: &State, need: Need) -> HashSet<ArtifactId> {
    let runs: BTreeSet<RunId> = match need {
        Need::Pushed => state.pushes.values().map(|push| push.run).collect(),
        Need::Asked => requests(state).filter(|request| is_standing(request)).map(|request| request.run).collect(),
        Need::UnderWay => {
            state.runs.values().filter(|queued| queued.run.ended_at.is_none()).map(|queued| queued.run.id).collect()
        }
    };
    let mut next: Vec<ArtifactId> = runs.iter().flat_map(|run| held(state, run)).collect();
    if need == Need::Pushed {
        let pushed: BTreeSet<Digest> = state.pushes.values().map(|push| push.model).collect();
        let models = state.artifacts.values().filter(|artifact| pushed.contains(&artifact.digest));
        next.extend(models.map(|artifact| artifact.id));
    }
    let mut needed = HashSet::new();
    while let Some(artifact) = next.pop() {
        if needed.insert(artifact) {
            let maker = state.artifacts.get(&artifact).and_then(|artifact| artifact.execution);
            let maker = maker.and_then(|execution| state.executions.get(&execution));
            next.extend(maker.into_iter().flat_map(|execution| execution.inputs.values().flatten()));
        }
    }
    needed
}

fn collect(state: &mut State, collecting: &Collecting) -> Option<Collected> {
    let run = state.runs.get(&collecting.run).filter(|queued| queued.run.ended_at.is_some())?.run.id;
    if !state.collected_runs.insert(run) {
        return None;
    }
    let logs = logs(state, &run);
    for execution in &logs {
        state.logs.remove(execution);
    }
    let mut gone = Collected { run, logs: logs.len() as u64, artifacts: Vec::new() };
    for artifact in &collecting.artifacts {
        let is_free = users(state, artifact).next().is_none();
        if is_free && state.artifacts.contains_key(artifact) && state.collected.insert(*artifact) {
            gone.artifacts.push(*artifact);
        }
    }
    Some(gone)
}
