//! Pokes: what reviewers tried.

use super::connection::{Connection, Row, all};
use super::rows::Record;
use super::signoff;
use super::statement::Sql;
use super::write::Write;
use crate::deeds;
use countersign_model::id::RequestId;
use countersign_model::poke::Poke;
use countersign_ports::StoreError;

const INSERT: &str = "INSERT INTO pokes (id, request, actor, at, example, candidate, live) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
pub(super) const OF_REQUEST: &str = "SELECT * FROM pokes WHERE request = $1 ORDER BY at DESC, id DESC LIMIT 100";

/// Recording the same poke again, as after a lost answer, changes nothing.
pub(super) async fn record(mut write: Write<'_>, poke: &Poke) -> Result<(), StoreError> {
    signoff::get(&mut write.connection(), &poke.request).await?;
    let sql = Sql::new(INSERT)
        .bind(poke.id.to_string())
        .bind(poke.request.to_string())
        .bind(poke.actor.as_str())
        .bind(poke.at.as_micros())
        .bind(serde_json::to_string(&poke.example)?)
        .bind(serde_json::to_string(&poke.candidate)?)
        .bind(poke.live.as_ref().map(serde_json::to_string).transpose()?);
    if write.execute("record poke", sql).await? == 0 {
        return Ok(());
    }
    write.commit(vec![deeds::model_poked(poke)?]).await
}

pub(super) async fn of(connection: &mut Connection<'_>, request: &RequestId) -> Result<Vec<Poke>, StoreError> {
    let rows = all(connection, "list pokes", Sql::new(OF_REQUEST).bind(request.to_string())).await?;
    rows.iter().map(poke).collect()
}

fn poke(row: &Row) -> Result<Poke, StoreError> {
    let record = Record::new(row, "pokes", "id");
    Ok(Poke {
        id: record.parsed("id")?,
        request: record.parsed("request")?,
        actor: record.parsed("actor")?,
        at: record.instant("at")?,
        example: record.document("example")?,
        candidate: record.document("candidate")?,
        live: record.optional_document("live")?,
    })
}
