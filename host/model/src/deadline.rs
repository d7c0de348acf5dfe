//! What is due at a request that waits: reminders, escalation, expiry. Everything counts from the posting, so that downtime neither
//! extends nor skips anything; and nothing that is due ever approves.

use crate::decision::{RequestState, SignoffRequest};
use crate::policy::ExpiryAction;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What has been done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Intervals of `remind` that are behind us, whether each had its reminder or several passed during downtime.
    pub reminded: u64,
    /// The escalation was sent.
    pub escalated: bool,
    /// The deadline passed and the policy holds.
    pub overdue: bool,
}

/// One thing that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Remind those who may decide.
    Remind,
    /// Tell those behind them.
    Escalate,
    /// The deadline passed and the policy holds: the request stays open and is shown as overdue.
    Overdue,
    /// The deadline passed and the policy rejects.
    Expire,
}

impl SignoffRequest {
    /// What comes next and when; none for a closed request, or when nothing is left to come.
    pub fn next_due(&self) -> Option<(Timestamp, Due)> {
        if self.state != RequestState::Open {
            return None;
        }
        let after = |seconds| self.posted_at.plus(Duration::from_secs(seconds));
        let expire = self.policy.expire.as_ref().and_then(|expiry| {
            let due = match expiry.then {
                ExpiryAction::Hold => Due::Overdue,
                ExpiryAction::Reject => Due::Expire,
            };
            (!self.progress.overdue).then(|| (expiry.deadline(self.posted_at), due))
        });
        let escalate = self.policy.escalate.as_ref().filter(|_| !self.progress.escalated);
        let escalate = escalate.map(|escalate| (after(escalate.after_seconds), Due::Escalate));
        let remind = self.policy.remind_seconds.filter(|seconds| *seconds > 0);
        let remind = remind.map(|seconds| (after(seconds.saturating_mul(self.progress.reminded + 1)), Due::Remind));
        // On a tie the deadline goes first: whoever is late is not reminded.
        [expire, escalate, remind].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// The progress once `due` has been done at `now`.
    pub fn progress_after(&self, due: Due, now: Timestamp) -> Progress {
        let progress = self.progress;
        match due {
            Due::Remind => {
                let interval = self.policy.remind_seconds.unwrap_or(1).max(1);
                Progress { reminded: now.since(self.posted_at).as_secs() / interval, ..progress }
            }
            Due::Escalate => Progress { escalated: true, ..progress },
            Due::Overdue | Due::Expire => Progress { overdue: true, ..progress },
        }
    }
}
