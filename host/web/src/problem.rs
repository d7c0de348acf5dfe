//! Why a request is not answered as it was meant, with its status and the words for whoever sent it. What failed inside goes to the log,
//! never to the page.

use crate::access::issue::AccessError;
use crate::review::ReviewError;
use axum::http::StatusCode;
use countersign_ports::{DeskError, StoreError};
use std::error::Error;
use std::time::Duration;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Nobody that we know asks.
    #[error("sign in first")]
    NotSignedIn,
    /// They ask for something else than what they may, or than what exists.
    #[error("{message}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// For whoever asked.
        message: String,
    },
    /// They have to wait.
    #[error("too many wrong codes: wait {} s before the next", wait.as_secs().max(1))]
    Wait {
        /// How long.
        wait: Duration,
    },
    /// Something failed here.
    #[error("{operation}")]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Problem {
    fn refused(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Refused { status, message: message.into() }
    }

    /// Not what we read: 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, message)
    }

    /// Readable, and means nothing: 422.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// They may not: 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::FORBIDDEN, message)
    }

    /// Not there: 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::NOT_FOUND, message)
    }

    /// The state does not allow it: 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::CONFLICT, message)
    }

    /// Too large: 413.
    pub fn too_large() -> Self {
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "that is more than is read here")
    }

    /// Too slow: 408.
    pub fn too_slow() -> Self {
        Self::refused(StatusCode::REQUEST_TIMEOUT, "the rest of the request did not come in time")
    }

    /// In a form that is not read here: 415.
    pub fn wrong_type(wanted: &str) -> Self {
        Self::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send `{wanted}`"))
    }

    /// Slack did not say what it should: 502.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::BAD_GATEWAY, message)
    }

    /// Something failed here.
    pub fn failed(operation: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { operation, source: source.into() }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Refused { status, .. } => *status,
            Self::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The words for whoever asked.
    pub fn words(&self) -> String {
        match self {
            Self::NotSignedIn | Self::Refused { .. } | Self::Wait { .. } => self.to_string(),
            Self::Failed { .. } => {
                "something failed here, and the daemon's log says what: try again, or tell its operator".to_string()
            }
        }
    }

    /// Logs what failed, once, here.
    pub fn log(&self, path: &str) {
        if let Self::Failed { operation, source } = self {
            let mut causes = vec![source.to_string()];
            let mut cause = source.source();
            while let Some(error) = cause {
                causes.push(error.to_string());
                cause = error.source();
            }
            tracing::error!(http.route = path, error = causes.join(": "), "answering a request failed: {operation}");
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what, id } => Self::not_found(format!("there is no {what} `{id}`")),
            StoreError::OtherEvidence { given, shown } => Self::conflict(format!(
                "you were shown evidence {given}, but the request shows {shown} now: look at it again"
            )),
            StoreError::Transition(transition) => Self::conflict(transition.to_string()),
            StoreError::Database { .. }
            | StoreError::Nonsense { .. }
            | StoreError::LostClaim { .. }
            | StoreError::Document(_) => Self::failed("use the store", error),
        }
    }
}

impl From<ReviewError> for Problem {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NotFound(what) => Self::not_found(format!("there is no {what}")),
            ReviewError::Store(error) => error.into(),
            ReviewError::Unreadable { .. } => Self::failed("read what is to be shown", error),
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Store(error) => error.into(),
            DeskError::Impossible(why) => Self::conflict(why),
            DeskError::Engine { operation, source } => Self::Failed { operation, source },
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        Self::failed("make a credential", error)
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Self::failed("render a page", error)
    }
}
