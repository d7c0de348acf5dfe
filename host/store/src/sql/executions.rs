//! Executions with their edges and logs.

use super::artifacts;
use super::claims;
use super::connection::{Connection, all, one};
use super::rows::{self, Record};
use super::statement::Sql;
use super::write::Write;
use crate::deeds;
use countersign_model::digest::Digest;
use countersign_model::execution::{Execution, ExecutionState, LogLine};
use countersign_model::id::{ArtifactId, ExecutionId, RunId};
use countersign_model::run::{Claim, InvalidTransition};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{ARTIFACT, must_have_ended};

pub(super) const OF_RUN: &str = "SELECT * FROM executions WHERE run = $1 ORDER BY started_at, id";
pub(super) const ONE: &str = "SELECT * FROM executions WHERE id = $1";
pub(super) const LOG: &str = "SELECT execution, lines FROM logs WHERE execution = $1";
/// One whose outputs were collected is of no use.
pub(super) const CACHED: &str = "SELECT e.* FROM executions e WHERE e.cache_key = $1 AND e.status = 'succeeded' \
     AND NOT EXISTS (SELECT 1 FROM execution_outputs o CROSS JOIN artifacts a \
         WHERE o.execution = e.id AND a.id = o.artifact AND a.collected_at IS NOT NULL) ORDER BY e.id DESC LIMIT 1";
pub(super) const PREVIOUS: &str = "SELECT * FROM executions WHERE pipeline = $1 AND step = $2 AND run < $3 \
     AND status <> 'running' ORDER BY run DESC, id DESC LIMIT 1";
const INSERT: &str = "INSERT INTO executions (id, run, pipeline, step, attempt, component, fingerprint, cache_key, own_inputs, \
     inputs, parameters, why, status, verdict, state, started_at, ended_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT (id) DO NOTHING";
const FINISH: &str = "UPDATE executions SET status = $2, verdict = $3, state = $4, ended_at = $5 \
     WHERE id = $1 AND run = $6 AND status = 'running'";
const INSERT_INPUT: &str = "INSERT INTO execution_inputs (execution, port, position, artifact) \
     SELECT $1, $2, $3, id FROM artifacts WHERE id = $4 AND collected_at IS NULL";
const INSERT_OUTPUT: &str = "INSERT INTO execution_outputs (execution, port, artifact, run) \
     SELECT $1, $2, id, $4 FROM artifacts WHERE id = $3 AND collected_at IS NULL";
const INSERT_LOG: &str = "INSERT INTO logs (execution, lines) VALUES ($1, $2)";

pub(super) async fn begin(mut write: Write<'_>, claim: &Claim, execution: &Execution) -> Result<(), StoreError> {
    claims::guard(&mut write, claim, &execution.run).await?;
    insert(&mut write, execution).await?;
    write.commit(vec![deeds::execution_begun(claim, execution)]).await
}

pub(super) async fn publish(
    mut write: Write<'_>,
    claim: &Claim,
    execution: &Execution,
    log: &[LogLine],
) -> Result<(), StoreError> {
    must_have_ended(execution)?;
    claims::guard(&mut write, claim, &execution.run).await?;
    let begun = match execution.state {
        ExecutionState::Cached { .. } => false,
        ExecutionState::Running | ExecutionState::Succeeded { .. } | ExecutionState::Failed { .. } => {
            finish(&mut write, execution).await?
        }
    };
    if !begun {
        insert(&mut write, execution).await?;
    }
    insert_outputs(&mut write, execution).await?;
    if !log.is_empty() {
        let sql = Sql::new(INSERT_LOG).bind(execution.id.to_string()).bind(serde_json::to_string(log)?);
        write.execute("publish execution: log", sql).await?;
    }
    write.commit(vec![deeds::execution_published(claim, execution)]).await
}

/// Ends one that was begun; `false` when there is none.
async fn finish(write: &mut Write<'_>, execution: &Execution) -> Result<bool, StoreError> {
    let sql = Sql::new(FINISH)
        .bind(execution.id.to_string())
        .bind(execution.state.status())
        .bind(verdict(execution)?)
        .bind(serde_json::to_string(&execution.state)?)
        .bind(ended_at(&execution.state).map(Timestamp::as_micros))
        .bind(execution.run.to_string());
    Ok(write.execute("publish execution", sql).await? > 0)
}

