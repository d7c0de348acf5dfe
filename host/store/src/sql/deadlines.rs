//! What is due at open requests. The column `next_at` holds the next moment of each, so that those that just wait cost nothing.

use super::connection::{Connection, all};
use super::statement::Sql;
use super::write::Write;
use super::{outbox, rows, signoff};
use crate::deeds;
use crate::judgement;
use countersign_model::deadline::Progress;
use countersign_model::decision::SignoffRequest;
use countersign_model::id::RequestId;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::notifier::Notice;

pub(super) const DUE: &str = "SELECT * FROM requests WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2";
const ADVANCE: &str = "UPDATE requests SET progress = $2, next_at = $3 WHERE id = $1";

/// What the column `next_at` holds for a request.
pub(super) fn next_at(request: &SignoffRequest) -> Option<i64> {
    request.next_due().map(|(at, _)| at.as_micros())
}

pub(super) async fn due(
    connection: &mut Connection<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SignoffRequest>, StoreError> {
    let sql = Sql::new(DUE).bind(now.as_micros()).bind(limit);
    let rows = all(connection, "list due requests", sql).await?;
    rows.iter().map(rows::request).collect()
}

pub(super) async fn advance(
    mut write: Write<'_>,
    id: &RequestId,
    (from, to): (&Progress, &Progress),
    at: Timestamp,
    notices: &[Notice],
) -> Result<bool, StoreError> {
    let request = signoff::get(&mut write.connection(), id).await?;
    if !judgement::may_advance(&request, from) {
        return Ok(false);
    }
    let advanced = SignoffRequest { progress: *to, ..request };
    let sql = Sql::new(ADVANCE).bind(id.to_string()).bind(serde_json::to_string(to)?).bind(next_at(&advanced));
    write.execute("advance request", sql).await?;
    outbox::insert(&mut write, notices).await?;
    write.commit(deeds::request_advanced(&advanced, from, at)).await?;
    Ok(true)
}
