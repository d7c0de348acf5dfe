//! Where the candidate comes from, as a list, as a graph, and as what it takes to make it again.

use super::trail::Trail;
use countersign_model::artifact::Artifact;
use countersign_model::evidence::Evidence;
use countersign_model::execution::{Execution, ExecutionState};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::run::Run;
use schemars::JsonSchema;
use serde::Serialize;

/// Where the candidate comes from.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Lineage {
    /// Steps in the order in which they ran.
    pub steps: Vec<LineageStep>,
    /// The graph's nodes: deliveries and history, then steps.
    pub nodes: Vec<GraphNode>,
    /// Its edges, from node to node by position.
    pub edges: Vec<(usize, usize)>,
    /// How to make it again.
    pub rebuild: Rebuild,
}

/// One step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineageStep {
    /// Its name.
    pub step: String,
    /// Component and version.
    pub component: String,
    /// Digest of the component's bytes.
    pub component_digest: String,
    /// The run from whose work this was taken over, when it did not run again.
    pub cached_from: Option<String>,
    /// What it read.
    pub read: Vec<Piece>,
    /// What it made.
    pub made: Vec<Piece>,
}

/// One artifact.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Piece {
    /// Its identifier.
    pub id: String,
    /// The port under which it is read or made.
    pub port: String,
    /// Its kind.
    pub kind: String,
    /// Its digest.
    pub digest: String,
    /// Where it was made: `step of run_…`, empty for this run's own.
    pub origin: String,
}

/// One node of the graph.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GraphNode {
    /// What it is called.
    pub label: String,
    /// A second line.
    pub detail: String,
    /// The artifact that it stands for, if it stands for one.
    pub artifact: Option<String>,
}

/// What it takes to make the candidate again.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Rebuild {
    /// Commands, in order.
    pub commands: Vec<String>,
    /// What has to be the same: name and digest.
    pub pinned: Vec<(String, String)>,
}

/// The lineage of a run.
pub(super) fn lineage(
    trail: &Trail,
    run: &Run,
    version: Option<&PipelineVersion>,
    evidence: Option<&Evidence>,
) -> Lineage {
    let (nodes, edges) = graph(trail);
    Lineage {
        steps: trail.executions.iter().map(|execution| step(trail, execution, run)).collect(),
        nodes,
        edges,
        rebuild: rebuild(trail, run, version, evidence),
    }
}

fn step(trail: &Trail, execution: &Execution, run: &Run) -> LineageStep {
    let inputs = execution.inputs.iter().flat_map(|(port, ids)| ids.iter().map(move |id| (port, id)));
    let read = inputs.filter_map(|(port, id)| Some(piece(port, trail.artifact(id)?, run))).collect();
    let outputs = execution.state.result().map(|result| &result.outputs);
    let cached_from = match &execution.state {
        ExecutionState::Cached { from_run, .. } => Some(from_run.to_string()),
        ExecutionState::Running | ExecutionState::Succeeded { .. } | ExecutionState::Failed { .. } => None,
    };
    LineageStep {
        step: execution.step.clone(),
        component: execution.component.clone(),
        component_digest: execution.fingerprint.component.to_string(),
        cached_from,
        read,
        made: outputs.into_iter().flatten().map(|(port, artifact)| piece(port, artifact, run)).collect(),
    }
}

pub(super) fn piece(port: &str, artifact: &Artifact, run: &Run) -> Piece {
    let own = artifact.run == run.id;
    Piece {
        id: artifact.id.to_string(),
        port: port.to_string(),
        kind: artifact.kind.to_string(),
        digest: artifact.digest.to_string(),
        origin: if own { String::new() } else { format!("{} of {}", artifact.step, artifact.run) },
    }
}

fn graph(trail: &Trail) -> (Vec<GraphNode>, Vec<(usize, usize)>) {
    let mut nodes: Vec<GraphNode> = Vec::new();
    let mut edges = Vec::new();
    let outside: Vec<&Artifact> = trail.read.values().collect();
    for artifact in &outside {
        let history = artifact.execution.is_some();
        let label = if history { format!("earlier {}", artifact.kind) } else { artifact.step.clone() };
        let detail = artifact.digest.short();
        nodes.push(GraphNode { label, detail, artifact: Some(artifact.id.to_string()) });
    }
    for (at, execution) in trail.executions.iter().enumerate() {
        let made = execution.state.result().and_then(|result| result.outputs.values().next());
        nodes.push(GraphNode {
            label: execution.step.clone(),
            detail: execution.component.clone(),
            artifact: made.map(|artifact| artifact.id.to_string()),
        });
        for id in execution.inputs.values().flatten() {
            let from_outside = outside.iter().position(|artifact| artifact.id == *id);
            let from_step = || {
                let makes = |maker: &&Execution| {
                    maker.state.result().is_some_and(|result| result.outputs.values().any(|made| made.id == *id))
                };
                trail.executions.iter().position(|maker| makes(&maker)).map(|maker| maker + outside.len())
            };
            let edge = from_outside.or_else(from_step).map(|from| (from, at + outside.len()));
            edges.extend(edge.filter(|edge| edge.0 != edge.1 && !edges.contains(edge)));
        }
    }
    (nodes, edges)
}

fn rebuild(trail: &Trail, run: &Run, version: Option<&PipelineVersion>, evidence: Option<&Evidence>) -> Rebuild {
    let mut pinned = vec![("pipeline definition".to_string(), run.pipeline_digest.to_string())];
    for artifact in trail.read.values() {
        let what = if artifact.execution.is_some() {
            artifact.kind.to_string()
        } else {
            format!("delivery {}", artifact.step)
        };
        pinned.push((what, artifact.digest.to_string()));
    }
    for execution in &trail.executions {
        pinned.push((execution.component.clone(), execution.fingerprint.component.to_string()));
    }
    pinned.dedup();
    let origin = version.map_or_else(|| run.pipeline.clone(), |version| version.origin.clone());
    let mut commands = vec![format!("countersign run {origin}")];
    let model = evidence.and_then(|evidence| trail.made().find(|(_, made)| made.digest == evidence.model));
    commands.extend(model.map(|(_, artifact)| format!("countersign explain {}", artifact.id)));
    Rebuild { commands, pinned }
}
