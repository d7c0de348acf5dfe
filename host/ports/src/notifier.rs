//! Delivers messages from the outbox.

use async_trait::async_trait;
use countersign_model::id::{NoticeId, RunId};
use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A message to deliver, written in the transaction of what it tells of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Its identifier; a delivery carries it, so that a lost reply never makes two.
    pub id: NoticeId,
    /// The run it is about.
    pub run: RunId,
    /// `terminal`, or `slack:#channel`.
    pub channel: String,
    /// What it tells.
    pub message: Message,
    /// When it was written.
    pub created_at: Timestamp,
    /// Deliveries tried.
    pub attempts: u32,
}

/// What a notice tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "kebab-case")]
pub enum Message {
    /// A person is wanted.
    SignoffRequested {
        /// The request.
        request: countersign_model::id::RequestId,
        /// Its evidence digest.
        evidence: countersign_model::digest::Digest,
    },
    /// A decision was recorded.
    DecisionRecorded {
        /// The decision.
        decision: countersign_model::decision::Decision,
    },
    /// A run ended.
    RunEnded {
        /// How.
        end: countersign_model::run::RunEnd,
    },
    /// A request that was posted stands differently without a decision: superseded, expired, void, cancelled, overdue.
    RequestChanged {
        /// The request.
        request: countersign_model::id::RequestId,
    },
    /// Nobody decided for a while.
    Reminder {
        /// The request.
        request: countersign_model::id::RequestId,
    },
    /// Nobody decided for too long.
    Escalation {
        /// The request.
        request: countersign_model::id::RequestId,
        /// Whom to tell: `@ml-leads`, `#ml-leads`.
        to: String,
    },
    /// A run found something worth a look that stopped nothing.
    Warned {
        /// Step and finding.
        findings: Vec<(String, countersign_model::finding::Finding)>,
    },
    /// A model went live.
    Pushed {
        /// Where and what.
        push: countersign_model::push::Push,
    },
}

/// Why a delivery did not work, and whether to try again.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Try again, not before `retry_after_seconds`.
    #[error("deliver notice: {reason}")]
    Later {
        /// Why.
        reason: String,
        /// How long to wait.
        retry_after_seconds: u64,
    },
    /// Never.
    #[error("deliver notice: {reason}")]
    Never {
        /// Why.
        reason: String,
    },
}

/// Delivers notices of one kind of channel.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whether this notifier serves that channel.
    fn serves(&self, channel: &str) -> bool;
    /// Delivers; delivering the same notice twice must show once.
    async fn deliver(&self, notice: &Notice) -> Result<(), NotifyError>;
}
