//! What became of everything, without identifiers and times: the same after a disturbed life as after a quiet one.

use crate::installation::Installation;
use countersign_model::event::Cause;

/// Each line with how often it is there.
pub fn of(this: &Installation) -> Vec<String> {
    let mut lines = events(this);
    let queries = [
        (
            "request",
            "SELECT pipeline, status, model_digest, evidence_digest, verdict FROM requests ORDER BY model_digest, pipeline",
        ),
        (
            "decision",
            "SELECT d.kind, d.person, d.channel, d.reason, d.second_factor, d.roles, q.model_digest \
             FROM decisions d JOIN requests q ON q.id = d.request",
        ),
        (
            "push",
            "SELECT pipeline, model, CASE WHEN completed_at IS NULL THEN 'begun' WHEN completed_at = \
             (SELECT max(completed_at) FROM pushes) THEN 'live' ELSE 'before' END FROM pushes",
        ),
        ("made", "SELECT DISTINCT pipeline, step, output, kind, digest, span FROM artifacts"),
        ("given up", "SELECT DISTINCT pipeline, step, digest FROM artifacts WHERE collected_at IS NOT NULL"),
        ("collected", "SELECT pipeline, span, status FROM runs WHERE collected_at IS NOT NULL"),
        ("seen", "SELECT trigger_name, accepted FROM seen_files"),
        ("fired", "SELECT trigger_name, at FROM fires WHERE trigger_name LIKE 'cron:%'"),
        ("paused", "SELECT pipeline FROM paused"),
        ("undelivered", "SELECT channel, message FROM outbox WHERE status <> 'done'"),
        (
            "ended well",
            "SELECT r.pipeline, r.span, e.step, CAST(count(*) AS BIGINT) FROM executions e JOIN runs r ON r.id = e.run \
             WHERE e.status IN ('succeeded', 'cached') GROUP BY r.pipeline, r.span, r.id, e.step",
        ),
    ];
    for (what, query) in queries {
        lines.extend(this.record.rows(query).into_iter().map(|row| format!("{what}: {}", row.join(" | "))));
    }
    let home = this.home.path().to_string_lossy().into_owned();
    lines.iter_mut().for_each(|line| *line = line.replace(&home, ""));
    lines.sort();
    lines
}

fn events(this: &Installation) -> Vec<String> {
    let events = this
        .record
        .rows("SELECT e.pipeline, e.cause, r.span, r.status, e.skipped FROM events e LEFT JOIN runs r ON r.id = e.run");
    let line = |row: Vec<String>| {
        let cause: Cause = serde_json::from_str(&row[1]).expect("a cause");
        let cause = match cause {
            Cause::Http { hook, id, .. } => format!("{hook} {id}"),
            Cause::Cron { wall_time, .. } => wall_time,
            Cause::Arrival { digest, .. } => digest.to_string(),
            Cause::Pushed { model, .. } => model.to_string(),
            Cause::Person | Cause::Backfill { .. } => "person".to_string(),
        };
        format!("event: {} | {cause} | {} | {} | {}", row[0], row[2], row[3], row[4])
    };
    events.into_iter().map(line).collect()
}
