//! The outbox: notices written with what they tell of, delivered later. Deliveries are no state of the record and are not
//! audited.

use super::connection::{Connection, Row, all};
use super::rows::{self, Record};
use super::statement::Sql;
use super::write::{Touch, Write};
use countersign_model::id::{NoticeId, RunId};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Delivery, Undelivered};
use countersign_ports::notifier::Notice;

const INSERT: &str = "INSERT INTO outbox (id, run, channel, message, created_at, attempts, status, next_at) \
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', $5)";
/// In the order in which they were written; one that waits for another try holds back the later ones of its channel. A notice
/// is never due before it was written, which bounds the search to its index.
pub(super) const DUE: &str = "SELECT * FROM outbox o WHERE status = 'pending' AND created_at <= $1 AND next_at <= $1 \
     AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.status = 'pending' AND e.channel = o.channel AND e.next_at > $1 \
         AND (e.created_at, e.id) < (o.created_at, o.id)) \
     ORDER BY created_at, id LIMIT $2";
pub(super) const UNDELIVERED: &str = "SELECT * FROM outbox WHERE status <> 'done' AND attempts > 0 AND created_at <= $2 \
     ORDER BY created_at DESC, id DESC LIMIT $1";
pub(super) const UNDELIVERED_OF_RUN: &str = "SELECT * FROM outbox WHERE status <> 'done' AND attempts > 0 AND run = $2 \
     ORDER BY created_at DESC, id DESC LIMIT $1";
const SETTLE: &str = "UPDATE outbox SET status = $2, next_at = COALESCE($3, next_at), problem = $4, attempts = attempts + 1 \
     WHERE id = $1 AND status = 'pending'";
pub(super) const ONE: &str = "SELECT id FROM outbox WHERE id = $1";

pub(super) async fn insert(write: &mut Write<'_>, notices: &[Notice]) -> Result<(), StoreError> {
    for notice in notices {
        let sql = Sql::new(INSERT)
            .bind(notice.id.to_string())
            .bind(notice.run.to_string())
            .bind(notice.channel.as_str())
            .bind(serde_json::to_string(&notice.message)?)
            .bind(notice.created_at.as_micros())
            .bind(notice.attempts);
        write.execute("write notice", sql).await?;
    }
    Ok(())
}

pub(super) async fn due(
    connection: &mut Connection<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Notice>, StoreError> {
    let sql = Sql::new(DUE).bind(now.as_micros()).bind(limit);
    let rows = all(connection, "list due notices", sql).await?;
    rows.iter().map(rows::notice).collect()
}

/// A notice that is settled already stays as it is: of two deliveries the first one counts.
pub(super) async fn settle(mut write: Touch<'_>, id: &NoticeId, delivery: &Delivery) -> Result<(), StoreError> {
    let (status, next_at, problem) = match delivery {
        Delivery::Done => ("done", None, None),
        Delivery::RetryAt(at, problem) => ("pending", Some(at.as_micros()), Some(problem.as_str())),
        Delivery::Dead(problem) => ("dead", None, Some(problem.as_str())),
    };
    let sql = Sql::new(SETTLE).bind(id.to_string()).bind(status).bind(next_at).bind(problem);
    let settled = write.execute("settle notice", sql).await?;
    if settled == 0 && write.one("settle notice", Sql::new(ONE).bind(id.to_string())).await?.is_none() {
        return Err(StoreError::NotFound { what: "notice", id: id.to_string() });
    }
    write.commit().await
}

/// What failed at least once and is not delivered, newest first.
pub(super) async fn undelivered(
    connection: &mut Connection<'_>,
    run: Option<&RunId>,
    limit: u32,
) -> Result<Vec<Undelivered>, StoreError> {
    let sql = match run {
        Some(run) => Sql::new(UNDELIVERED_OF_RUN).bind(limit).bind(run.to_string()),
        None => Sql::new(UNDELIVERED).bind(limit).bind(i64::MAX),
    };
    let rows = all(connection, "list undelivered notices", sql).await?;
    rows.iter().map(failed_notice).collect()
}

fn failed_notice(row: &Row) -> Result<Undelivered, StoreError> {
    let record = Record::new(row, "outbox", "id");
    let next_at = match record.text("status")?.as_str() {
        "pending" => Some(record.instant("next_at")?),
        _ => None,
    };
    Ok(Undelivered { notice: rows::notice(row)?, next_at, problem: record.optional_text("problem")? })
}
