//! The record beside its audit log: no state without its entry, no entry without its state.

use crate::record::Record;
use std::collections::BTreeMap;

/// Written again by whoever takes over what was begun.
const AGAIN: &str = "push.begun";

/// The entries with one of these actions, and the rows that they are about: the same identifiers equally often.
const PAIRS: &[(&str, &str, &str)] = &[
    ("an event that started a run", "event.accepted", "SELECT id FROM events WHERE run IS NOT NULL"),
    ("an event that started none", "event.skipped", "SELECT id FROM events WHERE run IS NULL"),
    (
        "a run that its worker ended",
        "run.ended",
        "SELECT id FROM runs WHERE ended_at IS NOT NULL AND status NOT IN ('cancelled', 'superseded', 'replaced')",
    ),
    ("a run that was cancelled", "run.cancelled", "SELECT id FROM runs WHERE status = 'cancelled'"),
    ("a run that was superseded", "run.superseded", "SELECT id FROM runs WHERE status = 'superseded'"),
    ("a run that was replaced", "run.replaced", "SELECT id FROM runs WHERE status = 'replaced'"),
    ("an execution that began", "execution.begun", "SELECT id FROM executions WHERE status <> 'cached'"),
    ("an execution that ended", "execution.published", "SELECT id FROM executions WHERE status <> 'running'"),
    ("a delivery", "delivery.recorded", "SELECT id FROM artifacts WHERE execution IS NULL"),
    ("a request", "request.opened", "SELECT id FROM requests"),
    ("an approved request", "request.approved", "SELECT id FROM requests WHERE status IN ('approved', 'void')"),
    ("a rejected request", "request.rejected", "SELECT id FROM requests WHERE status = 'rejected'"),
    ("a superseded request", "request.superseded", "SELECT id FROM requests WHERE status = 'superseded'"),
    ("an expired request", "request.expired", "SELECT id FROM requests WHERE status = 'expired'"),
    ("a cancelled request", "request.cancelled", "SELECT id FROM requests WHERE status = 'cancelled'"),
    ("a decision", "decision.recorded", "SELECT id FROM decisions"),
    ("a push that began", "push.begun", "SELECT id FROM pushes"),
    ("a push that is complete", "push.completed", "SELECT id FROM pushes WHERE completed_at IS NOT NULL"),
    ("a run that was collected", "run.collected", "SELECT id FROM runs WHERE collected_at IS NOT NULL"),
    ("a poke", "model.poked", "SELECT id FROM pokes"),
];

/// Claims, pauses, files: what is counted or found in another way.
const RULES: &[(&str, &str)] = &[
    (
        "a run was claimed as often as its epoch says",
        "SELECT r.id FROM runs r WHERE r.epoch <> \
         (SELECT count(*) FROM audit a WHERE a.action = 'run.claimed' AND a.subject = r.id)",
    ),
    (
        "a pipeline is paused when its last entry says so",
        "SELECT v.name FROM pipelines v WHERE EXISTS (SELECT 1 FROM paused p WHERE p.pipeline = v.name) <> \
         (SELECT count(CASE action WHEN 'pipeline.paused' THEN 1 END) > count(CASE action WHEN 'pipeline.unpaused' THEN 1 END) \
         FROM audit a WHERE a.subject = v.name)",
    ),
    (
        "a file that was accepted has its entry",
        "SELECT f.path FROM seen_files f WHERE f.accepted IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit a \
         WHERE a.action = 'file.accepted' AND a.subject = f.trigger_name AND a.detail LIKE '%' || f.accepted || '%')",
    ),
    (
        "a schedule that fired has its entry",
        "SELECT trigger_name FROM fires f WHERE NOT EXISTS \
         (SELECT 1 FROM audit a WHERE a.subject = f.trigger_name AND a.action LIKE 'schedule.%')",
    ),
    (
        "a credential has its entry",
        "SELECT digest FROM credentials c WHERE NOT EXISTS \
         (SELECT 1 FROM audit a WHERE a.action LIKE 'credential.%' AND a.subject = substr(c.digest, 1, 12))",
    ),
];

pub(super) fn broken(record: &Record) -> Vec<String> {
    let mut entries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mut row in record.rows("SELECT action, subject FROM audit") {
        let subject = row.pop().expect("a subject");
        entries.entry(row.pop().expect("an action")).or_default().push(subject);
    }
    let mut broken = Vec::new();
    for (what, action, query) in PAIRS {
        let mut written = entries.get(*action).cloned().unwrap_or_default();
        let mut wanted = record.texts(query);
        written.sort();
        wanted.sort();
        if *action == AGAIN {
            written.dedup();
        }
        if written != wanted {
            let only = |these: &[String], those: &[String]| -> Vec<String> {
                these.iter().filter(|one| !those.contains(one)).cloned().collect()
            };
            let (more, less) = (only(&written, &wanted), only(&wanted, &written));
            broken.push(format!(
                "{what} has its entry: without a state {more:?}, without an entry {less:?}, {written:?}"
            ));
        }
    }
    for (rule, query) in RULES {
        let found = record.texts(query);
        if !found.is_empty() {
            broken.push(format!("{rule}: {found:?}"));
        }
    }
    broken
}
