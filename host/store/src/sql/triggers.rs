//! What triggers remember: the last fire of a schedule, the files of a source; and which pipelines are paused.

use super::SqlStore;
use super::connection::{Connection, Row, all, one};
use super::rows::Record;
use super::statement::Sql;
use super::write::Write;
use crate::deeds::{self, Deed};
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::failpoint::Point;
use countersign_ports::trigger_store::{Paused, SeenFile};
use countersign_ports::{StoreError, TriggerStore};

pub(super) const LAST_FIRE: &str = "SELECT trigger_name, at FROM fires WHERE trigger_name = $1";
const REGISTER: &str = "INSERT INTO fires (trigger_name, at) VALUES ($1, $2) ON CONFLICT (trigger_name) DO NOTHING";
const FIRE: &str = "INSERT INTO fires (trigger_name, at) VALUES ($1, $2) \
     ON CONFLICT (trigger_name) DO UPDATE SET at = excluded.at WHERE excluded.at > fires.at";
pub(super) const SEEN_FILES: &str = "SELECT * FROM seen_files WHERE trigger_name = $1 ORDER BY path";
pub(super) const ACCEPTED: &str = "SELECT accepted FROM seen_files WHERE trigger_name = $1 AND path = $2";
const SEE: &str = "INSERT INTO seen_files (trigger_name, path, bytes, modified, stable_since, accepted, missing_since) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (trigger_name, path) DO UPDATE SET bytes = excluded.bytes, \
     modified = excluded.modified, stable_since = excluded.stable_since, accepted = excluded.accepted, \
     missing_since = excluded.missing_since";
pub(super) const FORGET: &str = "DELETE FROM seen_files WHERE trigger_name = $1 AND missing_since < $2";
/// One row a paused pipeline: reading them all is the question.
pub(super) const PAUSED: &str = "SELECT * FROM paused ORDER BY pipeline";
const PAUSE: &str =
    "INSERT INTO paused (pipeline, actor, reason, at) VALUES ($1, $2, $3, $4) ON CONFLICT (pipeline) DO NOTHING";
const UNPAUSE: &str = "DELETE FROM paused WHERE pipeline = $1";

#[async_trait]
impl TriggerStore for SqlStore {
    async fn last_fire(&self, trigger: &str) -> Result<Option<Timestamp>, StoreError> {
        last_fire(&mut self.reader().await?.connection(), trigger).await
    }

    async fn register_trigger(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        let (sql, deed) =
            (Sql::new(REGISTER).bind(trigger).bind(at.as_micros()), deeds::schedule_registered(trigger, at));
        change(self.writer().await?.begin(Point::RecordFire).await?, "register trigger", sql, deed).await.map(|_| ())
    }

    async fn record_fire(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        let (sql, deed) = (Sql::new(FIRE).bind(trigger).bind(at.as_micros()), deeds::schedule_fired(trigger, at));
        change(self.writer().await?.begin(Point::RecordFire).await?, "record fire", sql, deed).await.map(|_| ())
    }

    async fn seen_files(&self, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
        seen_files(&mut self.reader().await?.connection(), trigger).await
    }

    async fn record_seen_files(&self, files: &[SeenFile]) -> Result<(), StoreError> {
        if files.is_empty() {
            return Ok(());
        }
        record_seen_files(self.writer().await?.begin(Point::RecordSeenFiles).await?, files).await
    }

    async fn forget_seen_files(&self, trigger: &str, missing_before: Timestamp) -> Result<(), StoreError> {
        forget(self.writer().await?.begin(Point::RecordSeenFiles).await?, trigger, missing_before).await
    }

    async fn pause(&self, paused: &Paused) -> Result<bool, StoreError> {
        let sql = Sql::new(PAUSE)
            .bind(paused.pipeline.as_str())
            .bind(paused.by.as_str())
            .bind(paused.reason.as_str())
            .bind(paused.at.as_micros());
        let deed = deeds::pipeline_paused(paused);
        change(self.writer().await?.begin(Point::Pause).await?, "pause pipeline", sql, deed).await
    }

