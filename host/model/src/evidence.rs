//! Evidence: the canonical document that a reviewer decides on. It names content, never runs or times, so the same content
//! is the same evidence.

use crate::canonical;
use crate::digest::Digest;
use crate::finding::{Finding, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a reviewer decides on. What was not shown was not signed, and everything here is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Version of this document's form.
    pub form: u32,
    /// The pipeline.
    pub pipeline: String,
    /// The gate.
    pub gate: String,
    /// The candidate model's artifact digest.
    pub model: Digest,
    /// The model that was live, if there was one.
    pub baseline: Option<Digest>,
    /// Digest of the sign-off policy.
    pub policy: Digest,
    /// Every artifact behind the candidate: `step.output` to digest.
    pub artifacts: BTreeMap<String, Digest>,
    /// Every component that made one: step to component and digest.
    pub components: BTreeMap<String, String>,
    /// Every step's verdict.
    pub verdicts: BTreeMap<String, Verdict>,
    /// Findings above info, by step.
    pub findings: BTreeMap<String, Vec<Finding>>,
    /// What changed since the run that made the live model, in words; empty without one.
    pub changes: Vec<String>,
    /// The numbers shown.
    pub shown: Shown,
}

/// The numbers shown, taken from the artifacts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Rows by split.
    pub rows: BTreeMap<String, u64>,
    /// Rows that ingest set aside.
    pub rows_set_aside: u64,
    /// Overall metrics.
    pub metrics: Vec<ShownMetric>,
    /// The worst slices, worst first.
    pub slices: Vec<ShownSlice>,
    /// The slices that lost most against the live model, greatest loss first; empty without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regressions: Vec<ShownSlice>,
    /// Rows by split of the delivery behind the live model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows_before: BTreeMap<String, u64>,
    /// How the schema differs from the one behind the live model, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schema_changes: Vec<String>,
    /// How far each feature moved from the previous delivery, farthest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<ShownDrift>,
    /// Size of the candidate, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_bytes: Option<u64>,
    /// Size of the live model, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_bytes: Option<u64>,
    /// Example difficulty, if the pipeline measures it.
    pub difficulty: Option<ShownDifficulty>,
}

/// One metric, candidate against live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMetric {
    /// Its name.
    pub name: String,
    /// The candidate's value; none where it is not defined.
    pub candidate: Option<f64>,
    /// The live model's.
    pub baseline: Option<f64>,
}

/// One slice of the headline metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownSlice {
    /// `company = Blue Ribbon`.
    pub slice: String,
    /// Its examples.
    pub examples: u64,
    /// The metric.
    pub metric: String,
    /// The candidate's value.
    pub candidate: Option<f64>,
    /// The live model's.
    pub baseline: Option<f64>,
    /// Half-width of the 95 % interval, where it was computed.
    pub margin: Option<f64>,
}

/// How far one feature moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownDrift {
    /// The feature.
    pub feature: String,
    /// The effect: Jensen-Shannon divergence, or the largest change of one share. 0 to 1.
    pub effect: f64,
    /// Where an effect starts to mean something: the noise of samples of these sizes, or the threshold if that is larger.
    pub threshold: f64,
}

/// Example difficulty in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownDifficulty {
    /// `softmax, predicted label, late 3`.
    pub variant: String,
    /// Error rate by decile of the score, lowest first, 0 to 1.
    pub error_by_decile: Vec<f64>,
    /// `high = hard`, `flipped` or `no order`.
    pub direction: String,
    /// Share of all errors that the hardest tenth holds.
    pub hardest_tenth_error_share: f64,
    /// Error rate over all examples, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_error: Option<f64>,
    /// The given label that most of the hardest tenth carries, and its share of it, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardest_class: Option<(String, f64)>,
    /// Share of the hardest tenth that is also in the hardest tenth by AUM, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_with_aum: Option<f64>,
    /// Examples that AUM and loss call suspicious.
    pub suspected_mislabelled: u64,
    /// The hardest examples, hardest first.
    pub hardest: Vec<ShownExample>,
}

/// One hard example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownExample {
    /// Its line in the delivery.
    pub row: u64,
    /// The given label.
    pub label: String,
    /// What the model says.
    pub predicted: String,
    /// The score.
    pub score: f64,
    /// A few of its columns.
    pub columns: BTreeMap<String, String>,
}

impl Evidence {
    /// The canonical text and its digest.
    ///
    /// # Errors
    /// When a number is NaN or infinite: undefined values are `None`, never NaN.
    pub fn seal(&self) -> Result<(String, Digest), serde_json::Error> {
        let bytes = canonical::to_bytes(self)?;
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(serde::ser::Error::custom)?;
        Ok((text, digest))
    }

    /// The heaviest verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdicts.values().copied().max().unwrap_or(Verdict::Pass)
    }
}
