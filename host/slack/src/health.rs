//! How the connection to Slack fares: for `status`, metrics and the page. Silent failure is the one that nobody forgives.

use countersign_model::time::Timestamp;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The last thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlackProblem {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
}

/// How the connection to Slack fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SlackHealth {
    /// Sockets that said hello and are alive.
    pub connected_sockets: u32,
    /// When Slack last did what was asked.
    pub last_success: Option<Timestamp>,
    /// What went wrong last; a later success does not hide it.
    pub last_error: Option<SlackProblem>,
    /// Calls that Slack answered.
    pub calls: u64,
    /// Calls that failed.
    pub calls_failed: u64,
    /// Calls that Slack asked to repeat later.
    pub rate_limited: u64,
    /// Requests whose signature did not hold.
    pub requests_refused: u64,
    /// Payloads that mean nothing here, or name another app or workspace.
    pub payloads_ignored: u64,
    /// Sockets that were opened after the first.
    pub reconnects: u64,
}

/// Keeps [`SlackHealth`]. Each field is written where the thing happens; nothing is held across an await.
#[derive(Default)]
pub(crate) struct HealthBook(Mutex<SlackHealth>);

impl HealthBook {
    pub(crate) fn read(&self) -> SlackHealth {
        self.lock().clone()
    }

    pub(crate) fn succeeded(&self, at: Timestamp) {
        let mut health = self.lock();
        health.calls += 1;
        health.last_success = Some(at);
    }

    pub(crate) fn failed(&self, at: Timestamp, what: String) {
        let mut health = self.lock();
        health.calls += 1;
        health.calls_failed += 1;
        health.last_error = Some(SlackProblem { at, what });
    }

    pub(crate) fn troubled(&self, at: Timestamp, what: String) {
        self.lock().last_error = Some(SlackProblem { at, what });
    }

    pub(crate) fn rate_limited(&self) {
        let mut health = self.lock();
        health.calls += 1;
        health.rate_limited += 1;
    }

    pub(crate) fn request_refused(&self) {
        self.lock().requests_refused += 1;
    }

    pub(crate) fn payload_ignored(&self) {
        self.lock().payloads_ignored += 1;
    }

    pub(crate) fn socket_opened(&self, at: Timestamp, again: bool) {
        let mut health = self.lock();
        health.connected_sockets += 1;
        health.last_success = Some(at);
        health.reconnects += u64::from(again);
    }

    pub(crate) fn socket_closed(&self) {
        let mut health = self.lock();
        health.connected_sockets = health.connected_sockets.saturating_sub(1);
    }

    fn lock(&self) -> MutexGuard<'_, SlackHealth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
