//! Reading the audit log; it is written by [`super::connection::Write::commit`] alone.

use super::connection::all;
use super::rows;
use countersign_model::audit::AuditEntry;
use countersign_ports::StoreError;
use sqlx::SqliteConnection;

pub(super) const AFTER: &str = "SELECT * FROM audit WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";

pub(super) async fn after(
    connection: &mut SqliteConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = all(connection, "read audit log", sqlx::query(AFTER).bind(after).bind(limit)).await?;
    rows.iter().map(rows::audit_entry).collect()
}
