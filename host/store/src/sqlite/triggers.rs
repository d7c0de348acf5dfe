//! What triggers remember: the last fire of a schedule, the files of a source.

use super::connection::{Write, all, one};
use super::rows::{self, Record};
use crate::deeds;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::SeenFile;
use sqlx::SqliteConnection;

pub(super) const LAST_FIRE: &str = "SELECT trigger_name, at FROM fires WHERE trigger_name = ?1";
const FIRE: &str = "INSERT INTO fires (trigger_name, at) VALUES (?1, ?2) \
     ON CONFLICT (trigger_name) DO UPDATE SET at = excluded.at WHERE excluded.at > fires.at";
pub(super) const SEEN_FILES: &str = "SELECT * FROM seen_files WHERE trigger_name = ?1 ORDER BY path";
pub(super) const ACCEPTED: &str = "SELECT accepted FROM seen_files WHERE trigger_name = ?1 AND path = ?2";
const SEE: &str = "INSERT INTO seen_files (trigger_name, path, bytes, modified, stable_since, accepted) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (trigger_name, path) DO UPDATE SET bytes = excluded.bytes, \
     modified = excluded.modified, stable_since = excluded.stable_since, accepted = excluded.accepted";

pub(super) async fn last_fire(
    connection: &mut SqliteConnection,
    trigger: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let row = one(connection, "read last fire", sqlx::query(LAST_FIRE).bind(trigger)).await?;
    row.map(|row| Record::new(&row, "fires", "trigger_name").instant("at")).transpose()
}

pub(super) async fn record_fire(mut write: Write<'_>, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
    let sql = sqlx::query(FIRE).bind(trigger).bind(at.as_micros());
    if write.execute("record fire", sql).await? == 0 {
        return Ok(());
    }
    write.commit(vec![deeds::schedule_fired(trigger, at)]).await
}

pub(super) async fn seen_files(connection: &mut SqliteConnection, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
    let rows = all(connection, "list seen files", sqlx::query(SEEN_FILES).bind(trigger)).await?;
    rows.iter().map(rows::seen_file).collect()
}

/// Sizes and times of a file that still grows are bookkeeping; that it was accepted is a fact for the audit log.
pub(super) async fn record_seen_file(mut write: Write<'_>, file: &SeenFile) -> Result<(), StoreError> {
    let known = sqlx::query(ACCEPTED).bind(file.trigger.as_str()).bind(file.path.as_str());
    let accepted_before = match write.one("record seen file", known).await? {
        Some(row) => Record::new(&row, "seen_files", "accepted").optional_parsed("accepted")?,
        None => None,
    };
    let sql = sqlx::query(SEE)
        .bind(file.trigger.as_str())
        .bind(file.path.as_str())
        .bind(i64::try_from(file.bytes).unwrap_or(i64::MAX))
        .bind(file.modified)
        .bind(file.stable_since.as_micros())
        .bind(file.accepted.map(|digest| digest.to_string()));
    write.execute("record seen file", sql).await?;
    let newly = file.accepted.filter(|_| file.accepted != accepted_before);
    write.commit(newly.iter().map(|digest| deeds::file_accepted(file, digest)).collect()).await
}
