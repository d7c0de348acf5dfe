//! The artifact formats that both sides of the sandbox read and write. Pure: no I/O but what a caller hands in.
//!
//! | artifact | files |
//! |---|---|
//! | `Examples` | `<split>/part-0.parquet`, `examples.json` ([`examples::ExamplesIndex`]), `_rejected.csv` |
//! | `Statistics` | `<split>/stats.pb` (tensorflow-metadata `DatasetFeatureStatisticsList`), `<split>/reference.json` ([`reference::ReferenceBins`]) |
//! | `Schema` | `schema.pb` (tensorflow-metadata `Schema`) |
//! | `Anomalies` | `<split>/anomalies.pb` (tensorflow-metadata `Anomalies`) |
//! | `TransformGraph` | `transform.onnx`, `transform.json` ([`model::TransformIndex`]) |
//! | `Model` | `model.onnx`, `model.json` ([`model::ModelIndex`]) |
//! | `Checkpoints` | `epoch-000.safetensors` ..., `checkpoints.json` ([`model::CheckpointIndex`]) |
//! | `Evaluation` | `evaluation.json` ([`evaluation::Evaluation`]) |
//! | `ExampleDifficulty` | `difficulty.json` ([`difficulty::Difficulty`]), `scores.csv` |
//! | `PushedModel` | `model.onnx`, `model.json`, `pushed.json` ([`model::PushedIndex`]) |
//! | `Example`, `Answer` | `example.json`, `answer.json` ([`prediction`]) |

pub mod difficulty;
pub mod evaluation;
pub mod examples;
pub mod model;
pub mod prediction;
pub mod reference;
pub mod tfmd;
