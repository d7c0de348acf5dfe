//! Resolvers and lineage.

use super::state::State;
use crate::graph::{Link, assemble};
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::decision::RequestState;
use countersign_model::digest::Digest;
use countersign_model::execution::Execution;
use countersign_model::finding::Verdict;
use countersign_model::id::{ArtifactId, ExecutionId, RunId};
use countersign_model::lineage::{Direction, Lineage, LineageExecution};
use countersign_model::resolver::Resolver;
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::StoreError;
use countersign_ports::metadata_store::HistoryQuery;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn resolve(state: &State, query: &HistoryQuery) -> Vec<Artifact> {
    match &query.resolver {
        Resolver::Previous(kind) => {
            let history = |artifact: &&Artifact| {
                !state.collected.contains(&artifact.id)
                    && artifact.pipeline == query.pipeline
                    && artifact.kind == *kind
                    && runs_of(state, artifact).iter().any(|run| *run != query.run && is_sound(state, run))
                    && !is_skipped(state, query, artifact)
            };
            state.artifacts.values().rev().find(history).cloned().into_iter().collect()
        }
        Resolver::LatestApprovedModel => {
            let mut approved: Vec<_> = state
                .requests
                .values()
                .filter(|posted| posted.request.state == RequestState::Approved)
                .filter(|posted| posted.request.pipeline == query.pipeline && posted.request.run != query.run)
                .collect();
            approved.sort_by_key(|posted| Reverse((posted.closed_at, posted.request.id)));
            first_model(state, query, approved.iter().map(|posted| posted.request.model_digest))
        }
        Resolver::LatestPushedModel => {
            let mut pushed: Vec<_> = state
                .pushes
                .values()
                .filter(|push| push.completed_at.is_some())
                .filter(|push| push.pipeline == query.pipeline && push.run != query.run)
                .collect();
            pushed.sort_by_key(|push| Reverse((push.completed_at, push.id)));
            first_model(state, query, pushed.iter().map(|push| push.model))
        }
        Resolver::LastSpans(count) => last_spans(state, query, *count as usize),
    }
}

/// The first of the models that the asking step may take.
fn first_model(state: &State, query: &HistoryQuery, digests: impl Iterator<Item = Digest>) -> Vec<Artifact> {
    let found = |digest: Digest| {
        state
            .artifacts
            .values()
            .rev()
            .filter(|artifact| artifact.digest == digest && artifact.pipeline == query.pipeline)
            .filter(|artifact| artifact.kind.as_str() == ArtifactKind::MODEL && !state.collected.contains(&artifact.id))
            .find(|artifact| !is_skipped(state, query, artifact))
            .cloned()
    };
    digests.filter_map(found).take(1).collect()
}

fn last_spans(state: &State, query: &HistoryQuery, count: usize) -> Vec<Artifact> {
    let mut spans = BTreeMap::new();
    for artifact in state.artifacts.values() {
        if let Some(span) = &artifact.span
            && artifact.pipeline == query.pipeline
            && artifact.kind.as_str() == ArtifactKind::EXAMPLES
            && !state.collected.contains(&artifact.id)
            && runs_of(state, artifact).iter().any(|run| is_sound(state, run))
        {
            spans.insert(span, artifact);
        }
    }
    spans.into_values().rev().take(count).cloned().collect()
}

/// The skip rules of [`Resolver`].
fn is_skipped(state: &State, query: &HistoryQuery, artifact: &Artifact) -> bool {
    let made_from_the_same =
        |execution: &Execution| execution.step == query.step && execution.own_inputs == query.own_inputs;
    query.own_digests.contains(&artifact.digest)
        || artifact.execution.and_then(|id| state.executions.get(&id)).is_some_and(made_from_the_same)
}

