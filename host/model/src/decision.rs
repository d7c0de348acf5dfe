//! Requests for a person's decision, and the decisions.

use crate::actor::Actor;
use crate::conditions::Conditions;
use crate::digest::Digest;
use crate::finding::Verdict;
use crate::id::{DecisionId, RequestId, RunId};
use crate::policy::SignoffPolicy;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionKind {
    /// Yes.
    Approve,
    /// No: the run ends.
    Reject,
    /// Not yet.
    Hold,
    /// Yes although a check failed: needs a reason and is shown as such for ever.
    Override,
}

impl DecisionKind {
    /// Whether it counts towards the quorum.
    pub fn approves(self) -> bool {
        matches!(self, Self::Approve | Self::Override)
    }

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Hold => "hold",
            Self::Override => "override",
        }
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a decision was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The command line.
    Terminal,
    /// The reviewer's page.
    Page,
    /// A Slack button.
    Slack,
}

impl Channel {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Page => "page",
            Self::Slack => "slack",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request for a decision: one gate of one run, on one evidence document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignoffRequest {
    /// Its identifier.
    pub id: RequestId,
    /// The run that waits.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// The gate's step name.
    pub gate: String,
    /// The rules it was posted under.
    pub policy: SignoffPolicy,
    /// The evidence document, canonical JSON text, exactly as shown and signed.
    pub evidence: String,
    /// Its digest.
    pub evidence_digest: Digest,
    /// The candidate's artifact digest.
    pub model_digest: Digest,
    /// The evidence's heaviest verdict: on `fail` only an override helps.
    pub verdict: Verdict,
    /// Random, 32 hexadecimal digits: with the identifier it is what a Slack button carries, and nobody guesses it.
    pub nonce: String,
    /// Where it stands.
    pub state: RequestState,
    /// When it was posted; deadlines count from here.
    pub posted_at: Timestamp,
    /// Reminders, escalation and overdue note so far.
    pub progress: crate::deadline::Progress,
}

impl SignoffRequest {
    /// What a button carries: `req_….nonce`.
    pub fn handle(&self) -> String {
        format!("{}.{}", self.id, self.nonce)
    }
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum RequestState {
    /// Waiting for people.
    Open,
    /// Approved by all who must.
    Approved,
    /// Rejected.
    Rejected,
    /// Overtaken by a newer candidate.
    Superseded {
        /// The run of the newer candidate.
        by: RunId,
    },
    /// Nobody decided in time and the policy rejects then.
    Expired,
    /// The run was stopped.
    Cancelled,
    /// A permit was refused because the world changed; a new request took its place.
    Void {
        /// Why.
        reason: String,
    },
}

impl RequestState {
    /// The stored name.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Superseded { .. } => "superseded",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Void { .. } => "void",
        }
    }
}

/// One decision by one person on one evidence digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its identifier.
    pub id: DecisionId,
    /// What it answers.
    pub request: RequestId,
    /// What they said.
    pub kind: DecisionKind,
    /// Who.
    pub actor: Actor,
    /// The person behind the account; the actor's text when none is listed.
    pub person: String,
    /// What they could sign as at that moment, sorted.
    pub roles: Vec<String>,
    /// Where.
    pub channel: Channel,
    /// Whether a second factor was shown.
    pub second_factor: bool,
    /// Why.
    pub reason: String,
    /// Under which conditions; push obeys them.
    pub conditions: Conditions,
    /// The evidence that they saw.
    pub evidence_digest: Digest,
    /// The signed statement: a DSSE envelope as JSON text.
    pub envelope: Option<String>,
    /// Came after the request was closed: recorded, without effect.
    pub late: bool,
    /// When.
    pub at: Timestamp,
}
