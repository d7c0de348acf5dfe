//! `evaluation.json`: metrics overall and by slice, candidate against baseline. Undefined values are null, never NaN.
//! `predictions.csv` holds every example's probabilities: `_line,label,p0,p1,…` and, with a baseline, `b0,b1,…`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// File name inside the artifact.
pub const FILE: &str = "evaluation.json";
/// File name of the probabilities.
pub const PREDICTIONS: &str = "predictions.csv";

/// An evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The split.
    pub split: String,
    /// Label values in the order of the probabilities; with two of them the last is the positive one.
    pub classes: Vec<String>,
    /// The metric that slices are ranked by.
    pub headline: String,
    /// How its margins were computed: `DeLong`, `Wilson`, `ratio of sums`; none where there is no way.
    pub margin_method: Option<String>,
    /// All examples.
    pub overall: Slice,
    /// Slices, worst candidate first; those below `min_slice_examples` come after the others.
    pub slices: Vec<Slice>,
    /// Slices smaller than this are marked small.
    pub min_slice_examples: u64,
    /// Whether there was a baseline that could be used.
    pub has_baseline: bool,
    /// Why a baseline that was given could not be used.
    pub baseline_unusable: Option<String>,
    /// Examples left out because their label is missing or not one of the classes.
    pub examples_without_label: u64,
    /// Rules and how they came out.
    pub rules: Vec<RuleResult>,
}

/// Metrics of one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Column and value; none for all examples.
    pub column: Option<String>,
    /// The value as text; "(missing)" for none.
    pub value: Option<String>,
    /// Examples.
    pub examples: u64,
    /// Fewer examples than `min_slice_examples`.
    pub small: bool,
    /// Candidate's metrics by name: `auc`, `pr_auc`, `accuracy`, `precision`, `recall`, `f1`, `log_loss`, `calibration`.
    pub candidate: BTreeMap<String, Option<f64>>,
    /// Baseline's; empty without one.
    pub baseline: BTreeMap<String, Option<f64>>,
    /// Half-width of the 95 % interval of the candidate's headline metric.
    pub headline_margin: Option<f64>,
    /// Half-width of the 95 % interval of candidate minus baseline, both measured on the same examples.
    pub change_margin: Option<f64>,
}

/// How a rule came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleResult {
    /// The rule in words: `auc increases by at least 0.002`.
    pub rule: String,
    /// Whether it holds; null where it can not be judged: no baseline yet, or a metric that is not defined.
    pub holds: Option<bool>,
    /// What was seen, in words.
    pub seen: String,
}
