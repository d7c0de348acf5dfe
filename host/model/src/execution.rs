//! Executions: one attempt at one step.

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::finding::{Finding, Verdict};
use crate::fingerprint::Fingerprint;
use crate::id::{ArtifactId, ExecutionId, RunId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One attempt at one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Its identifier.
    pub id: ExecutionId,
    /// The run.
    pub run: RunId,
    /// The pipeline.
    pub pipeline: String,
    /// The step.
    pub step: String,
    /// 1, 2, ...
    pub attempt: u32,
    /// The component's name and version, for people.
    pub component: String,
    /// What determines the outputs.
    pub fingerprint: Fingerprint,
    /// The cache key: the fingerprint's digest.
    pub cache_key: Digest,
    /// Digest over the inputs that come from this run; see [`crate::resolver::Resolver`].
    pub own_inputs: Digest,
    /// Input artifacts by port.
    pub inputs: BTreeMap<String, Vec<ArtifactId>>,
    /// The parameters object.
    pub parameters: serde_json::Value,
    /// Why it had to run, in words: `first run`, `examples changed`.
    pub why: String,
    /// Where it stands.
    pub state: ExecutionState,
    /// When it began.
    pub started_at: Timestamp,
}

/// Where an execution stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum ExecutionState {
    /// Begun; if its process died, nothing of it is visible.
    Running,
    /// Done, with outputs.
    Succeeded {
        /// What it made and found.
        result: StepResult,
    },
    /// Not run: an earlier execution's outputs were verified and used.
    Cached {
        /// That execution.
        from: ExecutionId,
        /// Its run.
        from_run: RunId,
        /// What it made and found.
        result: StepResult,
    },
    /// Did not work.
    Failed {
        /// The error.
        error: StepError,
        /// When.
        ended_at: Timestamp,
    },
}

impl ExecutionState {
    /// The stored name.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded { .. } => "succeeded",
            Self::Cached { .. } => "cached",
            Self::Failed { .. } => "failed",
        }
    }

    /// The result, when there is one.
    pub fn result(&self) -> Option<&StepResult> {
        match self {
            Self::Succeeded { result } | Self::Cached { result, .. } => Some(result),
            Self::Running | Self::Failed { .. } => None,
        }
    }
}

/// What an execution made and found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// One short line.
    pub summary: String,
    /// What the check concluded; `Pass` where nothing was found.
    pub verdict: Verdict,
    /// Findings after the step's `on` table.
    pub findings: Vec<Finding>,
    /// Numbers worth keeping.
    pub metrics: BTreeMap<String, f64>,
    /// Outputs by port.
    pub outputs: BTreeMap<String, Artifact>,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// Why an execution failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// Stable code: `invalid-input`, `refused`, `transient`, `bug`, `trap`, `limit.memory`, `limit.time`, `limit.output`,
    /// `output.missing`, `output.kind`, `input.changed`, ...
    pub code: String,
    /// One or a few sentences: what, where, and what to do.
    pub message: String,
    /// Backtrace, last lines of standard error: for who wants more.
    pub detail: String,
    /// Whether trying again may help.
    pub transient: bool,
}

/// One line of a step's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn`, `error`, `stdout` or `stderr`.
    pub level: String,
    /// The message.
    pub message: String,
    /// Fields.
    pub fields: BTreeMap<String, String>,
}
