//! The queue: claims with a lease, a heartbeat and a fencing token (the epoch), never a held transaction.

use super::connection::{Write, one};
use super::rows::Record;
use super::runs;
use crate::deeds;
use crate::judgement;
use countersign_model::id::{RunId, WorkerId};
use countersign_model::run::{Claim, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use sqlx::SqliteConnection;
use std::time::Duration;

/// Runs whose worker is gone come first: they are the oldest, and their pipeline waits for them.
pub(super) const ABANDONED: &str =
    "SELECT id FROM runs WHERE status = 'running' AND lease_until <= ?1 ORDER BY lease_until, id LIMIT 1";
/// The first in the queue of each idle pipeline, of these the oldest: a pipeline with a long queue does not starve another. `p` goes
/// from one pipeline that has a queue to the next, so that neither long queues nor pipelines without one cost anything; by itself
/// SQLite takes the index of states, and with it reads the whole queue for each.
pub(super) const QUEUED: &str = "WITH RECURSIVE p (name) AS (\
     SELECT MIN(pipeline) FROM runs INDEXED BY runs_queued WHERE status = 'queued' UNION ALL \
     SELECT (SELECT MIN(pipeline) FROM runs INDEXED BY runs_queued WHERE status = 'queued' AND pipeline > p.name) \
     FROM p WHERE p.name IS NOT NULL) \
     SELECT q.id FROM p JOIN runs q ON q.id = \
     (SELECT id FROM runs WHERE pipeline = p.name AND status = 'queued' ORDER BY queued_at, id LIMIT 1) \
     WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.pipeline = p.name AND r.status = 'running') \
     ORDER BY q.queued_at, q.id LIMIT 1";
pub(super) const THIS_ONE: &str = "SELECT q.id FROM runs q WHERE q.id = ?2 AND ((q.status = 'running' AND q.lease_until <= ?1) \
     OR (q.status = 'queued' AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.pipeline = q.pipeline AND r.status = 'running')))";
const TAKE: &str = "UPDATE runs SET status = 'running', state = ?2, owner = ?3, epoch = epoch + 1, lease_until = ?4 \
     WHERE id = ?1 RETURNING epoch";
pub(super) const GUARD: &str = "SELECT 1 FROM runs WHERE id = ?1 AND owner = ?2 AND epoch = ?3 AND status = 'running'";
const EXTEND: &str =
    "UPDATE runs SET lease_until = ?4 WHERE id = ?1 AND owner = ?2 AND epoch = ?3 AND status = 'running'";

/// The run to take next.
pub(super) async fn claimable(
    connection: &mut SqliteConnection,
    only: Option<&RunId>,
    now: Timestamp,
) -> Result<Option<RunId>, StoreError> {
    let now = now.as_micros();
    let row = match only {
        Some(run) => {
            one(connection, "find claimable run", sqlx::query(THIS_ONE).bind(now).bind(run.to_string())).await?
        }
        None => match one(connection, "find claimable run", sqlx::query(ABANDONED).bind(now)).await? {
            Some(row) => Some(row),
            None => one(connection, "find claimable run", sqlx::query(QUEUED)).await?,
        },
    };
    row.map(|row| Record::new(&row, "runs", "id").parsed("id")).transpose()
}

pub(super) async fn claim(
    mut write: Write<'_>,
    worker: &WorkerId,
    only: Option<&RunId>,
    lease: Duration,
) -> Result<Option<Claim>, StoreError> {
    let now = write.now();
    let Some(run) = claimable(write.connection(), only, now).await? else {
        return Ok(None);
    };
    let sql = sqlx::query(TAKE)
        .bind(run.to_string())
        .bind(serde_json::to_string(&RunState::Running)?)
        .bind(worker.to_string())
        .bind(now.plus(lease).as_micros());
    let row =
        write.one("claim run", sql).await?.ok_or_else(|| StoreError::NotFound { what: "run", id: run.to_string() })?;
    let epoch = Record::new(&row, "runs", "epoch").number("epoch")?;
    let claim = Claim { run, worker: *worker, epoch };
    write.commit(vec![deeds::run_claimed(&claim)]).await?;
    Ok(Some(claim))
}

/// Whether the claim still holds and covers `run`; answers the state that it implies. Every write by a worker starts here,
/// inside its own transaction.
pub(super) async fn guard(write: &mut Write<'_>, claim: &Claim, run: &RunId) -> Result<RunState, StoreError> {
    judgement::covers(claim, run)?;
    let sql = sqlx::query(GUARD).bind(claim.run.to_string()).bind(claim.worker.to_string()).bind(claim.epoch);
    match write.one("check claim", sql).await? {
        Some(_) => Ok(RunState::Running),
        None => Err(StoreError::LostClaim { run: claim.run }),
    }
}

pub(super) async fn heartbeat(mut write: Write<'_>, claim: &Claim, lease: Duration) -> Result<(), StoreError> {
    let sql = sqlx::query(EXTEND)
        .bind(claim.run.to_string())
        .bind(claim.worker.to_string())
        .bind(claim.epoch)
        .bind(write.now().plus(lease).as_micros());
    if write.execute("extend lease", sql).await? == 0 {
        return Err(StoreError::LostClaim { run: claim.run });
    }
    write.commit(Vec::new()).await
}

pub(super) async fn release(mut write: Write<'_>, claim: &Claim) -> Result<(), StoreError> {
    guard(&mut write, claim, &claim.run).await?;
    runs::set_state(&mut write, &claim.run, &RunState::Queued, None, None).await?;
    write.commit(vec![deeds::run_released(claim)]).await
}
