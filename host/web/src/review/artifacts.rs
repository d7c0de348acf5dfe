//! Artifacts: their files, what went into them and what came of them.

use super::history::RequestLine;
use super::sources::{ReviewError, Sources};
use countersign_model::artifact::Artifact;
use countersign_model::id::ArtifactId;
use countersign_model::lineage::{Direction, Lineage};
use countersign_ports::metadata_store::ArtifactFilter;
use schemars::JsonSchema;
use serde::Serialize;

/// Artifacts of a list, unless the filter says otherwise.
const SHOWN: u32 = 100;
/// Artifacts of a lineage.
const LINEAGE: u32 = 60;
/// Files shown.
const FILES: usize = 200;

/// A list of artifacts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ArtifactList {
    /// Of this pipeline only.
    pub pipeline: Option<String>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// Newest first.
    pub artifacts: Vec<ArtifactLine>,
}

/// One artifact.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ArtifactLine {
    /// Its identifier.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Its digest.
    pub digest: String,
    /// The first twelve characters of it.
    pub digest_short: String,
    /// Bytes of all files together.
    pub bytes: u64,
    /// The pipeline.
    pub pipeline: String,
    /// The step, or the source that delivered it.
    pub step: String,
    /// The run in which it was made.
    pub run: String,
    /// The delivery that it belongs to.
    pub span: Option<String>,
    /// When it was published, RFC 3339.
    pub created_at: String,
}

impl From<&Artifact> for ArtifactLine {
    fn from(artifact: &Artifact) -> Self {
        Self {
            id: artifact.id.to_string(),
            kind: artifact.kind.to_string(),
            digest: artifact.digest.to_string(),
            digest_short: artifact.digest.short(),
            bytes: artifact.bytes,
            pipeline: artifact.pipeline.clone(),
            step: artifact.step.clone(),
            run: artifact.run.to_string(),
            span: artifact.span.clone(),
            created_at: artifact.created_at.to_string(),
        }
    }
}

/// One artifact, whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ArtifactPage {
    /// The artifact itself.
    pub artifact: ArtifactLine,
    /// Its files, by path.
    pub files: Vec<FileLine>,
    /// Files that are not in this list.
    pub more_files: usize,
    /// Why its files can not be listed.
    pub problem: Option<String>,
    /// What went into it.
    pub upstream: LineageView,
    /// What came of it.
    pub downstream: LineageView,
    /// Requests about it as a candidate, newest first.
    pub requests: Vec<RequestLine>,
}

/// One file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileLine {
    /// Its path.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub digest: String,
}

/// A part of the lineage graph.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct LineageView {
    /// Artifacts, the asked-for one first, then by distance.
    pub artifacts: Vec<ArtifactLine>,
    /// Edges between them, from position to position, in the direction in which data flows.
    pub edges: Vec<(usize, usize)>,
}

/// Loads a list of artifacts.
///
/// # Errors
/// When the record fails.
pub async fn load_artifacts(sources: &Sources, filter: &ArtifactFilter) -> Result<ArtifactList, ReviewError> {
    let limit = if filter.limit == 0 { SHOWN } else { filter.limit.min(500) };
    let filter = ArtifactFilter { limit, ..filter.clone() };
    let artifacts = sources.store.artifacts(&filter).await?;
    Ok(ArtifactList {
        artifacts: artifacts.iter().map(ArtifactLine::from).collect(),
        pipeline: filter.pipeline,
        kind: filter.kind.map(|kind| kind.to_string()),
    })
}

/// Loads one artifact.
///
/// # Errors
/// When there is no such artifact or the record fails.
pub async fn load_artifact(sources: &Sources, id: &ArtifactId) -> Result<ArtifactPage, ReviewError> {
    let Some(artifact) = sources.store.artifact(id).await? else {
        return Err(ReviewError::NotFound(id.to_string()));
    };
    let (mut files, problem) = match sources.artifacts.manifest(&artifact.digest).await {
        Ok(manifest) => (manifest.files, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let more_files = files.len().saturating_sub(FILES);
    files.truncate(FILES);
    let file = |file: countersign_model::artifact::FileEntry| FileLine {
        path: file.path,
        bytes: file.bytes,
        digest: file.digest.to_string(),
    };
    let upstream = sources.store.lineage(id, Direction::Upstream, LINEAGE).await?;
    let downstream = sources.store.lineage(id, Direction::Downstream, LINEAGE).await?;
    let requests = sources.store.requests(None, Some(&artifact.digest)).await?;
    Ok(ArtifactPage {
        artifact: ArtifactLine::from(&artifact),
        files: files.into_iter().map(file).collect(),
        more_files,
        problem,
        upstream: view(&upstream),
        downstream: view(&downstream),
        requests: requests.iter().map(RequestLine::from).collect(),
    })
}

/// Leaves executions out: an edge leads from what one read to what it made.
fn view(lineage: &Lineage) -> LineageView {
    let place = |id: &ArtifactId| lineage.artifacts.iter().position(|artifact| artifact.id == *id);
    let mut edges = Vec::new();
    for made in lineage.edges.iter().filter(|edge| edge.output) {
        for read in lineage.edges.iter().filter(|edge| !edge.output && edge.execution == made.execution) {
            if let (Some(from), Some(to)) = (place(&read.artifact), place(&made.artifact))
                && from != to
                && !edges.contains(&(from, to))
            {
                edges.push((from, to));
            }
        }
    }
    LineageView { artifacts: lineage.artifacts.iter().map(ArtifactLine::from).collect(), edges }
}
