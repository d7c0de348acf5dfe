//! What can go wrong with a graph or its inputs.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The bytes are not an ONNX model.
    #[error("read ONNX model: {source}")]
    Decode {
        /// Why.
        #[from]
        source: prost::DecodeError,
    },
    /// The model is ONNX but says something that this crate does not write or run.
    #[error("read ONNX model: {0}")]
    Unsupported(String),
    /// The graph is not well formed.
    #[error("build ONNX graph: {0}")]
    Graph(String),
    /// A node got values it can not work on.
    #[error("run ONNX node {node}: {reason}")]
    Node {
        /// Name of its output and its operator.
        node: String,
        /// What is wrong.
        reason: String,
    },
    /// A value that the graph needs was not given, or does not exist.
    #[error("run ONNX graph: no value named `{0}`")]
    MissingValue(String),
    /// A column is absent or of a type that can not be fed.
    #[error("read column `{column}`: {reason}")]
    Column {
        /// The column.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// Layers are absent or do not fit each other.
    #[error("read network layers: {0}")]
    Layers(String),
    /// A checkpoint can not be read or written.
    #[error("safetensors checkpoint: {source}")]
    Safetensors {
        /// Why.
        #[from]
        source: safetensors::SafeTensorError,
    },
}
