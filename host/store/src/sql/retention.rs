//! Retention: which runs are old, what they hold, who else needs that, and marking what is given up.

use super::connection::{Connection, Row, all, each, one};
use super::rows::Record;
use super::statement::Sql;
use super::write::Write;
use super::{SqlStore, runs};
use crate::deeds;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::id::{ArtifactId, RunId};
use countersign_model::time::Timestamp;
use countersign_ports::failpoint::Point;
use countersign_ports::retention_store::{Collected, Collecting, Holding, Holdings, Keep, Need, Standing};
use countersign_ports::{RetentionStore, StoreError};
use std::collections::HashSet;
use std::hash::Hash;
use std::str::FromStr;

/// The oldest of the newest $2 runs of a pipeline, and of those whose results later runs take as history.
pub(super) const NEWEST: &str = "SELECT id FROM runs WHERE pipeline = $1 ORDER BY id DESC LIMIT 1 OFFSET $2 - 1";
pub(super) const NEWEST_SOUND: &str = "SELECT id FROM runs WHERE pipeline = $1 AND status NOT IN ('failed', 'blocked') \
     ORDER BY id DESC LIMIT 1 OFFSET $2 - 1";
/// $3 and $4 are those two.
pub(super) const EXPIRED: &str = "SELECT r.id FROM runs r WHERE r.pipeline = $1 AND r.collected_at IS NULL AND r.ended_at < $2 \
     AND r.id < $3 AND (r.id < $4 OR r.status IN ('failed', 'blocked')) \
     AND NOT EXISTS (SELECT 1 FROM pushes p WHERE p.run = r.id) \
     AND NOT EXISTS (SELECT 1 FROM requests q WHERE q.run = r.id AND q.status IN ('open', 'approved')) \
     ORDER BY r.ended_at, r.id";

pub(super) const LOGS: &str =
    "SELECT COUNT(*) AS logs FROM executions e CROSS JOIN logs l WHERE e.run = $1 AND l.execution = e.id";
pub(super) const HOLDINGS: &str = "SELECT a.id, a.kind, a.digest FROM \
     (SELECT o.artifact FROM executions e CROSS JOIN execution_outputs o WHERE e.run = $1 AND o.execution = e.id \
      UNION SELECT i.artifact FROM executions e CROSS JOIN execution_inputs i WHERE e.run = $1 AND i.execution = e.id \
      UNION SELECT d.id FROM artifacts d WHERE d.run = $1) n \
     CROSS JOIN artifacts a WHERE a.id = n.artifact AND a.collected_at IS NULL ORDER BY a.id";

/// Runs that are not collected and hold on to artifact $1: it came out of them, they read it, it was made in them.
macro_rules! users {
    (made) => {
        "SELECT o.run AS user_run FROM execution_outputs o CROSS JOIN runs r \
         WHERE o.artifact = $1 AND r.id = o.run AND r.collected_at IS NULL"
    };
    (read) => {
        "SELECT e.run AS user_run FROM execution_inputs i CROSS JOIN executions e CROSS JOIN runs r \
         WHERE i.artifact = $1 AND e.id = i.execution AND r.id = e.run AND r.collected_at IS NULL"
    };
    (own) => {
        "SELECT d.run AS user_run FROM artifacts d CROSS JOIN runs r \
         WHERE d.id = $1 AND r.id = d.run AND r.collected_at IS NULL"
    };
}

/// Newest first: what many runs held on to is most likely needed by one that is new.
pub(super) const USERS: [&str; 3] =
    [concat!(users!(made), " ORDER BY o.run DESC"), concat!(users!(read), " ORDER BY i.execution DESC"), users!(own)];
/// Gives an artifact up, unless some run holds on to it.
const COLLECT: &str = concat!(
    "UPDATE artifacts SET collected_at = $2 WHERE id = $1 AND collected_at IS NULL AND NOT EXISTS (",
    users!(made),
    ") AND NOT EXISTS (",
    users!(read),
    ") AND NOT EXISTS (",
    users!(own),
    ")"
);
const COLLECT_RUN: &str =
    "UPDATE runs SET collected_at = $2 WHERE id = $1 AND collected_at IS NULL AND ended_at IS NOT NULL";
