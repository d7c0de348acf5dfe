//! The whole review of one request.

use super::checks::{self, Checks};
use super::data::{self, Data, DataSources};
use super::difficulty::{self, Difficulty};
use super::history::{self, History};
use super::lineage::{self, Lineage};
use super::metrics::{self, Metrics};
use super::poking::{self, PokeDesk};
use super::request::{self, Bar};
use super::sources::{ReviewError, Sources};
use super::trail::Trail;
use super::words;
use countersign_model::artifact::ArtifactKind;
use countersign_model::decision::SignoffRequest;
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::id::RequestId;
use countersign_model::run::Run;
use schemars::JsonSchema;
use serde::Serialize;

/// Everything that somebody who decides has to see, in that order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Review {
    /// What is asked, of whom, until when.
    pub bar: Bar,
    /// What changed since the live model.
    pub changed: Changed,
    /// What the checks found.
    pub checks: Checks,
    /// The candidate's numbers beside the live model's.
    pub metrics: Metrics,
    /// The data.
    pub data: Data,
    /// Example difficulty, if the pipeline measures it.
    pub difficulty: Option<Difficulty>,
    /// What can be tried.
    pub poke: PokeDesk,
    /// Where the candidate comes from.
    pub lineage: Lineage,
    /// What came before.
    pub history: History,
    /// The evidence document, canonical JSON text: what is signed.
    pub evidence_json: String,
    /// What could not be read of the artifacts, in words: there the page shows what the evidence document itself holds.
    pub unreadable: Vec<String>,
}

/// What changed since the live model.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Changed {
    /// In words; empty when nothing did or when nothing is live.
    pub changes: Vec<String>,
    /// Whether this is the first model.
    pub first: bool,
    /// Why the run started.
    pub trigger: String,
    /// When it was accepted, RFC 3339.
    pub started_at: String,
    /// The delivery it is about.
    pub span: Option<String>,
    /// Digest of the pipeline definition.
    pub pipeline_digest: String,
    /// Component and digest by step.
    pub components: Vec<(String, String)>,
    /// Digest of the sign-off policy.
    pub policy: String,
}

/// Loads the review of a request.
///
/// # Errors
/// When there is no such request, the record fails, or its evidence can not be read. Artifacts that can not be read are told of instead.
pub async fn load_review(sources: &Sources, id: &RequestId) -> Result<Review, ReviewError> {
    let Some(request) = sources.store.request(id).await? else {
        return Err(ReviewError::NotFound(id.to_string()));
    };
    let Some(run) = sources.store.run(&request.run).await? else {
        return Err(ReviewError::NotFound(request.run.to_string()));
    };
    let evidence = request::evidence(&request)?;
    let trail = Trail::load(sources, &run.id).await?;
    let mut unreadable = Vec::new();
    let metrics = load_metrics(sources, &evidence, &trail).await;
    let metrics = or_shown(metrics, &mut unreadable, || metrics::shown(&evidence))?;
    let data = DataSources::load(sources, &evidence, &trail).await.map(|from| data::data(&evidence, &from));
    let data = or_shown(data, &mut unreadable, || data::shown(&evidence))?;
    let difficulty = difficulty::difficulty(sources, &evidence, &trail).await;
    let difficulty = or_shown(difficulty, &mut unreadable, || difficulty::shown(&evidence))?;
    let version = sources.store.pipeline_version(&run.pipeline_digest).await?;
    Ok(Review {
        bar: request::bar(sources, &request, &evidence, &run).await?,
        changed: changed(&evidence, &run),
        checks: checks::checks(&evidence, &trail),
        metrics,
        data,
        poke: poking::desk(sources, &request, &trail, difficulty.as_ref()).await?,
        difficulty,
        lineage: lineage::lineage(&trail, &run, version.as_ref(), Some(&evidence)),
        history: history::history(sources, &request, &run).await?,
        evidence_json: request.evidence,
        unreadable,
    })
}

/// What an artifact told, or, when it can not be read, what the evidence shows. Only the record's own failure is a failure.
fn or_shown<T>(
    read: Result<T, ReviewError>,
    unreadable: &mut Vec<String>,
    shown: impl FnOnce() -> T,
) -> Result<T, ReviewError> {
    match read {
        Err(ReviewError::Store(error)) => Err(ReviewError::Store(error)),
        Err(error) => {
            unreadable.push(error.to_string());
            Ok(shown())
        }
        Ok(read) => Ok(read),
    }
}

async fn load_metrics(sources: &Sources, evidence: &Evidence, trail: &Trail) -> Result<Metrics, ReviewError> {
    let among: Vec<Digest> = evidence.artifacts.values().copied().collect();
    match trail.of_kind(ArtifactKind::EVALUATION, Some(&among)) {
        None => Ok(metrics::shown(evidence)),
        Some((_, artifact)) => {
            let evaluation = metrics::evaluation(sources, &artifact.digest).await?;
            Ok(metrics::metrics(evidence, &evaluation))
        }
    }
}

fn changed(evidence: &Evidence, run: &Run) -> Changed {
    Changed {
        changes: evidence.changes.clone(),
        first: evidence.baseline.is_none(),
        trigger: words::cause(&run.cause),
        started_at: run.created_at.to_string(),
        span: run.span.clone(),
        pipeline_digest: run.pipeline_digest.to_string(),
        components: evidence.components.clone().into_iter().collect(),
        policy: evidence.policy.to_string(),
    }
}

/// The request, its evidence and its run's trail: what the pages of the rest begin with.
pub(super) async fn opened(
    sources: &Sources,
    id: &RequestId,
) -> Result<(SignoffRequest, Evidence, Trail), ReviewError> {
    let Some(request) = sources.store.request(id).await? else {
        return Err(ReviewError::NotFound(id.to_string()));
    };
    let evidence = request::evidence(&request)?;
    let trail = Trail::load(sources, &request.run).await?;
    Ok((request, evidence, trail))
}
