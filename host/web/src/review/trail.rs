//! What a run did: its executions in order, the newest try of each step, and the artifacts they made and read.

use super::sources::{ReviewError, Sources};
use countersign_model::artifact::Artifact;
use countersign_model::digest::Digest;
use countersign_model::execution::Execution;
use countersign_model::id::{ArtifactId, RunId};
use std::collections::BTreeMap;

/// The newest try of each step of one run, in the order in which they began.
pub(super) struct Trail {
    /// One execution a step.
    pub(super) executions: Vec<Execution>,
    /// Artifacts that were read but not made in this run: deliveries and history.
    pub(super) read: BTreeMap<ArtifactId, Artifact>,
}

impl Trail {
    /// Of a run.
    pub(super) async fn load(sources: &Sources, run: &RunId) -> Result<Self, ReviewError> {
        let mut executions: Vec<Execution> = Vec::new();
        for execution in sources.store.executions(run).await? {
            match executions.iter_mut().find(|other| other.step == execution.step) {
                Some(earlier) => *earlier = execution,
                None => executions.push(execution),
            }
        }
        let mut trail = Self { executions, read: BTreeMap::new() };
        let inputs: Vec<ArtifactId> =
            trail.executions.iter().flat_map(|execution| execution.inputs.values().flatten().copied()).collect();
        for id in inputs {
            if trail.artifact(&id).is_none()
                && let Some(artifact) = sources.store.artifact(&id).await?
            {
                trail.read.insert(id, artifact);
            }
        }
        Ok(trail)
    }

    /// Everything that steps made, with the step.
    pub(super) fn made(&self) -> impl Iterator<Item = (&Execution, &Artifact)> {
        self.executions.iter().flat_map(|execution| {
            let outputs = execution.state.result().into_iter().flat_map(|result| result.outputs.values());
            outputs.map(move |artifact| (execution, artifact))
        })
    }

    /// An artifact that a step made or read.
    pub(super) fn artifact(&self, id: &ArtifactId) -> Option<&Artifact> {
        self.made().map(|(_, artifact)| artifact).find(|artifact| artifact.id == *id).or_else(|| self.read.get(id))
    }

    /// The newest artifact of a kind that a step made, with that step's execution; of the given digests only, if any are given.
    pub(super) fn of_kind(&self, kind: &str, among: Option<&[Digest]>) -> Option<(&Execution, &Artifact)> {
        self.made()
            .filter(|(_, artifact)| artifact.kind.as_str() == kind)
            .filter(|(_, artifact)| among.is_none_or(|digests| digests.contains(&artifact.digest)))
            .last()
    }
}
