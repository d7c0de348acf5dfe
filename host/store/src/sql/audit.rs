//! Reading the audit log; it is written by [`super::connection::Write::commit`] alone.

use super::connection::{Connection, all, one};
use super::rows::{self, Record};
use super::statement::Sql;
use super::write::AUDIT_HEAD;
use countersign_model::audit::{self, AuditEntry};
use countersign_model::digest::Digest;
use countersign_ports::StoreError;

pub(super) const AFTER: &str = "SELECT * FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2";

pub(super) async fn after(
    connection: &mut Connection<'_>,
    after: i64,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = all(connection, "read audit log", Sql::new(AFTER).bind(after).bind(limit)).await?;
    rows.iter().map(rows::audit_entry).collect()
}

/// Number and hash of the last entry.
pub(super) async fn head(connection: &mut Connection<'_>) -> Result<(i64, Digest), StoreError> {
    match one(connection, "read the audit log's head", Sql::new(AUDIT_HEAD)).await? {
        Some(row) => {
            let record = Record::new(&row, "audit", "sequence");
            Ok((record.number("sequence")?, record.parsed("hash")?))
        }
        None => Ok((0, audit::genesis())),
    }
}
