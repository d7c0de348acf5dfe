//! What goes wrong between us and Slack. Texts never hold a token, an address with a ticket in it, or a body.

use countersign_ports::StoreError;

/// Why something with Slack did not work.
#[derive(Debug, thiserror::Error)]
pub enum SlackError {
    /// A setting without which the part must not start.
    #[error("set up slack: `{key}` is missing or empty: {remedy}")]
    Missing {
        /// The key in `countersign.toml`.
        key: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A setting that can not be right.
    #[error("set up slack: `{key}` {problem}")]
    Unfit {
        /// The key in `countersign.toml`.
        key: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// The HTTP client can not be made.
    #[error("set up slack: http client")]
    HttpClient(#[source] reqwest::Error),
    /// Slack asks to wait.
    #[error("call {method}: rate limited, again in {retry_after_seconds} s")]
    RateLimited {
        /// The Web API method.
        method: &'static str,
        /// Exactly what Slack said, or what is left of it.
        retry_after_seconds: u64,
    },
    /// Slack answered no.
    #[error("call {method}: {error}{}", .needed.as_ref().map(|scope| format!(" (needs scope {scope})")).unwrap_or_default())]
    Refused {
        /// The Web API method.
        method: &'static str,
        /// Slack's error name.
        error: String,
        /// The scope that it asks for.
        needed: Option<String>,
    },
    /// No answer, or half of one: what was asked may have been done all the same.
    #[error("call {method}: no answer")]
    Transport {
        /// The Web API method.
        method: &'static str,
        /// Why, without the address.
        source: reqwest::Error,
    },
    /// An answer that is none.
    #[error("call {method}: {problem}")]
    Unreadable {
        /// The Web API method.
        method: &'static str,
        /// What it was.
        problem: String,
    },
    /// A socket failed.
    #[error("{operation} socket")]
    Socket {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The record could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document could not be read or written as JSON.
    #[error("read document")]
    Document(#[from] serde_json::Error),
}

/// Errors of Slack that an operator can repair while the notice waits.
const REPAIRABLE: [&str; 20] = [
    "account_inactive",
    "app_missing_action_url",
    "channel_not_found",
    "enterprise_is_restricted",
    "invalid_auth",
    "is_archived",
    "method_not_supported_for_channel_type",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "not_in_channel",
    "org_login_required",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
    "user_not_in_channel",
];

/// What a refusal means for whoever wants the message delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Slack's own trouble: again soon.
    Soon,
    /// Somebody has to repair something first.
    AfterRepair,
    /// The same words again change nothing.
    Never,
}

impl SlackError {
    /// Whether the message may be out there although we got this.
    pub(crate) fn leaves_doubt(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Unreadable { .. } => true,
            Self::Refused { error, .. } => is_slacks_own_trouble(error),
            Self::Missing { .. }
            | Self::Unfit { .. }
            | Self::HttpClient(_)
            | Self::RateLimited { .. }
            | Self::Socket { .. }
            | Self::Store(_)
            | Self::Document(_) => false,
        }
    }

    /// Slack's error name, if it answered with one.
    pub(crate) fn slack_name(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What it means for a retry.
    pub(crate) fn outlook(&self) -> Outlook {
        match self {
            Self::Refused { error, .. } if is_slacks_own_trouble(error) => Outlook::Soon,
            Self::Refused { error, .. } if REPAIRABLE.contains(&error.as_str()) => Outlook::AfterRepair,
            Self::Refused { .. } | Self::Document(_) => Outlook::Never,
            Self::Missing { .. } | Self::Unfit { .. } => Outlook::AfterRepair,
            Self::HttpClient(_)
            | Self::RateLimited { .. }
            | Self::Transport { .. }
            | Self::Unreadable { .. }
            | Self::Socket { .. }
            | Self::Store(_) => Outlook::Soon,
        }
    }

    /// The error with its causes, in one line.
    pub(crate) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn is_slacks_own_trouble(error: &str) -> bool {
    matches!(error, "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org")
}
