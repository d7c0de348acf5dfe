//! Runs and the transitions they allow. A transition consumes the state and answers the next, or says why not.

use crate::actor::Actor;
use crate::digest::Digest;
use crate::event::Cause;
use crate::id::{EventId, RequestId, RunId, WorkerId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One execution of a whole pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its identifier.
    pub id: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// The pinned definition.
    pub pipeline_digest: Digest,
    /// The event that started it.
    pub event: EventId,
    /// Why.
    pub cause: Cause,
    /// Who or what.
    pub started_by: Actor,
    /// The delivery of data it is about.
    pub span: Option<String>,
    /// Runs of a higher priority are claimed first.
    #[serde(default)]
    pub priority: i32,
    /// Where it stands.
    pub state: RunState,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum RunState {
    /// Nobody works on it yet, or a decision just let it go on.
    Queued,
    /// A worker holds it.
    Running,
    /// Waits for people: one row, no lease.
    Waiting {
        /// The request they answer.
        request: RequestId,
    },
    /// Over.
    Ended {
        /// How.
        end: RunEnd,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "lowercase")]
pub enum RunEnd {
    /// Every step is done.
    Succeeded,
    /// A step failed.
    Failed {
        /// The step.
        step: String,
        /// What a person should read.
        message: String,
    },
    /// A check said no.
    Blocked {
        /// The step.
        step: String,
        /// The blocking findings' messages.
        reasons: Vec<String>,
    },
    /// A person said no.
    Rejected {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A newer candidate reached the same gate.
    Superseded {
        /// Its run.
        by: RunId,
    },
    /// Nobody decided in time.
    Expired,
    /// A later run of the pipeline took its place before it was done, because the pipeline says so.
    Replaced {
        /// That run.
        by: RunId,
    },
    /// A person stopped it.
    Cancelled {
        /// Who.
        by: Actor,
    },
}

impl RunEnd {
    /// The stored name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Blocked { .. } => "blocked",
            Self::Rejected { .. } => "rejected",
            Self::Superseded { .. } => "superseded",
            Self::Expired => "expired",
            Self::Replaced { .. } => "replaced",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// A transition that the state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("run is {from}: it can not {to}")]
pub struct InvalidTransition {
    /// The state it was in.
    pub from: &'static str,
    /// What was asked of it.
    pub to: &'static str,
}

impl RunState {
    /// The stored name.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting { .. } => "waiting",
            Self::Ended { end } => end.as_str(),
        }
    }

    /// Whether it is over.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// Whether it ended without having done its work: it failed, or was stopped.
    pub fn came_to_nothing(&self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Waiting { .. } => false,
            Self::Ended { end } => match end {
                RunEnd::Failed { .. } | RunEnd::Replaced { .. } | RunEnd::Cancelled { .. } => true,
                RunEnd::Succeeded
                | RunEnd::Blocked { .. }
                | RunEnd::Rejected { .. }
                | RunEnd::Superseded { .. }
                | RunEnd::Expired => false,
            },
        }
    }

    /// A worker takes it: a queued one, or a running one whose lease ran out.
    ///
    /// # Errors
    /// When it waits or is over.
    pub fn claim(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Queued | Self::Running => Ok(Self::Running),
            Self::Waiting { .. } | Self::Ended { .. } => {
                Err(InvalidTransition { from: self.status(), to: "be claimed" })
            }
        }
    }

    /// Its worker leaves it to people.
    ///
    /// # Errors
    /// When no worker holds it.
    pub fn wait(self, request: RequestId) -> Result<Self, InvalidTransition> {
        match self {
            Self::Running => Ok(Self::Waiting { request }),
            Self::Queued | Self::Waiting { .. } | Self::Ended { .. } => {
                Err(InvalidTransition { from: self.status(), to: "wait for people" })
            }
        }
    }

    /// A decision, or an expiry, lets it go on.
    ///
    /// # Errors
    /// When it does not wait for that request.
    pub fn resume(self, answered: RequestId) -> Result<Self, InvalidTransition> {
        match self {
            Self::Waiting { request } if request == answered => Ok(Self::Queued),
            Self::Queued | Self::Running | Self::Waiting { .. } | Self::Ended { .. } => {
                Err(InvalidTransition { from: self.status(), to: "go on" })
            }
        }
    }

    /// It ends.
    ///
    /// # Errors
    /// When it is over already.
    pub fn end(self, end: RunEnd) -> Result<Self, InvalidTransition> {
        match self {
            Self::Queued | Self::Running | Self::Waiting { .. } => Ok(Self::Ended { end }),
            Self::Ended { .. } => Err(InvalidTransition { from: self.status(), to: "end again" }),
        }
    }
}

/// A worker's hold on a run. Every write it makes carries it; a write whose epoch is not the newest is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// The worker.
    pub worker: WorkerId,
    /// Fencing token: one more at every claim.
    pub epoch: i64,
}
