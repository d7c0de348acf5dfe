//! What stops the orchestrator itself, as opposed to a step (that is a [`StepError`]).

use countersign_model::digest::Digest;
use countersign_model::execution::StepError;
use countersign_ports::{ArtifactStoreError, AttestError, StoreError};

/// What goes wrong while carrying a run.
#[derive(Debug, thiserror::Error)]
pub enum OrchestratorError {
    /// The metadata store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The artifact store.
    #[error(transparent)]
    Artifacts(#[from] ArtifactStoreError),
    /// A statement can not be signed.
    #[error(transparent)]
    Attest(#[from] AttestError),
    /// A document could not be written or read.
    #[error("{document}")]
    Document {
        /// Which.
        document: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file operation failed.
    #[error("{operation}: {path}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A task of the engine's own died.
    #[error("{operation}")]
    Task {
        /// What it did.
        operation: &'static str,
        /// How it died.
        source: tokio::task::JoinError,
    },
    /// The run can not go on as it is defined.
    #[error("run {run}: {problem}")]
    Definition {
        /// The run.
        run: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl OrchestratorError {
    /// Whether trying again can not help: the run ends with it instead of waiting for the next worker.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Artifacts(error) => match error {
                ArtifactStoreError::Missing(_)
                | ArtifactStoreError::Corrupt { .. }
                | ArtifactStoreError::Unfit { .. } => true,
                ArtifactStoreError::Io { .. } => false,
            },
            Self::Document { .. } | Self::Definition { .. } => true,
            Self::Store(_) | Self::Io { .. } | Self::Attest(_) | Self::Task { .. } => false,
        }
    }

    /// The artifact whose bytes are gone or are not what was published, when that is what went wrong.
    pub(crate) fn damaged(&self) -> Option<Digest> {
        match self {
            Self::Artifacts(ArtifactStoreError::Missing(digest) | ArtifactStoreError::Corrupt { digest, .. }) => {
                Some(*digest)
            }
            Self::Artifacts(ArtifactStoreError::Io { .. } | ArtifactStoreError::Unfit { .. })
            | Self::Store(_)
            | Self::Attest(_)
            | Self::Document { .. }
            | Self::Io { .. }
            | Self::Task { .. }
            | Self::Definition { .. } => None,
        }
    }
}

/// What ends a step: its own error, or the orchestrator's.
#[derive(Debug)]
pub(crate) enum StepFailure {
    /// Recorded with the execution; the run ends as failed.
    Step(StepError),
    /// The step may be tried again by whoever claims the run next.
    Engine(OrchestratorError),
}

impl From<OrchestratorError> for StepFailure {
    fn from(error: OrchestratorError) -> Self {
        Self::Engine(error)
    }
}

impl From<StoreError> for StepFailure {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<StepError> for StepFailure {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

/// A document of ours that can not be written.
pub(crate) fn document(source: serde_json::Error) -> OrchestratorError {
    OrchestratorError::Document { document: "write canonical JSON", source }
}

/// A step error of the host's making.
pub(crate) fn step_error(code: &str, message: impl Into<String>) -> StepError {
    StepError { code: code.to_string(), message: message.into(), detail: String::new(), transient: false }
}