async fn insert(write: &mut Write<'_>, execution: &Execution) -> Result<(), StoreError> {
    let id = execution.id.to_string();
    let sql = Sql::new(INSERT)
        .bind(id.as_str())
        .bind(execution.run.to_string())
        .bind(execution.pipeline.as_str())
        .bind(execution.step.as_str())
        .bind(execution.attempt)
        .bind(execution.component.as_str())
        .bind(serde_json::to_string(&execution.fingerprint)?)
        .bind(execution.cache_key.to_string())
        .bind(execution.own_inputs.to_string())
        .bind(serde_json::to_string(&execution.inputs)?)
        .bind(serde_json::to_string(&execution.parameters)?)
        .bind(execution.why.as_str())
        .bind(execution.state.status())
        .bind(verdict(execution)?)
        .bind(serde_json::to_string(&execution.state)?)
        .bind(execution.started_at.as_micros())
        .bind(ended_at(&execution.state).map(Timestamp::as_micros));
    if write.execute("record execution", sql).await? == 0 {
        return Err(InvalidTransition { from: "past this execution", to: "record it again" }.into());
    }
    for (port, artifacts) in &execution.inputs {
        for (position, artifact) in (0_i64..).zip(artifacts) {
            let sql =
                Sql::new(INSERT_INPUT).bind(id.as_str()).bind(port.as_str()).bind(position).bind(artifact.to_string());
            must_be_there(artifact, write.execute("record execution: input", sql).await?)?;
        }
    }
    Ok(())
}

/// New artifacts are recorded; reused ones are there, and the edge alone says that they came out again.
async fn insert_outputs(write: &mut Write<'_>, execution: &Execution) -> Result<(), StoreError> {
    let Some(result) = execution.state.result() else {
        return Ok(());
    };
    for (port, artifact) in &result.outputs {
        if matches!(execution.state, ExecutionState::Succeeded { .. }) {
            artifacts::insert(write, artifact).await?;
        }
        let sql = Sql::new(INSERT_OUTPUT)
            .bind(execution.id.to_string())
            .bind(port.as_str())
            .bind(artifact.id.to_string())
            .bind(execution.run.to_string());
        must_be_there(&artifact.id, write.execute("publish execution: output", sql).await?)?;
    }
    Ok(())
}

/// An edge to an artifact that was collected since somebody found it, or never was there, is not written.
fn must_be_there(artifact: &ArtifactId, written: u64) -> Result<(), StoreError> {
    match written {
        0 => Err(StoreError::NotFound { what: ARTIFACT, id: artifact.to_string() }),
        _ => Ok(()),
    }
}

fn verdict(execution: &Execution) -> Result<Option<String>, StoreError> {
    let Some(result) = execution.state.result() else {
        return Ok(None);
    };
    Ok(serde_json::to_value(result.verdict)?.as_str().map(str::to_string))
}

fn ended_at(state: &ExecutionState) -> Option<Timestamp> {
    match state {
        ExecutionState::Running => None,
        ExecutionState::Succeeded { result } | ExecutionState::Cached { result, .. } => Some(result.ended_at),
        ExecutionState::Failed { ended_at, .. } => Some(*ended_at),
    }
}

pub(super) async fn of_run(connection: &mut Connection<'_>, run: &RunId) -> Result<Vec<Execution>, StoreError> {
    let rows = all(connection, "list executions", Sql::new(OF_RUN).bind(run.to_string())).await?;
    rows.iter().map(rows::execution).collect()
}

pub(super) async fn read(connection: &mut Connection<'_>, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
    let row = one(connection, "read execution", Sql::new(ONE).bind(id.to_string())).await?;
    row.as_ref().map(rows::execution).transpose()
}

pub(super) async fn log(connection: &mut Connection<'_>, id: &ExecutionId) -> Result<Vec<LogLine>, StoreError> {
    let row = one(connection, "read execution log", Sql::new(LOG).bind(id.to_string())).await?;
    row.map_or(Ok(Vec::new()), |row| Record::new(&row, "logs", "execution").document("lines"))
}

pub(super) async fn cached(
    connection: &mut Connection<'_>,
    cache_key: &Digest,
) -> Result<Option<Execution>, StoreError> {
    let row = one(connection, "look up cache", Sql::new(CACHED).bind(cache_key.to_string())).await?;
    row.as_ref().map(rows::execution).transpose()
}

pub(super) async fn previous(
    connection: &mut Connection<'_>,
    pipeline: &str,
    step: &str,
    before: &RunId,
) -> Result<Option<Execution>, StoreError> {
    let sql = Sql::new(PREVIOUS).bind(pipeline).bind(step).bind(before.to_string());
    let row = one(connection, "find previous execution", sql).await?;
    row.as_ref().map(rows::execution).transpose()
}