/// The runs that an artifact came out of: made, or reused from the cache. A delivery's is its own.
fn runs_of(state: &State, artifact: &Artifact) -> Vec<RunId> {
    if artifact.execution.is_none() {
        return vec![artifact.run];
    }
    outputs(state).filter(|(_, _, id)| *id == artifact.id).map(|(execution, _, _)| execution.run).collect()
}

fn is_sound(state: &State, run: &RunId) -> bool {
    let went_wrong = state.runs.get(run).is_none_or(|queued| {
        matches!(queued.run.state, RunState::Ended { end: RunEnd::Failed { .. } | RunEnd::Blocked { .. } })
    });
    let failed_check = |execution: &Execution| {
        execution.run == *run && execution.state.result().is_some_and(|result| result.verdict == Verdict::Fail)
    };
    !went_wrong && !state.executions.values().any(failed_check)
}

/// Output edges: execution, port, artifact.
fn outputs(state: &State) -> impl Iterator<Item = (&Execution, &String, ArtifactId)> {
    state.executions.values().flat_map(|execution| {
        let outputs = execution.state.result().into_iter().flat_map(|result| &result.outputs);
        outputs.map(move |(port, artifact)| (execution, port, artifact.id))
    })
}

pub(super) fn lineage(
    state: &State,
    start: &ArtifactId,
    direction: Direction,
    limit: u32,
) -> Result<Lineage, StoreError> {
    if !state.artifacts.contains_key(start) {
        return Err(StoreError::NotFound { what: "artifact", id: start.to_string() });
    }
    let mut reached = BTreeSet::from([*start]);
    let mut frontier = vec![*start];
    let mut links = Vec::new();
    while let Some(artifact) = frontier.pop() {
        let found = match direction {
            Direction::Upstream => above(state, artifact),
            Direction::Downstream => below(state, artifact),
        };
        for link in &found {
            let next = match direction {
                Direction::Upstream => link.input.as_ref().map(|(input, _)| *input),
                Direction::Downstream => Some(link.output.0),
            };
            frontier.extend(next.filter(|next| reached.insert(*next)));
        }
        links.extend(found);
    }
    let artifacts = reached.iter().filter_map(|id| state.artifacts.get(id)).cloned().collect();
    Ok(assemble(*start, artifacts, links, direction, limit as usize))
}

fn describe(execution: &Execution) -> LineageExecution {
    LineageExecution { id: execution.id, step: execution.step.clone(), component: execution.component.clone() }
}

fn inputs(execution: &Execution) -> impl Iterator<Item = (ArtifactId, String)> {
    execution.inputs.iter().flat_map(|(port, ids)| ids.iter().map(move |id| (*id, port.clone())))
}

fn above(state: &State, id: ArtifactId) -> Vec<Link> {
    let Some(artifact) = state.artifacts.get(&id) else {
        return Vec::new();
    };
    let Some(maker) = artifact.execution.and_then(|execution| state.executions.get(&execution)) else {
        return Vec::new();
    };
    let link = |input| Link { execution: describe(maker), input, output: (id, artifact.output.clone()) };
    let links: Vec<Link> = inputs(maker).map(|input| link(Some(input))).collect();
    if links.is_empty() { vec![link(None)] } else { links }
}

/// Executions that took the same artifact to the same output again, from the cache, are folded into the first.
fn below(state: &State, id: ArtifactId) -> Vec<Link> {
    let mut first: BTreeMap<(String, ArtifactId, String), ExecutionId> = BTreeMap::new();
    for (execution, port, output) in outputs(state) {
        for (_, input_port) in inputs(execution).filter(|(input, _)| *input == id) {
            first.entry((input_port, output, port.clone())).or_insert(execution.id);
        }
    }
    let link = |((input_port, output, port), execution): ((String, ArtifactId, String), ExecutionId)| {
        let execution = state.executions.get(&execution)?;
        Some(Link { execution: describe(execution), input: Some((id, input_port)), output: (output, port) })
    };
    first.into_iter().filter_map(link).collect()
}
