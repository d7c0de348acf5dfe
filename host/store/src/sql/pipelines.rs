//! Registered definitions.

use super::connection::{Connection, all, one};
use super::rows;
use super::statement::Sql;
use super::write::Write;
use crate::deeds;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::pipeline::PipelineVersion;
use countersign_ports::StoreError;

pub(super) const VERSION: &str = "SELECT * FROM pipeline_versions WHERE digest = $1";
/// One row a pipeline: reading them all is the question.
pub(super) const IN_FORCE: &str =
    "SELECT v.* FROM pipelines p JOIN pipeline_versions v ON v.digest = p.digest ORDER BY p.name";
const IN_FORCE_OF: &str = "SELECT digest FROM pipelines WHERE name = $1 AND digest = $2";
const INSERT: &str = "INSERT INTO pipeline_versions (digest, name, pipeline, origin, created_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (digest) DO NOTHING";
const PUT_IN_FORCE: &str = "INSERT INTO pipelines (name, digest, most_running) VALUES ($1, $2, $3) \
     ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, most_running = excluded.most_running";

pub(super) async fn register(mut write: Write<'_>, version: &PipelineVersion, by: &Actor) -> Result<(), StoreError> {
    let digest = version.digest.to_string();
    let operation = "register pipeline";
    let known = Sql::new(IN_FORCE_OF).bind(version.name.as_str()).bind(digest.as_str());
    if write.one(operation, known).await?.is_some() {
        return Ok(());
    }
    let insert = Sql::new(INSERT)
        .bind(digest.as_str())
        .bind(version.name.as_str())
        .bind(serde_json::to_string(&version.pipeline)?)
        .bind(version.origin.as_str())
        .bind(version.created_at.as_micros());
    write.execute(operation, insert).await?;
    let most_running = version.pipeline.trigger.most_running();
    let put = Sql::new(PUT_IN_FORCE).bind(version.name.as_str()).bind(digest.as_str()).bind(most_running);
    write.execute(operation, put).await?;
    write.commit(vec![deeds::pipeline_registered(version, by)]).await
}

pub(super) async fn version(
    connection: &mut Connection<'_>,
    digest: &Digest,
) -> Result<Option<PipelineVersion>, StoreError> {
    let row = one(connection, "read pipeline version", Sql::new(VERSION).bind(digest.to_string())).await?;
    row.as_ref().map(rows::pipeline_version).transpose()
}

pub(super) async fn in_force(connection: &mut Connection<'_>) -> Result<Vec<PipelineVersion>, StoreError> {
    let rows = all(connection, "list pipelines", Sql::new(IN_FORCE)).await?;
    rows.iter().map(rows::pipeline_version).collect()
}
