//! What is written down of refused requests: for each hook, and for all names that are none, at most one note in ten minutes,
//! with how many there were. So nobody fills the audit log by knocking.

use super::auth::Refused;
use countersign_model::actor::Actor;
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::{AuditNote, NoteAction};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const BETWEEN_NOTES: Duration = Duration::from_secs(600);

/// Counts refusals by hook.
#[derive(Default)]
pub(super) struct Refusals(Mutex<BTreeMap<String, Count>>);

#[derive(Default)]
struct Count {
    noted: Option<Timestamp>,
    since: u64,
}

impl Refusals {
    /// Counts one. Answers the note to write when it is time for one.
    pub(super) fn count(&self, hook: &str, why: Refused, now: Timestamp) -> Option<AuditNote> {
        // A name that is none is somebody else's text: it is not kept.
        let hook = if why == Refused::Unknown { "" } else { hook };
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = book.entry(hook.to_string()).or_default();
        count.since += 1;
        // A clock that was set back does not silence it for longer.
        if count.noted.is_some_and(|noted| noted <= now && now.since(noted) < BETWEEN_NOTES) {
            return None;
        }
        let refused = std::mem::take(&mut count.since);
        count.noted = Some(now);
        Some(AuditNote {
            at: now,
            actor: Actor::system("hooks"),
            action: NoteAction::WebhookRefused,
            subject: if hook.is_empty() { "no hook".to_string() } else { hook.to_string() },
            detail: serde_json::json!({ "why": why.as_str(), "refused": refused }),
        })
    }
}
