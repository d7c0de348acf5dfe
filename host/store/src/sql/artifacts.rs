//! Artifacts: recording and listing them. Their bytes are elsewhere.

use super::claims;
use super::connection::{Connection, all, one};
use super::rows;
use super::runs::page;
use super::statement::Sql;
use super::write::Write;
use crate::deeds;
use countersign_model::artifact::Artifact;
use countersign_model::id::ArtifactId;
use countersign_model::run::Claim;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::ArtifactFilter;

pub(super) const ONE: &str = "SELECT * FROM artifacts WHERE id = $1";
const INSERT: &str = "INSERT INTO artifacts (id, kind, digest, bytes, pipeline, step, output, run, execution, span, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

// The narrowest condition picks the index; the others are checked on what it finds.
pub(super) const OF_DIGEST: &str = "SELECT * FROM artifacts WHERE digest = $2 AND ($3 IS NULL OR run = $3) \
     AND ($4 IS NULL OR pipeline = $4) AND ($5 IS NULL OR kind = $5) ORDER BY id DESC LIMIT $1";
pub(super) const OF_RUN: &str = "SELECT * FROM artifacts WHERE run = $3 AND ($2 IS NULL OR digest = $2) \
     AND ($4 IS NULL OR pipeline = $4) AND ($5 IS NULL OR kind = $5) ORDER BY id DESC LIMIT $1";
pub(super) const OF_BOTH: &str = "SELECT * FROM artifacts WHERE pipeline = $4 AND kind = $5 ORDER BY id DESC LIMIT $1";
pub(super) const OF_PIPELINE: &str = "SELECT * FROM artifacts WHERE pipeline = $4 ORDER BY id DESC LIMIT $1";
pub(super) const OF_KIND: &str = "SELECT * FROM artifacts WHERE kind = $5 ORDER BY id DESC LIMIT $1";
pub(super) const NEWEST: &str = "SELECT * FROM artifacts WHERE id < '~' ORDER BY id DESC LIMIT $1";

pub(super) async fn insert(write: &mut Write<'_>, artifact: &Artifact) -> Result<(), StoreError> {
    let sql = Sql::new(INSERT)
        .bind(artifact.id.to_string())
        .bind(artifact.kind.as_str())
        .bind(artifact.digest.to_string())
        .bind(i64::try_from(artifact.bytes).unwrap_or(i64::MAX))
        .bind(artifact.pipeline.as_str())
        .bind(artifact.step.as_str())
        .bind(artifact.output.as_str())
        .bind(artifact.run.to_string())
        .bind(artifact.execution.map(|id| id.to_string()))
        .bind(artifact.span.as_deref())
        .bind(artifact.created_at.as_micros());
    write.execute("record artifact", sql).await.map(|_| ())
}

pub(super) async fn record_delivery(
    mut write: Write<'_>,
    claim: &Claim,
    artifact: &Artifact,
) -> Result<(), StoreError> {
    claims::guard(&mut write, claim, &artifact.run).await?;
    insert(&mut write, artifact).await?;
    write.commit(vec![deeds::delivery_recorded(claim, artifact)]).await
}

pub(super) async fn read(connection: &mut Connection<'_>, id: &ArtifactId) -> Result<Option<Artifact>, StoreError> {
    let row = one(connection, "read artifact", Sql::new(ONE).bind(id.to_string())).await?;
    row.as_ref().map(rows::artifact).transpose()
}

pub(super) async fn list(
    connection: &mut Connection<'_>,
    filter: &ArtifactFilter,
) -> Result<Vec<Artifact>, StoreError> {
    let statement = match (&filter.digest, &filter.run, &filter.pipeline, &filter.kind) {
        (Some(_), _, _, _) => OF_DIGEST,
        (None, Some(_), _, _) => OF_RUN,
        (None, None, Some(_), Some(_)) => OF_BOTH,
        (None, None, Some(_), None) => OF_PIPELINE,
        (None, None, None, Some(_)) => OF_KIND,
        (None, None, None, None) => NEWEST,
    };
    let sql = Sql::new(statement)
        .bind(page(filter.limit))
        .bind(filter.digest.map(|digest| digest.to_string()))
        .bind(filter.run.map(|run| run.to_string()))
        .bind(filter.pipeline.as_deref())
        .bind(filter.kind.as_ref().map(|kind| kind.as_str()));
    let rows = all(connection, "list artifacts", sql).await?;
    rows.iter().map(rows::artifact).collect()
}
