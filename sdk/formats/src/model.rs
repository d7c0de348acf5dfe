//! Index files of `TransformGraph`, `Model`, `Checkpoints` and `PushedModel`.
//!
//! The ONNX interface, the same for transform and model: one input a raw column, named as the column, shape `[N, 1]`; numbers are
//! `tensor(double)` with NaN for missing, text is `tensor(string)` with "" for missing. `transform.onnx` has the output
//! `features` (`tensor(float)`, `[N, D]`). `model.onnx` has `logits` (`tensor(float)`, `[N, C]`) and `probabilities`
//! (softmax of them); its initializers `w1`, `b1`, `w2`, `b2`, ... are the layers (`[in, out]` and `[out]`).

use serde::{Deserialize, Serialize};

/// File name of the transform's graph.
pub const TRANSFORM_GRAPH: &str = "transform.onnx";
/// File name of the transform's index.
pub const TRANSFORM_INDEX: &str = "transform.json";
/// File name of the model's graph.
pub const MODEL_GRAPH: &str = "model.onnx";
/// File name of the model's index.
pub const MODEL_INDEX: &str = "model.json";
/// File name of the checkpoints' index.
pub const CHECKPOINT_INDEX: &str = "checkpoints.json";
/// File name of the pushed model's index.
pub const PUSHED_INDEX: &str = "pushed.json";

/// A raw column that the graph reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawInput {
    /// Column.
    pub name: String,
    /// `true`: text; `false`: a number, fed as double.
    pub text: bool,
}

/// The label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Column.
    pub name: String,
    /// Its values as text, in the order of the logits.
    pub classes: Vec<String>,
}

/// `transform.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformIndex {
    /// Columns it reads.
    pub inputs: Vec<RawInput>,
    /// The label, which it does not read.
    pub label: Label,
    /// Names of the D model inputs: `fare`, `fare is missing`, `company = Blue Ribbon`, `company = (other)`, ...
    pub features: Vec<String>,
}

/// `model.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelIndex {
    /// Columns it reads.
    pub inputs: Vec<RawInput>,
    /// The label.
    pub label: Label,
    /// Names of the D model inputs; warm start matches weights by these.
    pub features: Vec<String>,
    /// `mlp`.
    pub architecture: String,
    /// Hidden layer widths.
    pub hidden: Vec<u32>,
    /// Trainable numbers.
    pub parameters: u64,
    /// Training rows.
    pub trained_on_rows: u64,
    /// Epochs.
    pub epochs: u32,
    /// Mean loss of the last epoch.
    pub final_loss: f64,
    /// Whether it started from an earlier model's weights, and how many of its numbers came from there.
    pub warm_started: Option<u64>,
}

/// One checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `epoch-003.safetensors`; tensors `w1`, `b1`, ... as in the model.
    pub file: String,
    /// Epochs done, 1-based.
    pub epoch: u32,
    /// Mean training loss of that epoch.
    pub loss: f64,
}

/// `checkpoints.json`, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointIndex {
    /// The checkpoints.
    pub checkpoints: Vec<Checkpoint>,
}

/// `pushed.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedIndex {
    /// SHA-256 of `model.onnx`.
    pub model_sha256: String,
    /// Columns to send.
    pub inputs: Vec<RawInput>,
    /// What the answer means.
    pub label: Label,
}
