//! Runs: reading them and ending them. Who works on one is in `claims`.

use super::claims;
use super::connection::{Connection, all, one};
use super::statement::Sql;
use super::write::Write;
use super::{outbox, rows, signoff};
use crate::deeds;
use crate::judgement;
use countersign_model::actor::Actor;
use countersign_model::decision::RequestState;
use countersign_model::id::RunId;
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::notifier::Notice;

pub(super) const ONE: &str = "SELECT * FROM runs WHERE id = $1";
pub(super) const NEWEST: &str = "SELECT * FROM runs WHERE id < $1 ORDER BY id DESC LIMIT $2";
pub(super) const NEWEST_OF_STATUS: &str = "SELECT * FROM runs WHERE id < $1 AND status = $3 ORDER BY id DESC LIMIT $2";
pub(super) const NEWEST_OF_PIPELINE: &str =
    "SELECT * FROM runs WHERE id < $1 AND pipeline = $3 ORDER BY id DESC LIMIT $2";
pub(super) const NEWEST_OF_BOTH: &str =
    "SELECT * FROM runs WHERE id < $1 AND pipeline = $3 AND status = $4 ORDER BY id DESC LIMIT $2";
/// Every state but `running` is nobody's; whoever held the run finds out at its next write.
const SET_STATE: &str = "UPDATE runs SET status = $2, state = $3, ended_at = $4, queued_at = COALESCE($5, queued_at), \
     owner = NULL, lease_until = NULL WHERE id = $1";

/// A worker that is placing a model, and lives.
pub(super) const PLACING: &str = "SELECT r.id FROM runs r JOIN pushes p ON p.run = r.id WHERE r.id = $1 AND r.status = 'running' \
     AND r.lease_until > $2 AND p.completed_at IS NULL";

/// Sorts after every identifier.
pub(super) const AFTER_ALL: &str = "~";
const DEFAULT_LIMIT: u32 = 50;

/// The limit of a filter, in which 0 means the usual page.
pub(super) fn page(limit: u32) -> u32 {
    if limit == 0 { DEFAULT_LIMIT } else { limit }
}

pub(super) async fn find(connection: &mut Connection<'_>, id: &RunId) -> Result<Option<Run>, StoreError> {
    let row = one(connection, "read run", Sql::new(ONE).bind(id.to_string())).await?;
    row.as_ref().map(rows::run).transpose()
}

/// The run, which has to be there.
pub(super) async fn get(connection: &mut Connection<'_>, id: &RunId) -> Result<Run, StoreError> {
    find(connection, id).await?.ok_or_else(|| StoreError::NotFound { what: "run", id: id.to_string() })
}

pub(super) async fn list(connection: &mut Connection<'_>, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
    let before = filter.before.map_or_else(|| AFTER_ALL.to_string(), |id| id.to_string());
    let query = |sql: &'static str| Sql::new(sql).bind(before).bind(page(filter.limit));
    let sql = match (filter.pipeline.as_deref(), filter.status.as_deref()) {
        (None, None) => query(NEWEST),
        (None, Some(status)) => query(NEWEST_OF_STATUS).bind(status),
        (Some(pipeline), None) => query(NEWEST_OF_PIPELINE).bind(pipeline),
        (Some(pipeline), Some(status)) => query(NEWEST_OF_BOTH).bind(pipeline).bind(status),
    };
    let rows = all(connection, "list runs", sql).await?;
    rows.iter().map(rows::run).collect()
}

/// Writes a state that no worker holds. `ended_at` is for an end, `queued_at` for a run that goes back into the queue; without
/// it the run keeps its place there.
pub(super) async fn set_state(
    write: &mut Write<'_>,
    id: &RunId,
    state: &RunState,
    ended_at: Option<Timestamp>,
    queued_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = Sql::new(SET_STATE)
        .bind(id.to_string())
        .bind(state.status())
        .bind(serde_json::to_string(state)?)
        .bind(ended_at.map(Timestamp::as_micros))
        .bind(queued_at.map(Timestamp::as_micros));
    write.execute("write run state", sql).await.map(|_| ())
}

pub(super) async fn end(
    mut write: Write<'_>,
    claim: &Claim,
    end: &RunEnd,
    at: Timestamp,
    notices: &[Notice],
) -> Result<(), StoreError> {
    let held = claims::guard(&mut write, claim, &claim.run).await?;
    set_state(&mut write, &claim.run, &held.end(end.clone())?, Some(at), None).await?;
    outbox::insert(&mut write, notices).await?;
    write.commit(vec![deeds::run_ended(claim, end)]).await
}

pub(super) async fn cancel(
    mut write: Write<'_>,
    id: &RunId,
    by: &Actor,
    at: Timestamp,
    notices: &[Notice],
) -> Result<(), StoreError> {
    let run = get(&mut write.connection(), id).await?;
    let placing = Sql::new(PLACING).bind(id.to_string()).bind(write.now().as_micros());
    if write.one("cancel run", placing).await?.is_some() {
        return Err(judgement::placing());
    }
    let mut deeds = vec![deeds::run_cancelled(id, by)];
    if let RunState::Waiting { request } = &run.state {
        let request = signoff::get(&mut write.connection(), request).await?;
        let state = RequestState::Cancelled;
        deeds.push(deeds::request_closed(by, &request, &state));
        signoff::set_closed(&mut write, &request.id, &state, at).await?;
    }
    let ended = run.state.end(RunEnd::Cancelled { by: by.clone() })?;
    set_state(&mut write, id, &ended, Some(at), None).await?;
    outbox::insert(&mut write, notices).await?;
    write.commit(deeds).await
}
