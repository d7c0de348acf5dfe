//! The queue: claims with a lease, a heartbeat and a fencing token (the epoch), never a held transaction.

use super::connection::{Connection, one};
use super::rows::Record;
use super::runs;
use super::statement::{PerDatabase, Sql};
use super::write::{Touch, Write};
use crate::deeds;
use crate::judgement;
use countersign_model::id::{RunId, WorkerId};
use countersign_model::run::{Claim, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use std::time::Duration;

/// Runs whose worker is gone come first: they are the oldest, and they hold a place of their pipeline.
pub(super) const ABANDONED: &str =
    "SELECT id FROM runs WHERE status = 'running' AND lease_until <= $1 ORDER BY lease_until, id LIMIT 1";

/// Whether the pipeline of that name runs fewer than it may; one that nobody registered has one place.
macro_rules! has_place {
    ($name:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM runs r WHERE r.pipeline = ",
            $name,
            " AND r.status = 'running') < COALESCE((SELECT most_running FROM pipelines WHERE name = ",
            $name,
            "), 1)"
        )
    };
}

/// `p` goes from one pipeline that has a queue to the next, and reads the first run of each: neither long queues nor pipelines
/// without one cost anything. Of a paused pipeline only what was given back is looked at.
macro_rules! queued {
    ($runs_queued:literal, $runs_given_back:literal) => {
        concat!(
            "WITH RECURSIVE p (name) AS (SELECT MIN(pipeline) FROM runs ",
            $runs_queued,
            " WHERE status = 'queued' UNION ALL SELECT (SELECT MIN(pipeline) FROM runs ",
            $runs_queued,
            " WHERE status = 'queued' AND pipeline > p.name) FROM p WHERE p.name IS NOT NULL) \
             SELECT q.id FROM p JOIN runs q ON q.id = CASE WHEN EXISTS (SELECT 1 FROM paused WHERE pipeline = p.name) \
             THEN (SELECT id FROM runs ",
            $runs_given_back,
            " WHERE pipeline = p.name AND status = 'queued' AND epoch > 0 ORDER BY priority DESC, queued_at, id LIMIT 1) \
             ELSE (SELECT id FROM runs ",
            $runs_queued,
            " WHERE pipeline = p.name AND status = 'queued' ORDER BY priority DESC, queued_at, id LIMIT 1) END \
             LEFT JOIN pipelines d ON d.name = p.name WHERE ",
            has_place!("p.name"),
            " ORDER BY q.priority DESC, COALESCE(d.claimed_at, 0), q.queued_at, q.id LIMIT 1"
        )
    };
}

/// By itself SQLite takes the index of states, and with it reads the whole queue for each pipeline.
pub(super) const QUEUED: PerDatabase =
    PerDatabase { sqlite: queued!("INDEXED BY runs_queued", "INDEXED BY runs_given_back"), postgres: queued!("", "") };
pub(super) const THIS_ONE: &str = concat!(
    "SELECT q.id FROM runs q WHERE q.id = $2 AND ((q.status = 'running' AND q.lease_until <= $1) \
     OR (q.status = 'queued' AND ",
    has_place!("q.pipeline"),
    "))"
);
/// As [`THIS_ONE`], for a run that nobody asked for by name.
pub(super) const STILL: &str = concat!(
    "SELECT q.id FROM runs q WHERE q.id = $2 AND ((q.status = 'running' AND q.lease_until <= $1) \
     OR (q.status = 'queued' AND (q.epoch > 0 OR NOT EXISTS (SELECT 1 FROM paused WHERE pipeline = q.pipeline)) AND ",
    has_place!("q.pipeline"),
    "))"
);
/// A queued run gets the first place that is free; an abandoned one has its place.
pub(super) const TAKE: &str = "UPDATE runs SET status = 'running', state = $2, owner = $3, epoch = epoch + 1, lease_until = $4, \
     slot = CASE WHEN status = 'running' THEN slot ELSE (SELECT MIN(n.slot) FROM \
         (SELECT 0 AS slot UNION ALL SELECT r.slot + 1 FROM runs r WHERE r.pipeline = runs.pipeline AND r.status = 'running') n \
         WHERE NOT EXISTS (SELECT 1 FROM runs r \
             WHERE r.pipeline = runs.pipeline AND r.status = 'running' AND r.slot = n.slot)) END \
     WHERE id = $1 RETURNING epoch, pipeline";
