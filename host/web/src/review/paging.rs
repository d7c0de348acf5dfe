//! The rest, page by page: all features, all slices.

use super::data::{DataSources, FeatureLine};
use super::metrics::{self, SliceLine};
use super::sources::{ReviewError, Sources};
use super::whole::opened;
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::id::RequestId;
use schemars::JsonSchema;
use serde::Serialize;

/// Features of a page; each is drawn.
const FEATURES: usize = 15;
/// Slices of a page.
const SLICES: usize = 100;

/// Where in a list a page is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Paging {
    /// This page, from 1.
    pub page: usize,
    /// All pages; at least 1.
    pub pages: usize,
    /// All entries.
    pub total: usize,
}

impl Paging {
    /// A page of `total` entries, `size` a page: the nearest there is to the one asked for.
    fn of(asked: usize, total: usize, size: usize) -> Self {
        let pages = total.div_ceil(size).max(1);
        Self { page: asked.clamp(1, pages), pages, total }
    }

    fn skip(&self, size: usize) -> usize {
        (self.page - 1) * size
    }
}

/// Features of a request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FeaturesPage {
    /// The request.
    pub request: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Twelve characters of its evidence digest.
    pub evidence_short: String,
    /// Where this is.
    pub paging: Paging,
    /// The features that moved most first.
    pub features: Vec<FeatureLine>,
}

/// Slices of a request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SlicesPage {
    /// The request.
    pub request: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Twelve characters of its evidence digest.
    pub evidence_short: String,
    /// What was searched for; empty for all.
    pub query: String,
    /// Where this is.
    pub paging: Paging,
    /// The metric.
    pub headline: String,
    /// Worst candidate first.
    pub slices: Vec<SliceLine>,
}

/// Loads a page of features, from 1.
///
/// # Errors
/// As [`super::load_review`], and when the statistics can not be read.
pub async fn load_features(sources: &Sources, id: &RequestId, page: usize) -> Result<FeaturesPage, ReviewError> {
    let (request, evidence, trail) = opened(sources, id).await?;
    let from = DataSources::load(sources, &evidence, &trail).await?;
    let names = from.names();
    let paging = Paging::of(page, names.len(), FEATURES);
    let shown = names.iter().skip(paging.skip(FEATURES)).take(FEATURES);
    Ok(FeaturesPage {
        request: request.id.to_string(),
        pipeline: request.pipeline,
        evidence_short: request.evidence_digest.short(),
        features: shown.map(|name| from.line(name, &evidence)).collect(),
        paging,
    })
}

/// Loads a page of slices whose names hold `query`, whatever its case.
///
/// # Errors
/// As [`super::load_review`], and when the evaluation can not be read.
pub async fn load_slices(
    sources: &Sources,
    id: &RequestId,
    page: usize,
    query: &str,
) -> Result<SlicesPage, ReviewError> {
    let (request, evidence, trail) = opened(sources, id).await?;
    let among: Vec<Digest> = evidence.artifacts.values().copied().collect();
    let Some((_, artifact)) = trail.of_kind(ArtifactKind::EVALUATION, Some(&among)) else {
        return Err(ReviewError::NotFound(format!("evaluation of {}", request.run)));
    };
    let evaluation = metrics::evaluation(sources, &artifact.digest).await?;
    let wanted = query.trim().to_lowercase();
    let mut slices = metrics::slices(&evaluation);
    slices.retain(|slice| slice.slice.to_lowercase().contains(&wanted));
    let paging = Paging::of(page, slices.len(), SLICES);
    let slices = slices.into_iter().skip(paging.skip(SLICES)).take(SLICES).collect();
    Ok(SlicesPage {
        request: request.id.to_string(),
        pipeline: request.pipeline,
        evidence_short: request.evidence_digest.short(),
        query: query.to_string(),
        paging,
        headline: evaluation.headline.clone(),
        slices,
    })
}
