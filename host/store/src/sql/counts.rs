//! How much there is to do, in one statement: numbers that belong together.

use super::connection::{Connection, one};
use super::rows::Record;
use super::statement::Sql;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::Counts;

/// The outbox is asked for bounds that hold always, so that its partial indexes serve.
pub(super) const COUNTS: &str = "SELECT \
     (SELECT COUNT(*) FROM runs WHERE status = 'queued') AS queued, \
     (SELECT COUNT(*) FROM runs WHERE status = 'running') AS running, \
     (SELECT COUNT(*) FROM runs WHERE status = 'waiting') AS waiting, \
     (SELECT COUNT(*) FROM paused) AS paused, \
     (SELECT MIN(posted_at) FROM requests WHERE status = 'open') AS oldest_request, \
     (SELECT COUNT(*) FROM outbox WHERE status = 'pending' AND created_at <= $1) AS outbox_pending, \
     (SELECT MIN(created_at) FROM outbox WHERE status = 'pending') AS outbox_oldest, \
     (SELECT COUNT(*) FROM outbox WHERE status = 'dead' AND id < '~') AS outbox_dead";

pub(super) async fn read(connection: &mut Connection<'_>) -> Result<Counts, StoreError> {
    let Some(row) = one(connection, "count runs and notices", Sql::new(COUNTS).bind(i64::MAX)).await? else {
        return Ok(Counts::default());
    };
    let record = Record::new(&row, "runs and outbox", "queued");
    Ok(Counts {
        queued: record.number("queued")?,
        running: record.number("running")?,
        waiting: record.number("waiting")?,
        paused: record.number("paused")?,
        oldest_request: record.optional_instant("oldest_request")?,
        outbox_pending: record.number("outbox_pending")?,
        outbox_oldest: record.optional_instant("outbox_oldest")?,
        outbox_dead: record.number("outbox_dead")?,
    })
}
