//! `difficulty.json`: Variance of Gradients and its cheap neighbours. `scores.csv` holds every example's scores:
//! `_line,label,predicted,wrong,vog,mean_loss,aum,el2n,confidence,variability,forgetting`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// File name inside the artifact.
pub const FILE: &str = "difficulty.json";
/// File name of every example's scores.
pub const SCORES: &str = "scores.csv";

/// The scores order errors: the highest tenth is the hardest.
pub const HIGH_IS_HARD: &str = "high = hard";
/// The scores order errors the other way round.
pub const FLIPPED: &str = "flipped";
/// The scores do not order errors.
pub const NO_ORDER: &str = "no order";

/// What was computed, so that two scores are compared only when they mean the same: any field that differs but `engine` means they
/// are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `logit`, `softmax` or `log_prob`.
    pub target: String,
    /// `true` or `predicted`.
    pub label: String,
    /// `early`, `middle`, `late` or `all`.
    pub stage: String,
    /// Checkpoint files used for VoG, oldest first; K is their number.
    pub checkpoints: Vec<String>,
    /// SHA-256 of each of them.
    pub checkpoint_sha256: Vec<String>,
    /// Checkpoint files used for EL2N.
    pub early_checkpoints: Vec<String>,
    /// Checkpoints that mean loss, AUM, confidence, variability and forgetting were taken over.
    pub all_checkpoints: u64,
    /// `std`, `variance` or `paper`.
    pub reduction: String,
    /// `none`, `class` or `class_abs`.
    pub normalisation: String,
    /// Input values a gradient has (P): the transformed inputs, to whose scale VoG is sensitive.
    pub inputs: u64,
    /// `f32`.
    pub dtype: String,
    /// How channels of an input were joined: `none`, tabular inputs have none.
    pub channels: String,
    /// SHA-256 of `model.onnx`, which holds the transform.
    pub model_sha256: String,
    /// SHA-256 over lines, labels and transformed inputs of the examples scored.
    pub examples_sha256: String,
    /// Always 0: nothing here is random.
    pub seed: u64,
    /// Component and version.
    pub engine: String,
}

/// The summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difficulty {
    /// What was computed.
    pub record: Record,
    /// The split.
    pub split: String,
    /// Examples.
    pub examples: u64,
    /// Error rate of all of them, 0 to 1.
    pub base_error: f64,
    /// Error rate by decile of VoG, lowest first, 0 to 1; empty with fewer than ten examples.
    pub error_by_decile: Vec<f64>,
    /// [`HIGH_IS_HARD`], [`FLIPPED`] or [`NO_ORDER`], read off the table above.
    pub direction: String,
    /// Why that direction, in words.
    pub direction_reason: String,
    /// Share of all errors in the highest decile; 0 without errors.
    pub hardest_tenth_error_share: f64,
    /// Share of the highest tenth by VoG that is also in the hardest tenth by AUM.
    pub overlap_with_aum: f64,
    /// Share of the highest tenth by given label.
    pub hardest_tenth_by_class: BTreeMap<String, f64>,
    /// Examples that AUM and mean loss both call suspicious (never VoG).
    pub suspected_mislabelled: u64,
    /// At most 50 of them, highest mean loss first.
    pub suspects: Vec<HardExample>,
    /// The 50 highest by VoG, highest first.
    pub hardest: Vec<HardExample>,
}

/// One example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HardExample {
    /// Its line in the delivery.
    pub row: u64,
    /// Given label.
    pub label: String,
    /// Predicted label at the last checkpoint.
    pub predicted: String,
    /// VoG.
    pub vog: f64,
    /// Mean margin over the checkpoints.
    pub aum: f64,
    /// L2 norm of the error vector at the early checkpoints, mean.
    pub el2n: f64,
    /// Mean loss over the checkpoints.
    pub mean_loss: f64,
    /// The raw columns that the model reads, as text; those without a value are left out.
    pub columns: BTreeMap<String, String>,
}
