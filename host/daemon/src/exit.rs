//! Exit codes, documented in the README: scripts rely on them.

use countersign_model::run::{RunEnd, RunState};
use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed.
    Failed,
    /// 2: the command line, a pipeline or a setting is wrong.
    Usage,
    /// 3: a check blocked the run.
    Blocked,
    /// 4: people have to decide.
    Waiting,
    /// 5: somebody rejected the candidate.
    Rejected,
}

impl Exit {
    /// What a run's state means for whoever started it.
    pub fn of(state: &RunState) -> Self {
        match state {
            RunState::Waiting { .. } => Self::Waiting,
            RunState::Queued | RunState::Running => Self::Failed,
            RunState::Ended { end } => match end {
                RunEnd::Succeeded => Self::Done,
                RunEnd::Blocked { .. } => Self::Blocked,
                RunEnd::Rejected { .. } | RunEnd::Expired => Self::Rejected,
                RunEnd::Failed { .. }
                | RunEnd::Superseded { .. }
                | RunEnd::Replaced { .. }
                | RunEnd::Cancelled { .. } => Self::Failed,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Blocked => 3,
            Exit::Waiting => 4,
            Exit::Rejected => 5,
        })
    }
}