const TOOK_TURN: &str = "UPDATE pipelines SET claimed_at = $2 WHERE name = $1";
pub(super) const GUARD: &str = "SELECT 1 FROM runs WHERE id = $1 AND owner = $2 AND epoch = $3 AND status = 'running'";
const EXTEND: &str =
    "UPDATE runs SET lease_until = $4 WHERE id = $1 AND owner = $2 AND epoch = $3 AND status = 'running'";

/// The run to take next.
pub(super) async fn claimable(
    connection: &mut Connection<'_>,
    only: Option<&RunId>,
    now: Timestamp,
) -> Result<Option<RunId>, StoreError> {
    if let Some(run) = only {
        return find(connection, with(THIS_ONE, run, now)).await;
    }
    match find(connection, Sql::new(ABANDONED).bind(now.as_micros())).await? {
        Some(run) => Ok(Some(run)),
        None => find(connection, Sql::new(QUEUED)).await,
    }
}

fn with(question: &'static str, run: &RunId, now: Timestamp) -> Sql {
    Sql::new(question).bind(now.as_micros()).bind(run.to_string())
}

async fn find(connection: &mut Connection<'_>, sql: Sql) -> Result<Option<RunId>, StoreError> {
    let row = one(connection, "find claimable run", sql).await?;
    row.map(|row| Record::new(&row, "runs", "id").parsed("id")).transpose()
}

/// `found` was claimable a moment ago, before anybody had to wait for this write; mostly it still is, and no queue is read again.
pub(super) async fn claim(
    mut write: Write<'_>,
    worker: &WorkerId,
    (only, found): (Option<&RunId>, &RunId),
    lease: Duration,
) -> Result<Option<Claim>, StoreError> {
    let now = write.now();
    let question = if only.is_some() { THIS_ONE } else { STILL };
    let still = find(&mut write.connection(), with(question, found, now)).await?;
    let run = match (still, only) {
        (None, None) => claimable(&mut write.connection(), None, now).await?,
        (still, _) => still,
    };
    let Some(run) = run else {
        return Ok(None);
    };
    let sql = Sql::new(TAKE)
        .bind(run.to_string())
        .bind(serde_json::to_string(&RunState::Running)?)
        .bind(worker.to_string())
        .bind(now.plus(lease).as_micros());
    let row =
        write.one("claim run", sql).await?.ok_or_else(|| StoreError::NotFound { what: "run", id: run.to_string() })?;
    let record = Record::new(&row, "runs", "pipeline");
    let claim = Claim { run, worker: *worker, epoch: record.number("epoch")? };
    let turn = Sql::new(TOOK_TURN).bind(record.text("pipeline")?).bind(now.as_micros());
    write.execute("claim run", turn).await?;
    write.commit(vec![deeds::run_claimed(&claim)]).await?;
    Ok(Some(claim))
}

/// Whether the claim still holds and covers `run`; answers the state that it implies. Every write by a worker starts here,
/// inside its own transaction.
pub(super) async fn guard(write: &mut Write<'_>, claim: &Claim, run: &RunId) -> Result<RunState, StoreError> {
    judgement::covers(claim, run)?;
    let sql = Sql::new(GUARD).bind(claim.run.to_string()).bind(claim.worker.to_string()).bind(claim.epoch);
    match write.one("check claim", sql).await? {
        Some(_) => Ok(RunState::Running),
        None => Err(StoreError::LostClaim { run: claim.run }),
    }
}

pub(super) async fn heartbeat(mut write: Touch<'_>, claim: &Claim, lease: Duration) -> Result<(), StoreError> {
    let sql = Sql::new(EXTEND)
        .bind(claim.run.to_string())
        .bind(claim.worker.to_string())
        .bind(claim.epoch)
        .bind(write.now().plus(lease).as_micros());
    if write.execute("extend lease", sql).await? == 0 {
        return Err(StoreError::LostClaim { run: claim.run });
    }
    write.commit().await
}

pub(super) async fn release(mut write: Write<'_>, claim: &Claim) -> Result<(), StoreError> {
    guard(&mut write, claim, &claim.run).await?;
    runs::set_state(&mut write, &claim.run, &RunState::Queued, None, None).await?;
    write.commit(vec![deeds::run_released(claim)]).await
}
