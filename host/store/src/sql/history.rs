//! Resolvers: inputs that name history. Every statement walks an index from the newest on and stops at the answer.

use super::connection::{Connection, all};
use super::rows;
use super::statement::Sql;
use countersign_model::artifact::Artifact;
use countersign_model::digest::Digest;
use countersign_model::resolver::Resolver;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::HistoryQuery;

/// $1 pipeline, $2 kind, $3 asking run, $4 asking step, $5 its own inputs, $6 their digests. What was collected is no history.
///
/// An artifact counts when it came out, made or reused, of a run in which no check failed: one that was made in a run that went
/// wrong later and was reused since in one that went well is history too. A delivery comes from its own run only.
///
/// `LIMIT 1 OFFSET 0` says nothing but that each artifact is asked about by itself: Postgres would answer the question for every
/// artifact of the store first, and look the newest one up in that.
pub(super) const PREVIOUS: &str = "SELECT a.* FROM artifacts a WHERE a.pipeline = $1 AND a.kind = $2 AND a.collected_at IS NULL \
     AND $6 NOT LIKE '%' || a.digest || '%' \
     AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = a.execution AND e.step = $4 AND e.own_inputs = $5) \
     AND (EXISTS (SELECT 1 FROM execution_outputs o JOIN runs r ON r.id = o.run WHERE o.artifact = a.id AND o.run <> $3 \
             AND r.status NOT IN ('failed', 'blocked') \
             AND NOT EXISTS (SELECT 1 FROM executions f WHERE f.run = o.run AND f.verdict = 'fail') LIMIT 1 OFFSET 0) \
         OR (a.execution IS NULL AND a.run <> $3 AND EXISTS (SELECT 1 FROM runs r WHERE r.id = a.run \
             AND r.status NOT IN ('failed', 'blocked') \
             AND NOT EXISTS (SELECT 1 FROM executions f WHERE f.run = a.run AND f.verdict = 'fail')))) \
     ORDER BY a.id DESC LIMIT 1";

/// What an artifact by that name has to be, as in [`PREVIOUS`]. What an empty text is appended to is looked up in no index: by itself
/// SQLite reads all models of the pipeline instead of the few artifacts with a digest.
macro_rules! counts {
    ($name:literal) => {
        concat!(
            $name,
            ".pipeline || '' = $1 AND ",
            $name,
            ".kind || '' = $2 AND ",
            $name,
            ".collected_at IS NULL \
             AND $6 NOT LIKE '%' || ",
            $name,
            ".digest || '%' \
             AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = ",
            $name,
            ".execution AND e.step = $4 AND e.own_inputs = $5)"
        )
    };
}

/// The newest release that an artifact is left of, then that artifact: one release is asked about after the other, as in [`PREVIOUS`].
macro_rules! released {
    ($digest:literal, $release:literal, $newest:literal) => {
        concat!(
            "SELECT a.* FROM (SELECT ",
            $digest,
            " AS digest FROM ",
            $release,
            " AND EXISTS \
                 (SELECT 1 FROM artifacts x WHERE x.digest = ",
            $digest,
            " AND ",
            counts!("x"),
            " LIMIT 1 OFFSET 0) \
             ORDER BY ",
            $newest,
            " LIMIT 1) m \
             CROSS JOIN artifacts a WHERE a.digest = m.digest AND ",
            counts!("a"),
            " ORDER BY a.id DESC LIMIT 1"
        )
    };
}

pub(super) const APPROVED: &str = released!(
    "q.model_digest",
    "requests q WHERE q.pipeline = $1 AND q.status = 'approved' AND q.run <> $3",
    "q.closed_at DESC, q.id DESC"
);
pub(super) const PUSHED: &str = released!(
    "p.model",
    "pushes p WHERE p.pipeline = $1 AND p.completed_at IS NOT NULL AND p.run <> $3",
    "p.completed_at DESC, p.id DESC"
);

/// $1 pipeline, $2 kind, $3 spans. As [`PREVIOUS`]: the newest artifact of each of the newest spans; the skip rules are not for
/// windows, which hold the asking run's own span on purpose.
pub(super) const SPANS: &str = "SELECT a.* FROM (SELECT MAX(s.id) AS id FROM artifacts s \
         WHERE s.pipeline = $1 AND s.kind = $2 AND s.span IS NOT NULL AND s.collected_at IS NULL \
         AND EXISTS (SELECT 1 FROM execution_outputs o JOIN runs r ON r.id = o.run WHERE o.artifact = s.id \
             AND r.status NOT IN ('failed', 'blocked') \
             AND NOT EXISTS (SELECT 1 FROM executions f WHERE f.run = o.run AND f.verdict = 'fail') LIMIT 1 OFFSET 0) \
         GROUP BY s.span ORDER BY s.span DESC LIMIT $3) n \
     CROSS JOIN artifacts a WHERE a.id = n.id ORDER BY a.span DESC";

pub(super) async fn resolve(
    connection: &mut Connection<'_>,
    query: &HistoryQuery,
) -> Result<Vec<Artifact>, StoreError> {
    let kind = query.resolver.kind();
    let statement = match &query.resolver {
        Resolver::Previous(_) => PREVIOUS,
        Resolver::LatestApprovedModel => APPROVED,
        Resolver::LatestPushedModel => PUSHED,
        Resolver::LastSpans(count) => {
            let sql = Sql::new(SPANS).bind(query.pipeline.as_str()).bind(kind.as_str()).bind(*count);
            let rows = all(connection, "resolve history", sql).await?;
            return rows.iter().map(rows::artifact).collect();
        }
    };
    // Digests are hexadecimal and of one length, so that one is part of this text only when it is one of them.
    let own_digests: Vec<String> = query.own_digests.iter().map(Digest::to_string).collect();
    let sql = Sql::new(statement)
        .bind(query.pipeline.as_str())
        .bind(kind.as_str())
        .bind(query.run.to_string())
        .bind(query.step.as_str())
        .bind(query.own_inputs.to_string())
        .bind(own_digests.join(","));
    let rows = all(connection, "resolve history", sql).await?;
    rows.iter().map(rows::artifact).collect()
}