    async fn unpause(&self, pipeline: &str, by: &Actor, at: Timestamp) -> Result<bool, StoreError> {
        let deed = deeds::pipeline_unpaused(pipeline, by, at);
        let sql = Sql::new(UNPAUSE).bind(pipeline);
        change(self.writer().await?.begin(Point::Pause).await?, "unpause pipeline", sql, deed).await
    }

    async fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        let rows = all(&mut self.reader().await?.connection(), "list paused pipelines", Sql::new(PAUSED)).await?;
        rows.iter().map(paused).collect()
    }
}

/// Commits the change with its entry when it changed something.
async fn change(mut write: Write<'_>, operation: &'static str, sql: Sql, deed: Deed) -> Result<bool, StoreError> {
    if write.execute(operation, sql).await? == 0 {
        return Ok(false);
    }
    write.commit(vec![deed]).await?;
    Ok(true)
}

async fn last_fire(connection: &mut Connection<'_>, trigger: &str) -> Result<Option<Timestamp>, StoreError> {
    let row = one(connection, "read last fire", Sql::new(LAST_FIRE).bind(trigger)).await?;
    row.map(|row| Record::new(&row, "fires", "trigger_name").instant("at")).transpose()
}

async fn seen_files(connection: &mut Connection<'_>, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
    let rows = all(connection, "list seen files", Sql::new(SEEN_FILES).bind(trigger)).await?;
    rows.iter().map(seen_file).collect()
}

/// Sizes and times of a file that still grows are bookkeeping, and so is that it is gone; that it was accepted is a fact for the audit
/// log.
async fn record_seen_files(mut write: Write<'_>, files: &[SeenFile]) -> Result<(), StoreError> {
    let mut deeds = Vec::new();
    for file in files {
        if let Some(digest) = file.accepted
            && accepted(&mut write, file).await? != Some(digest)
        {
            deeds.push(deeds::file_accepted(file, &digest));
        }
        let sql = Sql::new(SEE)
            .bind(file.trigger.as_str())
            .bind(file.path.as_str())
            .bind(i64::try_from(file.bytes).unwrap_or(i64::MAX))
            .bind(file.modified)
            .bind(file.stable_since.as_micros())
            .bind(file.accepted.map(|digest| digest.to_string()))
            .bind(file.missing_since.map(|at| at.as_micros()));
        write.execute("record seen files", sql).await?;
    }
    write.commit(deeds).await
}

async fn forget(mut write: Write<'_>, trigger: &str, missing_before: Timestamp) -> Result<(), StoreError> {
    let sql = Sql::new(FORGET).bind(trigger).bind(missing_before.as_micros());
    write.execute("forget seen files", sql).await?;
    write.commit(Vec::new()).await
}

/// What was accepted of it so far.
async fn accepted(write: &mut Write<'_>, file: &SeenFile) -> Result<Option<Digest>, StoreError> {
    let known = Sql::new(ACCEPTED).bind(file.trigger.as_str()).bind(file.path.as_str());
    match write.one("record seen files", known).await? {
        Some(row) => Record::new(&row, "seen_files", "accepted").optional_parsed("accepted"),
        None => Ok(None),
    }
}

fn seen_file(row: &Row) -> Result<SeenFile, StoreError> {
    let record = Record::new(row, "seen_files", "path");
    Ok(SeenFile {
        trigger: record.text("trigger_name")?,
        path: record.text("path")?,
        bytes: record.number("bytes")?,
        modified: record.number("modified")?,
        stable_since: record.instant("stable_since")?,
        accepted: record.optional_parsed("accepted")?,
        missing_since: record.optional_instant("missing_since")?,
    })
}

fn paused(row: &Row) -> Result<Paused, StoreError> {
    let record = Record::new(row, "paused", "pipeline");
    Ok(Paused {
        pipeline: record.text("pipeline")?,
        by: record.parsed("actor")?,
        reason: record.text("reason")?,
        at: record.instant("at")?,
    })
}