const DELETE_LOGS: &str = "DELETE FROM logs WHERE execution IN (SELECT id FROM executions WHERE run = $1)";

pub(super) const HELD: &str = "SELECT id FROM artifacts WHERE digest = $1 AND collected_at IS NULL";
pub(super) const NEWEST_OF_DIGEST: &str =
    "SELECT id, created_at FROM artifacts WHERE digest = $1 ORDER BY id DESC LIMIT 1";

/// Everything that these runs read or made, with everything upstream of it. `$more` starts from further artifacts.
macro_rules! upstream_of {
    ($runs:literal, $more:literal) => {
        concat!(
            "WITH RECURSIVE kept (run) AS (",
            $runs,
            "), walk (artifact) AS (\
                 SELECT o.artifact FROM kept n CROSS JOIN executions e CROSS JOIN execution_outputs o \
                 WHERE e.run = n.run AND o.execution = e.id \
                 UNION SELECT i.artifact FROM kept n CROSS JOIN executions e CROSS JOIN execution_inputs i \
                 WHERE e.run = n.run AND i.execution = e.id \
                 UNION SELECT d.id FROM kept n CROSS JOIN artifacts d WHERE d.run = n.run ",
            $more,
            " UNION SELECT i.artifact FROM walk CROSS JOIN artifacts a CROSS JOIN execution_inputs i \
                 WHERE a.id = walk.artifact AND i.execution = a.execution) \
             SELECT artifact FROM walk"
        )
    };
}

// The bounds hold always: with them the partial indexes serve.
pub(super) const PUSHED: &str = upstream_of!(
    "SELECT run FROM pushes WHERE id < '~'",
    "UNION SELECT m.id FROM pushes p CROSS JOIN artifacts m WHERE p.id < '~' AND m.digest = p.model"
);
pub(super) const ASKED: &str = upstream_of!(
    "SELECT run FROM requests WHERE status = 'open' AND id < '~' \
     UNION SELECT run FROM requests WHERE status = 'approved' AND pipeline >= ''",
    ""
);
pub(super) const UNDER_WAY: &str =
    upstream_of!("SELECT id FROM runs WHERE status IN ('queued', 'running', 'waiting')", "");

#[async_trait]
impl RetentionStore for SqlStore {
    async fn expired_runs(&self, pipeline: &str, keep: &Keep) -> Result<Vec<RunId>, StoreError> {
        expired(&mut self.reader().await?.connection(), pipeline, keep).await
    }

    async fn holdings(&self, run: &RunId) -> Result<Holdings, StoreError> {
        holdings(&mut self.reader().await?.connection(), run).await
    }

    async fn needed(&self, need: Need) -> Result<HashSet<ArtifactId>, StoreError> {
        let statement = match need {
            Need::Pushed => PUSHED,
            Need::Asked => ASKED,
            Need::UnderWay => UNDER_WAY,
        };
        let mut needed = HashSet::new();
        let mut hear = |id| {
            needed.insert(id);
            true
        };
        each_id(&mut self.reader().await?.connection(), Sql::new(statement), "artifact", &mut hear).await?;
        Ok(needed)
    }

