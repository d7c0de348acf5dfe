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
    /// An object store does not answer as it should.
    #[error("{operation}: {address}")]
    Object {
        /// What was tried.
        operation: &'static str,
        /// On what.
        address: String,
        /// Why not.
        source: ObjectError,
    },
}

/// Why objects can not be listed or read. The words are the same at every try that fails in the same way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// No such thing.
    #[error("there is no such bucket or object")]
    Missing,
    /// It is another one by now.
    #[error("the object was replaced meanwhile")]
    Changed,
    /// The key is wrong or may not do this.
    #[error("the server refuses the key of `[s3]`{}", code(.0))]
    Refused(String),
    /// The settings name one half of a key.
    #[error("`[s3]` has only one of `access_key_id` and `secret_access_key`: give both, or none for a public bucket")]
    HalfAKey,
    /// The server takes too long.
    #[error("the server did not answer in time")]
    Timeout,
    /// More objects than anybody should keep under one prefix.
    #[error("more than a million objects start like this: give deliveries a prefix of their own")]
    TooMany,
    /// The server answered with an error.
    #[error("the server answered {0}")]
    Status(String),
    /// Anything else, in the words of whoever met it.
    #[error("{0}")]
    Other(String),
}

fn code(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(" ({code})") }
}

impl ObjectError {
    /// What lies behind the library's error. Its own words hold times and counts, which are others at every try.
    pub(crate) fn of(error: object_store::Error) -> Self {
        use object_store::Error;
        let words = error.to_string();
        let code = words.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let code = code.map(|(code, _)| code.chars().take(60).collect::<String>()).unwrap_or_default();
        match error {
            Error::NotFound { .. } => Self::Missing,
            Error::Precondition { .. } | Error::NotModified { .. } => Self::Changed,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Refused(code),
            Error::Generic { source, .. } => match words.split_once("non-2xx status code: ") {
                Some((_, status)) => Self::of_status(status.split(':').next().unwrap_or_default(), code),
                None => {
                    let first: &dyn std::error::Error = &*source;
                    let root = std::iter::successors(Some(first), |error| error.source()).last().unwrap_or(first);
                    let root = root.to_string();
                    if root.contains("timed out") { Self::Timeout } else { Self::Other(root) }
                }
            },
            other => Self::Other(other.to_string()),
        }
    }

    fn of_status(status: &str, code: String) -> Self {
        match status.split(' ').next() {
            Some("401" | "403") => Self::Refused(code),
            Some("404") => Self::Missing,
            Some(_) | None if code.is_empty() => Self::Status(status.chars().take(60).collect()),
            Some(_) | None => Self::Status(code),
        }
    }
}

/// A backfill that can not be planned or started.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// The pipeline has no such source.
    #[error("find source: {pipeline} has none of the name `{name}`")]
    UnknownSource {
        /// The pipeline's name.
        pipeline: String,
        /// The source, as given.
        name: String,
    },
    /// Not a range of spans.
    #[error("read range of spans: {problem}")]
    Range {
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// The source can not be listed.
    #[error(transparent)]
    Arrival(#[from] ArrivalError),
    /// The metadata store failed.
    #[error("backfill")]
    Store(#[from] StoreError),
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
}

/// An error and its causes on one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
