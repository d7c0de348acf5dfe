//! Lineage: what went into an artifact and what came of it.

use crate::artifact::Artifact;
use crate::id::{ArtifactId, ExecutionId};
use serde::{Deserialize, Serialize};

/// Which way to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// What went into it.
    Upstream,
    /// What came of it.
    Downstream,
}

/// A part of the lineage graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Artifacts, the asked-for one first, then by distance.
    pub artifacts: Vec<Artifact>,
    /// Executions between them.
    pub executions: Vec<LineageExecution>,
    /// Edges.
    pub edges: Vec<LineageEdge>,
}

/// An execution in a lineage graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageExecution {
    /// Its identifier.
    pub id: ExecutionId,
    /// The step.
    pub step: String,
    /// Component name and version.
    pub component: String,
}

/// One edge: an input into an execution, or an output from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageEdge {
    /// The artifact.
    pub artifact: ArtifactId,
    /// The execution.
    pub execution: ExecutionId,
    /// The port.
    pub port: String,
    /// `true` when the execution made the artifact.
    pub output: bool,
}
