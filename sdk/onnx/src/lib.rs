//! The subset of ONNX that Countersign writes, reads and runs, so that what a component measures is exactly the file that is deployed.
//!
//! [`proto`] are the messages, [`graph`] builds them, [`run`] interprets them batch by batch, [`columns`] turns Arrow batches into
//! graph inputs, and [`network`] holds the numeric kernels of the multi-layer perceptron. Nothing here knows of the sandbox, of
//! files or of training: callers hand in bytes and arrays.

pub mod columns;
mod error;
pub mod graph;
pub mod network;
mod operators;
pub mod proto;
pub mod run;

pub use error::OnnxError;
pub use graph::GraphBuilder;
pub use network::{Layer, Network};
pub use run::{Program, Value};
