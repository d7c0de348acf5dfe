//! What goes wrong with triggers.

use countersign_model::source::PatternError;
use countersign_ports::StoreError;
use std::path::PathBuf;

/// A schedule that can not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The expression is none.
    #[error("parse cron expression: `{expression}`: {problem}")]
    Expression {
        /// As given.
        expression: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// No such time zone.
    #[error("find time zone: `{zone}` is no IANA name{hint}")]
    Zone {
        /// As given.
        zone: String,
        /// The nearest name, in words.
        hint: String,
    },
}

/// A source whose deliveries can not be listed or read.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// Its path is no pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A file operation failed.
    #[error("{operation}: {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// What stops a tick. A single wrong trigger does not: it is logged, and the others go on.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// The metadata store failed.
    #[error("{operation}: {trigger}")]
    Store {
        /// What was tried.
        operation: &'static str,
        /// For which trigger.
        trigger: String,
        /// Why not.
        source: StoreError,
    },
    /// The thread that reads files died.
    #[error("read deliveries: {trigger}")]
    Reader {
        /// For which trigger.
        trigger: String,
        /// Why.
        source: tokio::task::JoinError,
    },
}
