//! The record by itself: each statement finds what breaks the rule that stands before it.

use crate::record::Record;

const RULES: &[(&str, &str)] = &[
    (
        "an event has one run, which names it, or a reason",
        "SELECT e.id FROM events e LEFT JOIN runs r ON r.id = e.run AND r.event = e.id \
         WHERE (e.run IS NULL) = (e.skipped IS NULL) OR (e.run IS NOT NULL AND r.id IS NULL) OR e.skipped = ''",
    ),
    (
        "a run is that of its event",
        "SELECT r.id FROM runs r LEFT JOIN events e ON e.id = r.event AND e.run = r.id WHERE e.id IS NULL",
    ),
    ("an event is accepted once", "SELECT dedupe_key FROM events GROUP BY dedupe_key HAVING count(*) > 1"),
    (
        "a decision is signed by a person, on what was shown",
        "SELECT d.id FROM decisions d LEFT JOIN requests q ON q.id = d.request AND q.evidence_digest = d.evidence_digest \
         WHERE q.id IS NULL OR d.person = '' OR d.actor = '' OR d.actor LIKE 'system:%' OR d.envelope IS NULL",
    ),
    (
        "one decision closes a request",
        "SELECT request FROM decisions WHERE late = 0 AND kind <> 'hold' GROUP BY request HAVING count(*) > 1",
    ),
    (
        "nothing is approved or rejected without a decision",
        "SELECT q.id FROM requests q WHERE q.status IN ('approved', 'rejected') AND NOT EXISTS \
         (SELECT 1 FROM decisions d WHERE d.request = q.id AND d.late = 0 AND d.kind = \
         CASE q.status WHEN 'approved' THEN 'approve' ELSE 'reject' END)",
    ),
    (
        "a decision that counts is what became of its request",
        "SELECT d.id FROM decisions d JOIN requests q ON q.id = d.request \
         WHERE d.late = 0 AND d.kind <> 'hold' AND q.status NOT IN ('approved', 'rejected', 'void')",
    ),
    (
        "a push is allowed by an approved request about its model",
        "SELECT p.id FROM pushes p LEFT JOIN requests q ON q.id = p.request AND q.status = 'approved' \
         AND q.model_digest = p.model WHERE q.id IS NULL",
    ),
    ("a model is pushed once", "SELECT model FROM pushes GROUP BY model, target HAVING count(*) > 1"),
    ("a push that was begun is complete", "SELECT id FROM pushes WHERE completed_at IS NULL"),
    (
        "a run is running while a worker holds it, and only then",
        "SELECT id FROM runs WHERE (status = 'running') <> (owner IS NOT NULL) OR (owner IS NULL) <> (lease_until IS NULL)",
    ),
    (
        "one run has a place",
        "SELECT pipeline FROM runs WHERE status = 'running' GROUP BY pipeline, slot HAVING count(*) > 1",
    ),
    ("every run is over", "SELECT id FROM runs WHERE ended_at IS NULL"),
    (
        "an open request has a run that waits for it",
        "SELECT q.id FROM requests q JOIN runs r ON r.id = q.run WHERE (q.status = 'open') <> (r.status = 'waiting') \
         AND (q.status = 'open' OR NOT EXISTS (SELECT 1 FROM requests o WHERE o.run = r.id AND o.status = 'open'))",
    ),
    ("every notice is delivered", "SELECT id FROM outbox WHERE status <> 'done'"),
    (
        "a step ends well once in a run",
        "SELECT run FROM executions WHERE status IN ('succeeded', 'cached') GROUP BY run, step HAVING count(*) > 1",
    ),
    (
        "a run that came to its own end left no execution behind",
        "SELECT e.id FROM executions e JOIN runs r ON r.id = e.run \
         WHERE e.status = 'running' AND r.status NOT IN ('replaced', 'cancelled')",
    ),
    (
        "what an execution made is an artifact of its run",
        "SELECT o.execution FROM execution_outputs o JOIN executions e ON e.id = o.execution \
         LEFT JOIN artifacts a ON a.id = o.artifact WHERE a.id IS NULL OR e.status NOT IN ('succeeded', 'cached')",
    ),
    (
        "what a pushed model came from is kept",
        "SELECT id FROM artifacts WHERE collected_at IS NOT NULL AND run IN (SELECT run FROM pushes)",
    ),
];

pub(super) fn broken(record: &Record) -> Vec<String> {
    let ask = |(rule, query): &(&str, &str)| {
        let found = record.texts(query);
        (!found.is_empty()).then(|| format!("{rule}: {found:?}"))
    };
    RULES.iter().filter_map(ask).collect()
}