    async fn user(&self, artifact: &ArtifactId, besides: &HashSet<RunId>) -> Result<Option<RunId>, StoreError> {
        let mut lent = self.reader().await?;
        for statement in USERS {
            let users = Sql::new(statement).bind(artifact.to_string());
            if let Some(run) = first_besides(&mut lent.connection(), users, "user_run", besides).await? {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    async fn collect(&self, runs: &[Collecting], by: &Actor, at: Timestamp) -> Result<Vec<Collected>, StoreError> {
        collect(self.writer().await?.begin(Point::Collect).await?, runs, by, at).await
    }

    async fn standing(&self, digest: &Digest, besides: &HashSet<ArtifactId>) -> Result<Standing, StoreError> {
        let mut lent = self.reader().await?;
        let of_digest = |statement| Sql::new(statement).bind(digest.to_string());
        if first_besides(&mut lent.connection(), of_digest(HELD), "id", besides).await?.is_some() {
            return Ok(Standing::Held);
        }
        let newest = one(&mut lent.connection(), "find bytes", of_digest(NEWEST_OF_DIGEST)).await?;
        let recorded = |row: Row| Record::new(&row, "artifacts", "id").instant("created_at");
        Ok(match newest.map(recorded).transpose()? {
            Some(newest) => Standing::Given { newest },
            None => Standing::Unknown,
        })
    }
}

async fn expired(connection: &mut Connection<'_>, pipeline: &str, keep: &Keep) -> Result<Vec<RunId>, StoreError> {
    let mut bounds = Vec::new();
    for statement in [NEWEST, NEWEST_SOUND] {
        bounds.push(match keep.newest {
            0 => runs::AFTER_ALL.to_string(),
            newest => {
                let sql = Sql::new(statement).bind(pipeline).bind(newest);
                match one(connection, "find the newest runs", sql).await? {
                    Some(row) => Record::new(&row, "runs", "id").text("id")?,
                    // There are no more than that.
                    None => String::new(),
                }
            }
        });
    }
    let sql = Sql::new(EXPIRED).bind(pipeline).bind(keep.since.as_micros());
    let sql = bounds.into_iter().fold(sql, Sql::bind);
    let rows = all(connection, "list expired runs", sql).await?;
    rows.iter().map(|row| Record::new(row, "runs", "id").parsed("id")).collect()
}

async fn holdings(connection: &mut Connection<'_>, run: &RunId) -> Result<Holdings, StoreError> {
    let counted = one(connection, "count logs", Sql::new(LOGS).bind(run.to_string())).await?;
    let logs = counted.map_or(Ok(0), |row| Record::new(&row, "logs", "logs").number("logs"))?;
    let rows = all(connection, "list what a run holds", Sql::new(HOLDINGS).bind(run.to_string())).await?;
    let holding = |row: &Row| {
        let record = Record::new(row, "artifacts", "id");
        let kind = ArtifactKind::new(record.text("kind")?);
        Ok(Holding { id: record.parsed("id")?, kind, digest: record.parsed("digest")? })
    };
    let artifacts = rows.iter().map(holding).collect::<Result<_, StoreError>>()?;
    Ok(Holdings { logs, artifacts })
}

/// Hears every identifier in that column, until `hear` answers `false`.
async fn each_id<T>(
    connection: &mut Connection<'_>,
    sql: Sql,
    column: &'static str,
    hear: &mut (dyn FnMut(T) -> bool + Send),
) -> Result<(), StoreError>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Send,
{
    let mut broken = None;
    each(connection, "look at what is needed", sql, &mut |row| match Record::new(row, "artifacts and runs", column)
        .parsed(column)
    {
        Ok(id) => hear(id),
        Err(error) => {
            broken = Some(error);
            false
        }
    })
    .await?;
    broken.map_or(Ok(()), Err)
}

/// The first identifier that is not among those.
async fn first_besides<T>(
    connection: &mut Connection<'_>,
    sql: Sql,
    column: &'static str,
    besides: &HashSet<T>,
) -> Result<Option<T>, StoreError>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Eq + Hash + Send + Sync,
{
    let mut found = None;
    let mut hear = |id| {
        found = (!besides.contains(&id)).then_some(id);
        found.is_none()
    };
    each_id(connection, sql, column, &mut hear).await?;
    Ok(found)
}

async fn collect(
    mut write: Write<'_>,
    runs: &[Collecting],
    by: &Actor,
    at: Timestamp,
) -> Result<Vec<Collected>, StoreError> {
    let mut collected = Vec::new();
    for Collecting { run, artifacts } in runs {
        let marked = Sql::new(COLLECT_RUN).bind(run.to_string()).bind(at.as_micros());
        if write.execute("collect run", marked).await? == 0 {
            continue;
        }
        let logs = write.execute("collect logs", Sql::new(DELETE_LOGS).bind(run.to_string())).await?;
        let mut gone = Collected { run: *run, logs, artifacts: Vec::new() };
        for artifact in artifacts {
            let sql = Sql::new(COLLECT).bind(artifact.to_string()).bind(at.as_micros());
            if write.execute("collect artifact", sql).await? > 0 {
                gone.artifacts.push(*artifact);
            }
        }
        collected.push(gone);
    }
    let deeds = collected.iter().map(|gone| deeds::run_collected(gone, by, at)).collect();
    write.commit(deeds).await?;
    Ok(collected)
}
