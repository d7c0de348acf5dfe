//! Lineage by recursive query over the edges. UNION visits each artifact once, and the queue of a recursive query is first in,
//! first out, so that its limit keeps the nearest.

use super::connection::{Lent, Row, all, failed};
use super::postgres;
use super::rows::{self, Record};
use super::statement::{PerDatabase, Sql};
use crate::graph::{Link, assemble};
use countersign_model::id::ArtifactId;
use countersign_model::lineage::{Direction, Lineage, LineageExecution};
use countersign_ports::StoreError;

/// Both questions are answered from one state of the store.
const SNAPSHOT: PerDatabase = PerDatabase { sqlite: "BEGIN", postgres: postgres::SNAPSHOT };

/// From the first artifact along `$along`. Postgres takes no limit inside a recursion, and goes no further than it is asked to.
macro_rules! reached {
    ($along:literal, $rest:literal) => {
        PerDatabase {
            sqlite: concat!(
                "WITH RECURSIVE walk (artifact) AS (SELECT id FROM artifacts WHERE id = $1 UNION ",
                $along,
                " LIMIT $2), reached AS (SELECT artifact FROM walk) ",
                $rest
            ),
            postgres: concat!(
                "WITH RECURSIVE walk (artifact) AS (SELECT id FROM artifacts WHERE id = $1 UNION ",
                $along,
                "), reached AS (SELECT artifact FROM walk LIMIT $2) ",
                $rest
            ),
        }
    };
}

macro_rules! upstream {
    ($rest:literal) => {
        reached!(
            "SELECT i.artifact FROM walk CROSS JOIN artifacts a CROSS JOIN execution_inputs i \
             WHERE a.id = walk.artifact AND i.execution = a.execution",
            $rest
        )
    };
}

macro_rules! downstream {
    ($rest:literal) => {
        reached!(
            "SELECT o.artifact FROM walk CROSS JOIN execution_inputs i CROSS JOIN execution_outputs o \
             WHERE i.artifact = walk.artifact AND o.execution = i.execution",
            $rest
        )
    };
}

pub(super) const UPSTREAM_ARTIFACTS: PerDatabase =
    upstream!("SELECT a.* FROM reached CROSS JOIN artifacts a WHERE a.id = reached.artifact");
pub(super) const UPSTREAM_LINKS: PerDatabase = upstream!(
    "SELECT e.id, e.step, e.component, i.artifact AS input, i.port AS input_port, a.id AS output, a.output AS output_port \
     FROM reached CROSS JOIN artifacts a CROSS JOIN executions e LEFT JOIN execution_inputs i ON i.execution = e.id \
     WHERE a.id = reached.artifact AND e.id = a.execution"
);
pub(super) const DOWNSTREAM_ARTIFACTS: PerDatabase =
    downstream!("SELECT a.* FROM reached CROSS JOIN artifacts a WHERE a.id = reached.artifact");
/// Executions that took the same artifact to the same output again, from the cache, are folded into the first.
pub(super) const DOWNSTREAM_LINKS: PerDatabase = downstream!(
    "SELECT e.id, e.step, e.component, l.input, l.input_port, l.output, l.output_port FROM \
     (SELECT MIN(o.execution) AS execution, i.artifact AS input, i.port AS input_port, o.artifact AS output, o.port AS output_port \
      FROM reached CROSS JOIN execution_inputs i CROSS JOIN execution_outputs o \
      WHERE i.artifact = reached.artifact AND o.execution = i.execution \
      GROUP BY i.artifact, i.port, o.artifact, o.port) l CROSS JOIN executions e WHERE e.id = l.execution"
);

pub(super) async fn lineage(
    mut connection: Lent<'_>,
    artifact: &ArtifactId,
    direction: Direction,
    limit: u32,
) -> Result<Lineage, StoreError> {
    let (artifacts, links) = match direction {
        Direction::Upstream => (UPSTREAM_ARTIFACTS, UPSTREAM_LINKS),
        Direction::Downstream => (DOWNSTREAM_ARTIFACTS, DOWNSTREAM_LINKS),
    };
    let operation = "follow lineage";
    let mut snapshot = connection.begin(SNAPSHOT).await.map_err(failed(operation))?;
    let sql = |statement: PerDatabase| Sql::new(statement).bind(artifact.to_string()).bind(limit);
    let artifacts = all(&mut snapshot.connection(), operation, sql(artifacts)).await?;
    let links = all(&mut snapshot.connection(), operation, sql(links)).await?;
    snapshot.commit().await.map_err(failed(operation))?;
    if artifacts.is_empty() && limit > 0 {
        return Err(StoreError::NotFound { what: "artifact", id: artifact.to_string() });
    }
    let artifacts = artifacts.iter().map(rows::artifact).collect::<Result<_, _>>()?;
    let links = links.iter().map(link).collect::<Result<_, _>>()?;
    Ok(assemble(*artifact, artifacts, links, direction, limit as usize))
}

fn link(row: &Row) -> Result<Link, StoreError> {
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
