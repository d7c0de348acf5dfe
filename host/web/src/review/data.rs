//! The data: how many rows, how far each feature moved, what its values look like now and looked like before.

use super::bins::{self, Series};
use super::checks::FindingLine;
use super::documents;
use super::sources::{ReviewError, Sources};
use super::trail::Trail;
use countersign_formats::reference::{FeatureReference, ReferenceBins};
use countersign_formats::tfmd::anomalies::{Anomalies, Measurement, MeasurementType};
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Features drawn.
const SHOWN: usize = 10;

/// The data behind the candidate.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Data {
    /// Rows by split.
    pub rows: Vec<RowCount>,
    /// Rows that could not be read and were set aside.
    pub rows_set_aside: u64,
    /// How the schema differs from the one behind the live model.
    pub schema_changes: Vec<String>,
    /// The features that moved most, farthest first.
    pub top: Vec<FeatureLine>,
    /// All features there are.
    pub features: usize,
    /// Why nothing is laid beside the data from before; none when something is.
    pub without_previous: Option<String>,
}

/// Rows of one split.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RowCount {
    /// The split.
    pub split: String,
    /// Its rows.
    pub rows: u64,
    /// Rows of the delivery behind the live model.
    pub before: Option<u64>,
}

/// One feature.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FeatureLine {
    /// Its name.
    pub name: String,
    /// How far it moved from the previous delivery, 0 to 1; none where nothing was compared.
    pub effect: Option<f64>,
    /// From where an effect means something.
    pub threshold: Option<f64>,
    /// The effect is above that.
    pub moved: bool,
    /// Its values in each dataset, on common cells; empty where statistics have none.
    pub series: Vec<Series>,
    /// What the checks found about it.
    pub findings: Vec<FindingLine>,
}

/// The statistics and comparisons of a run, before anything is drawn.
pub(super) struct DataSources {
    /// By name, in the order in which they are laid over one another: `train`, `eval`, `previous`.
    datasets: Vec<(String, Arc<ReferenceBins>)>,
    /// Effect and threshold by feature.
    effects: BTreeMap<String, (f64, f64)>,
    without_previous: Option<String>,
}

impl DataSources {
    /// Of the run behind a request.
    pub(super) async fn load(sources: &Sources, evidence: &Evidence, trail: &Trail) -> Result<Self, ReviewError> {
        let among: Vec<Digest> = evidence.artifacts.values().copied().collect();
        let mut effects: BTreeMap<String, (f64, f64)> =
            evidence.shown.drift.iter().map(|drift| (drift.feature.clone(), (drift.effect, drift.threshold))).collect();
        if let Some((_, anomalies)) = trail.of_kind(ArtifactKind::ANOMALIES, Some(&among)) {
            for (_, document) in documents::anomalies(sources, &anomalies.digest).await? {
                drift(&document, &mut effects);
            }
        }
        let Some((_, now)) = trail.of_kind(ArtifactKind::STATISTICS, Some(&among)) else {
            let without_previous = Some("the pipeline keeps no statistics".to_string());
            return Ok(Self { datasets: Vec::new(), effects, without_previous });
        };
        let mut datasets = documents::references(sources, &now.digest).await?;
        let before = previous(trail, &now.digest);
        let without_previous = match before {
            None => Some("Nothing to compare with: no earlier delivery passed its checks".to_string()),
            Some(digest) => {
                let splits = documents::references(sources, &digest).await?;
                // The training rows are what a model is made of, so they are what is compared.
                datasets.extend(splits.into_iter().next().map(|(_, bins)| ("previous".to_string(), bins)));
                None
            }
        };
        Ok(Self { datasets, effects, without_previous })
    }

    /// Feature names, those that moved most first, then by name.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<&String> = self.effects.keys().collect();
        for (_, bins) in &self.datasets {
            names.extend(bins.features.keys());
        }
        let mut names: Vec<(f64, &String)> =
            names.into_iter().map(|name| (self.effects.get(name).map_or(-1.0, |(effect, _)| *effect), name)).collect();
        names.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        names.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// One feature, drawn.
    pub(super) fn line(&self, name: &str, evidence: &Evidence) -> FeatureLine {
        let references: Vec<(&str, &FeatureReference)> = self
            .datasets
            .iter()
            .filter_map(|(dataset, bins)| Some((dataset.as_str(), bins.features.get(name)?)))
            .collect();
        let effect = self.effects.get(name).copied();
        let findings = evidence.findings.values().flatten().filter(|finding| finding.subject == name);
        FeatureLine {
            name: name.to_string(),
            effect: effect.map(|(effect, _)| effect),
            threshold: effect.map(|(_, threshold)| threshold),
            moved: effect.is_some_and(|(effect, threshold)| effect > threshold),
            series: bins::common(&references),
            findings: findings.map(FindingLine::from).take(3).collect(),
        }
    }
}

/// What the evidence itself shows.
pub(super) fn shown(evidence: &Evidence) -> Data {
    let shown = &evidence.shown;
    let count = |(split, rows): (&String, &u64)| RowCount {
        split: split.clone(),
        rows: *rows,
        before: shown.rows_before.get(split).copied(),
    };
    Data {
        rows: shown.rows.iter().map(count).collect(),
        rows_set_aside: shown.rows_set_aside,
        schema_changes: shown.schema_changes.clone(),
        ..Data::default()
    }
}

/// What the evidence shows, with the distributions of the features that moved most.
pub(super) fn data(evidence: &Evidence, from: &DataSources) -> Data {
    let names = from.names();
    Data {
        top: names.iter().take(SHOWN).map(|name| from.line(name, evidence)).collect(),
        features: names.len(),
        without_previous: from.without_previous.clone(),
        ..shown(evidence)
    }
}

/// The statistics that the checks held the delivery against: what a step read beside these.
fn previous(trail: &Trail, now: &Digest) -> Option<Digest> {
    let readers = trail.executions.iter().filter(|execution| {
        let mut inputs = execution.inputs.values().flatten().filter_map(|id| trail.artifact(id));
        inputs.any(|artifact| artifact.digest == *now)
    });
    let inputs = readers.flat_map(|execution| execution.inputs.values().flatten());
    let mut others = inputs.filter_map(|id| trail.artifact(id));
    others
        .find(|artifact| artifact.kind.as_str() == ArtifactKind::STATISTICS && artifact.digest != *now)
        .map(|artifact| artifact.digest)
}

/// The largest effect of each feature against the previous data.
fn drift(anomalies: &Anomalies, effects: &mut BTreeMap<String, (f64, f64)>) {
    for info in &anomalies.drift_skew_info {
        let Some(path) = &info.path else { continue };
        let divergence = |of: &&Measurement| of.r#type() == MeasurementType::JensenShannonDivergence;
        let measured = info.drift_measurements.iter().filter(divergence).chain(&info.drift_measurements).next();
        let Some((value, threshold)) = measured.and_then(|of| Some((of.value?, of.threshold.unwrap_or(0.0)))) else {
            continue;
        };
        let kept = effects.entry(path.step.join(".")).or_insert((value, threshold));
        if value > kept.0 {
            *kept = (value, threshold);
        }
    }
}
