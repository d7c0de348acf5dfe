//! Events: each ends in exactly one run, or in a recorded skip.

use super::connection::{Write, all};
use super::pipelines;
use super::rows::{self, Record};
use crate::deeds;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::run::{InvalidTransition, Run, RunState};
use countersign_ports::StoreError;
use sqlx::SqliteConnection;

/// The unique key decides, not a look before: of two that come at once one inserts and the other counts.
const ACCEPT: &str = "INSERT INTO events (id, pipeline, cause, actor, dedupe_key, at, run, skipped) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (dedupe_key) DO UPDATE SET seen = events.seen + 1 RETURNING seen, run";
const INSERT_RUN: &str = "INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, span, status, state, \
     created_at, ended_at, queued_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
pub(super) const NEWEST: &str = "SELECT * FROM events WHERE id < '~' ORDER BY id DESC LIMIT ?1";
pub(super) const NEWEST_OF_PIPELINE: &str = "SELECT * FROM events WHERE pipeline = ?1 ORDER BY id DESC LIMIT ?2";

pub(super) async fn accept(
    mut write: Write<'_>,
    event: &Event,
    run: Result<&Run, &str>,
) -> Result<EventOutcome, StoreError> {
    let sql = sqlx::query(ACCEPT)
        .bind(event.id.to_string())
        .bind(event.pipeline.as_str())
        .bind(serde_json::to_string(&event.cause)?)
        .bind(event.actor.as_str())
        .bind(event.dedupe_key.as_str())
        .bind(event.at.as_micros())
        .bind(run.ok().map(|run| run.id.to_string()))
        .bind(run.err());
    let row = write
        .one("accept event", sql)
        .await?
        .ok_or_else(|| StoreError::NotFound { what: "event", id: event.id.to_string() })?;
    let record = Record::new(&row, "events", "run");
    if record.number::<i64>("seen")? > 1 {
        let run = record.optional_parsed("run")?;
        write.commit(Vec::new()).await?;
        return Ok(EventOutcome::SeenAgain { run });
    }
    match run {
        Ok(run) => {
            insert_run(&mut write, run).await?;
            write.commit(vec![deeds::event_accepted(event, run)]).await?;
            Ok(EventOutcome::Run { run: run.id })
        }
        Err(reason) => {
            write.commit(vec![deeds::event_skipped(event, reason)]).await?;
            Ok(EventOutcome::Skipped { reason: reason.to_string() })
        }
    }
}

async fn insert_run(write: &mut Write<'_>, run: &Run) -> Result<(), StoreError> {
    if run.state != RunState::Queued {
        return Err(InvalidTransition { from: run.state.status(), to: "be started by an event" }.into());
    }
    let digest = run.pipeline_digest.to_string();
    let version = sqlx::query(pipelines::VERSION).bind(digest.as_str());
    if write.one("accept event", version).await?.is_none() {
        return Err(StoreError::NotFound { what: "pipeline version", id: digest });
    }
    let sql = sqlx::query(INSERT_RUN)
        .bind(run.id.to_string())
        .bind(run.pipeline.as_str())
        .bind(digest)
        .bind(run.event.to_string())
        .bind(serde_json::to_string(&run.cause)?)
        .bind(run.started_by.as_str())
        .bind(run.span.as_deref())
        .bind(run.state.status())
        .bind(serde_json::to_string(&run.state)?)
        .bind(run.created_at.as_micros())
        .bind(run.ended_at.map(|at| at.as_micros()))
        .bind(write.now().as_micros());
    write.execute("accept event", sql).await.map(|_| ())
}

pub(super) async fn newest(
    connection: &mut SqliteConnection,
    pipeline: Option<&str>,
    limit: u32,
) -> Result<Vec<(Event, EventOutcome)>, StoreError> {
    let sql = match pipeline {
        Some(pipeline) => sqlx::query(NEWEST_OF_PIPELINE).bind(pipeline),
        None => sqlx::query(NEWEST),
    };
    let rows = all(connection, "list events", sql.bind(limit)).await?;
    rows.iter().map(rows::event).collect()
}
