//! Lineage by recursive query over the edges. UNION visits each artifact once, and the queue of a recursive query is first in,
//! first out, so that its limit keeps the nearest.

use super::connection::{all, failed};
use super::rows::{self, Record};
use crate::graph::{Link, assemble};
use countersign_model::id::ArtifactId;
use countersign_model::lineage::{Direction, Lineage, LineageExecution};
use countersign_ports::StoreError;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};

macro_rules! upstream {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE reached (artifact) AS (SELECT id FROM artifacts WHERE id = ?1 UNION \
             SELECT i.artifact FROM reached CROSS JOIN artifacts a ON a.id = reached.artifact \
             CROSS JOIN execution_inputs i ON i.execution = a.execution LIMIT ?2) ",
            $rest
        )
    };
}

macro_rules! downstream {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE reached (artifact) AS (SELECT id FROM artifacts WHERE id = ?1 UNION \
             SELECT o.artifact FROM reached CROSS JOIN execution_inputs i ON i.artifact = reached.artifact \
             CROSS JOIN execution_outputs o ON o.execution = i.execution LIMIT ?2) ",
            $rest
        )
    };
}

pub(super) const UPSTREAM_ARTIFACTS: &str =
    upstream!("SELECT a.* FROM reached CROSS JOIN artifacts a ON a.id = reached.artifact");
pub(super) const UPSTREAM_LINKS: &str = upstream!(
    "SELECT e.id, e.step, e.component, i.artifact AS input, i.port AS input_port, a.id AS output, a.output AS output_port \
     FROM reached CROSS JOIN artifacts a ON a.id = reached.artifact CROSS JOIN executions e ON e.id = a.execution \
     LEFT JOIN execution_inputs i ON i.execution = e.id"
);
pub(super) const DOWNSTREAM_ARTIFACTS: &str =
    downstream!("SELECT a.* FROM reached CROSS JOIN artifacts a ON a.id = reached.artifact");
/// Executions that took the same artifact to the same output again, from the cache, are folded into the first.
pub(super) const DOWNSTREAM_LINKS: &str = downstream!(
    "SELECT e.id, e.step, e.component, l.input, l.input_port, l.output, l.output_port FROM \
     (SELECT MIN(o.execution) AS execution, i.artifact AS input, i.port AS input_port, o.artifact AS output, o.port AS output_port \
      FROM reached CROSS JOIN execution_inputs i ON i.artifact = reached.artifact \
      CROSS JOIN execution_outputs o ON o.execution = i.execution \
      GROUP BY i.artifact, i.port, o.artifact, o.port) l CROSS JOIN executions e ON e.id = l.execution"
);

pub(super) async fn lineage(
    connection: &mut SqliteConnection,
    artifact: &ArtifactId,
    direction: Direction,
    limit: u32,
) -> Result<Lineage, StoreError> {
    let (artifacts, links) = match direction {
        Direction::Upstream => (UPSTREAM_ARTIFACTS, UPSTREAM_LINKS),
        Direction::Downstream => (DOWNSTREAM_ARTIFACTS, DOWNSTREAM_LINKS),
    };
    let operation = "follow lineage";
    let mut snapshot = connection.begin().await.map_err(failed(operation))?;
    let sql = |statement: &'static str| sqlx::query(statement).bind(artifact.to_string()).bind(limit);
    let artifacts = all(&mut snapshot, operation, sql(artifacts)).await?;
    let links = all(&mut snapshot, operation, sql(links)).await?;
    snapshot.commit().await.map_err(failed(operation))?;
    if artifacts.is_empty() && limit > 0 {
        return Err(StoreError::NotFound { what: "artifact", id: artifact.to_string() });
    }
    let artifacts = artifacts.iter().map(rows::artifact).collect::<Result<_, _>>()?;
    let links = links.iter().map(link).collect::<Result<_, _>>()?;
    Ok(assemble(*artifact, artifacts, links, direction, limit as usize))
}

fn link(row: &SqliteRow) -> Result<Link, StoreError> {
    let record = Record::new(row, "executions", "id");
    let input = match record.optional_parsed("input")? {
        Some(artifact) => Some((artifact, record.text("input_port")?)),
        None => None,
    };
    Ok(Link {
        execution: LineageExecution {
            id: record.parsed("id")?,
            step: record.text("step")?,
            component: record.text("component")?,
        },
        input,
        output: (record.parsed("output")?, record.text("output_port")?),
    })
}
