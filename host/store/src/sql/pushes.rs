//! Pushes: at most one a (model, target).

use super::claims;
use super::connection::{Connection, all, one};
use super::statement::Sql;
use super::write::Write;
use super::{outbox, rows};
use crate::deeds;
use crate::judgement;
use countersign_model::push::Push;
use countersign_model::run::Claim;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::PushStart;
use countersign_ports::notifier::Notice;

/// A push that was cut off is taken over by whoever holds a permit now; its identifier stays. A completed one is left alone
/// and gives no row.
const BEGIN: &str = "INSERT INTO pushes (id, run, pipeline, model, target, request, conditions, begun_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (model, target) DO UPDATE SET run = excluded.run, \
     pipeline = excluded.pipeline, request = excluded.request, conditions = excluded.conditions, begun_at = excluded.begun_at \
     WHERE pushes.completed_at IS NULL RETURNING *";
pub(super) const OF_PAIR: &str = "SELECT * FROM pushes WHERE model = $1 AND target = $2";
pub(super) const ONE: &str = "SELECT * FROM pushes WHERE id = $1";
const COMPLETE: &str = "UPDATE pushes SET completed_at = $2 WHERE id = $1 AND run = $3 AND completed_at IS NULL";
pub(super) const COMPLETED: &str = "SELECT * FROM pushes WHERE completed_at IS NOT NULL AND completed_at <= $2 \
     ORDER BY completed_at DESC, id DESC LIMIT $1";
pub(super) const COMPLETED_OF_PIPELINE: &str = "SELECT * FROM pushes WHERE pipeline = $2 AND completed_at IS NOT NULL \
     ORDER BY completed_at DESC, id DESC LIMIT $1";
pub(super) const LIVE_AT: &str = "SELECT * FROM pushes WHERE pipeline = $1 AND completed_at IS NOT NULL AND completed_at <= $2 \
     ORDER BY completed_at DESC, id DESC LIMIT 1";

pub(super) async fn begin(mut write: Write<'_>, claim: &Claim, push: &Push) -> Result<PushStart, StoreError> {
    claims::guard(&mut write, claim, &push.run).await?;
    let model = push.model.to_string();
    let sql = Sql::new(BEGIN)
        .bind(push.id.to_string())
        .bind(claim.run.to_string())
        .bind(push.pipeline.as_str())
        .bind(model.as_str())
        .bind(push.target.as_str())
        .bind(push.request.to_string())
        .bind(serde_json::to_string(&push.conditions)?)
        .bind(push.begun_at.as_micros());
    if let Some(row) = write.one("begin push", sql).await? {
        let push = rows::push(&row)?;
        write.commit(vec![deeds::push_begun(claim, &push)]).await?;
        return Ok(PushStart::Go(push));
    }
    let there = Sql::new(OF_PAIR).bind(model.as_str()).bind(push.target.as_str());
    match write.one("begin push", there).await? {
        Some(row) => Ok(PushStart::AlreadyThere(rows::push(&row)?)),
        None => Err(StoreError::NotFound { what: "push", id: push.id.to_string() }),
    }
}

pub(super) async fn complete(
    mut write: Write<'_>,
    claim: &Claim,
    push: &Push,
    notices: &[Notice],
) -> Result<(), StoreError> {
    claims::guard(&mut write, claim, &push.run).await?;
    let at = push.completed_at.unwrap_or(write.now());
    let sql = Sql::new(COMPLETE).bind(push.id.to_string()).bind(at.as_micros()).bind(claim.run.to_string());
    if write.execute("complete push", sql).await? == 0 {
        let row = write.one("complete push", Sql::new(ONE).bind(push.id.to_string())).await?;
        let recorded = row.as_ref().map(rows::push).transpose()?;
        return judgement::completed_again(claim, push, recorded.as_ref());
    }
    outbox::insert(&mut write, notices).await?;
    write.commit(vec![deeds::push_completed(claim, push)]).await
}

pub(super) async fn completed(
    connection: &mut Connection<'_>,
    pipeline: Option<&str>,
    limit: u32,
) -> Result<Vec<Push>, StoreError> {
    let sql = match pipeline {
        Some(pipeline) => Sql::new(COMPLETED_OF_PIPELINE).bind(limit).bind(pipeline),
        None => Sql::new(COMPLETED).bind(limit).bind(i64::MAX),
    };
    let rows = all(connection, "list pushes", sql).await?;
    rows.iter().map(rows::push).collect()
}

/// The newest completed push of a pipeline at or before an instant.
pub(super) async fn live_at(
    connection: &mut Connection<'_>,
    pipeline: &str,
    at: Timestamp,
) -> Result<Option<Push>, StoreError> {
    let row = one(connection, "read live push", Sql::new(LIVE_AT).bind(pipeline).bind(at.as_micros())).await?;
    row.as_ref().map(rows::push).transpose()
}
