//! Runs components in the sandbox.

use async_trait::async_trait;
use bytes::Bytes;
use countersign_model::component::{Capability, Description, Limits};
use countersign_model::digest::Digest;
use countersign_model::execution::{LogLine, StepError};
use countersign_model::finding::Finding;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// A component's bytes. Built-ins are embedded in the binary, others are read from a directory.
#[derive(Clone)]
pub struct Component {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The `.wasm` file.
    pub wasm: Bytes,
    /// `built in`, or the file's path.
    pub origin: String,
}

/// Why a component can not be loaded or described.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// No component, or one for another interface: says the found and the wanted version and what to do.
    #[error("load component: {origin}: {problem}")]
    Unfit {
        /// Where it came from.
        origin: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Its `describe` failed or lied.
    #[error("describe component: {origin}: {problem}")]
    Describe {
        /// Where it came from.
        origin: String,
        /// What happened.
        problem: String,
    },
    /// The sandbox itself failed.
    #[error("sandbox: {operation}")]
    Sandbox {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// One input, mounted read-only.
#[derive(Debug, Clone)]
pub struct InputMount {
    /// Port name.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Whether the port takes several: mounted as `/in/<name>/<i>`, otherwise as `/in/<name>`.
    pub many: bool,
    /// Verified artifact directories, newest first.
    pub paths: Vec<PathBuf>,
}

/// One output: an empty staging directory, mounted writable as `/out/<name>`.
#[derive(Debug, Clone)]
pub struct OutputMount {
    /// Port name.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// The directory.
    pub path: PathBuf,
}

/// One call of `execute`.
#[derive(Clone)]
pub struct Invocation {
    /// What to run.
    pub component: Component,
    /// The parameters object.
    pub parameters: serde_json::Value,
    /// Bound inputs; unbound optional ones are left out.
    pub inputs: Vec<InputMount>,
    /// Every output.
    pub outputs: Vec<OutputMount>,
    /// Capabilities that the component asked for and the operator granted.
    pub grant: BTreeSet<Capability>,
    /// Limits.
    pub limits: Limits,
    /// From the fingerprint: seeds virtual randomness and clock.
    pub seed: u64,
    /// An empty directory for the query engine.
    pub scratch: PathBuf,
}

/// What a component answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentOutcome {
    /// One short line.
    pub summary: String,
    /// Findings as proposed.
    pub findings: Vec<Finding>,
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 where it is not known.
    pub total: u64,
    /// Plural noun.
    pub unit: String,
    /// Shown as it is.
    pub note: String,
}

/// Hears what a component says while it runs. Calls come from the component's thread: answer fast.
pub trait StepObserver: Send + Sync {
    /// A log line, standard output and error included.
    fn log(&self, line: LogLine);
    /// Progress.
    fn progress(&self, progress: Progress);
    /// A metric.
    fn metric(&self, name: String, value: f64);
}

/// Loads and runs components.
#[async_trait]
pub trait ComponentRunner: Send + Sync {
    /// Checks the component against our interface and asks it for its description, with no capability at all.
    async fn describe(&self, component: &Component) -> Result<Description, RunnerError>;

    /// Runs `execute` in a fresh instance. Limits, traps and the component's own errors all come back as a [`StepError`];
    /// the daemon is never harmed. Dropping the future stops the component within moments; the observer is held until nothing of it
    /// runs any more, so what only the observer owns is in nobody's use when it goes.
    async fn execute(
        &self,
        invocation: Invocation,
        observer: Arc<dyn StepObserver>,
    ) -> Result<ComponentOutcome, StepError>;
}
