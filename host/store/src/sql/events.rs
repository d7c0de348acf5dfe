//! Events: each ends in exactly one run, or in a recorded skip.

use super::connection::{Connection, all, one};
use super::rows::{self, Record};
use super::statement::Sql;
use super::write::Write;
use super::{pipelines, runs};
use crate::deeds;
use countersign_model::admission::{Admitted, Load};
use countersign_model::event::{Event, EventOutcome};
use countersign_model::id::RunId;
use countersign_model::run::{InvalidTransition, Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::Proposal;

/// Nobody else writes meanwhile: what is not there now is new.
const SEEN_AGAIN: &str = "UPDATE events SET seen = seen + 1 WHERE dedupe_key = $1 RETURNING run";
const INSERT: &str = "INSERT INTO events (id, pipeline, cause, actor, dedupe_key, at, run, skipped) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const INSERT_RUN: &str = "INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, span, priority, status, \
     state, created_at, ended_at, queued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
/// Counts no further than the limit that is asked about.
pub(super) const LOAD: &str = "SELECT (SELECT COUNT(*) FROM paused WHERE pipeline = $1) AS paused, \
     (SELECT MIN(id) FROM runs WHERE pipeline = $1 AND status = 'running') AS running, \
     (SELECT id FROM runs WHERE pipeline = $1 AND status = 'queued' ORDER BY priority DESC, queued_at, id LIMIT 1) AS queued, \
     (SELECT COUNT(*) FROM (SELECT 1 FROM runs WHERE pipeline = $1 AND status = 'queued' LIMIT $2) n) AS queue";
/// A run whose worker is placing a model comes to its end: half a deployment helps nobody.
pub(super) const GOING_ON: &str = "SELECT id FROM runs WHERE pipeline = $1 AND status = 'queued' \
     UNION ALL SELECT r.id FROM runs r WHERE r.pipeline = $1 AND r.status = 'running' AND (r.lease_until <= $2 \
         OR NOT EXISTS (SELECT 1 FROM pushes p WHERE p.run = r.id AND p.completed_at IS NULL)) ORDER BY id";
pub(super) const NEWEST: &str = "SELECT * FROM events WHERE id < '~' ORDER BY id DESC LIMIT $1";
pub(super) const NEWEST_OF_PIPELINE: &str = "SELECT * FROM events WHERE pipeline = $1 ORDER BY id DESC LIMIT $2";

pub(super) async fn accept(
    mut write: Write<'_>,
    event: &Event,
    proposal: Proposal<'_>,
) -> Result<EventOutcome, StoreError> {
    let known = Sql::new(SEEN_AGAIN).bind(event.dedupe_key.as_str());
    if let Some(row) = write.one("accept event", known).await? {
        let run = Record::new(&row, "events", "run").optional_parsed("run")?;
        write.commit(Vec::new()).await?;
        return Ok(EventOutcome::SeenAgain { run });
    }
    match proposal {
        Proposal::Run(run) => start(write, event, run, &[]).await,
        Proposal::Admit(run, admission) => {
            let load = load(&mut write.connection(), &event.pipeline, admission.most_queued).await?;
            match admission.judge(&load) {
                Admitted::Queue => start(write, event, run, &[]).await,
                Admitted::Replace => {
                    let now = write.now();
                    let replaced = going_on(&mut write.connection(), &event.pipeline, now).await?;
                    start(write, event, run, &replaced).await
                }
                Admitted::Skip(reason) => skip(write, event, reason).await,
            }
        }
        Proposal::Skip(reason) => skip(write, event, reason.to_string()).await,
    }
}

async fn skip(mut write: Write<'_>, event: &Event, reason: String) -> Result<EventOutcome, StoreError> {
    insert(&mut write, event, None, Some(&reason)).await?;
    write.commit(vec![deeds::event_skipped(event, &reason)]).await?;
    Ok(EventOutcome::Skipped { reason })
}

/// Queues the run in place of the `replaced` ones.
async fn start(mut write: Write<'_>, event: &Event, run: &Run, replaced: &[RunId]) -> Result<EventOutcome, StoreError> {
    insert(&mut write, event, Some(&run.id), None).await?;
    insert_run(&mut write, run).await?;
    let mut deeds = vec![deeds::event_accepted(event, run, replaced)];
    for old in replaced {
        let state = RunState::Ended { end: RunEnd::Replaced { by: run.id } };
        runs::set_state(&mut write, old, &state, Some(event.at), None).await?;
        deeds.push(deeds::run_replaced(event, old, run));
    }
    write.commit(deeds).await?;
    Ok(EventOutcome::Run { run: run.id })
}

async fn load(connection: &mut Connection<'_>, pipeline: &str, most_queued: u32) -> Result<Load, StoreError> {
    let Some(row) = one(connection, "read load", Sql::new(LOAD).bind(pipeline).bind(most_queued)).await? else {
        return Ok(Load::default());
    };
    let record = Record::new(&row, "runs and paused", "queued");
    Ok(Load {
        paused: record.number::<u64>("paused")? > 0,
        running: record.optional_parsed("running")?,
        queued: record.optional_parsed("queued")?,
        queue: record.number("queue")?,
    })
}

/// The queued and running runs, oldest first.
async fn going_on(connection: &mut Connection<'_>, pipeline: &str, now: Timestamp) -> Result<Vec<RunId>, StoreError> {
    let rows = all(connection, "list runs to replace", Sql::new(GOING_ON).bind(pipeline).bind(now.as_micros())).await?;
    rows.iter().map(|row| Record::new(row, "runs", "id").parsed("id")).collect()
}

async fn insert(
    write: &mut Write<'_>,
    event: &Event,
    run: Option<&RunId>,
    skipped: Option<&str>,
) -> Result<(), StoreError> {
    let sql = Sql::new(INSERT)
        .bind(event.id.to_string())
        .bind(event.pipeline.as_str())
        .bind(serde_json::to_string(&event.cause)?)
        .bind(event.actor.as_str())
        .bind(event.dedupe_key.as_str())
        .bind(event.at.as_micros())
        .bind(run.map(ToString::to_string))
        .bind(skipped);
    write.execute("accept event", sql).await.map(|_| ())
}

async fn insert_run(write: &mut Write<'_>, run: &Run) -> Result<(), StoreError> {
    if run.state != RunState::Queued {
        return Err(InvalidTransition { from: run.state.status(), to: "be started by an event" }.into());
    }
    let digest = run.pipeline_digest.to_string();
    let version = Sql::new(pipelines::VERSION).bind(digest.as_str());
    if write.one("accept event", version).await?.is_none() {
        return Err(StoreError::NotFound { what: "pipeline version", id: digest });
    }
    let sql = Sql::new(INSERT_RUN)
        .bind(run.id.to_string())
        .bind(run.pipeline.as_str())
        .bind(digest)
        .bind(run.event.to_string())
        .bind(serde_json::to_string(&run.cause)?)
        .bind(run.started_by.as_str())
        .bind(run.span.as_deref())
        .bind(run.priority)
        .bind(run.state.status())
        .bind(serde_json::to_string(&run.state)?)
        .bind(run.created_at.as_micros())
        .bind(run.ended_at.map(|at| at.as_micros()))
        .bind(write.now().as_micros());
    write.execute("accept event", sql).await.map(|_| ())
}

pub(super) async fn newest(
    connection: &mut Connection<'_>,
    pipeline: Option<&str>,
    limit: u32,
) -> Result<Vec<(Event, EventOutcome)>, StoreError> {
    let sql = match pipeline {
        Some(pipeline) => Sql::new(NEWEST_OF_PIPELINE).bind(pipeline),
        None => Sql::new(NEWEST),
    };
    let rows = all(connection, "list events", sql.bind(limit)).await?;
    rows.iter().map(rows::event).collect()
}
