//! Where the record and the bytes lie: [`SqlStore`] and its twin [`MemoryStore`] hold the metadata, who may come in and what
//! was posted where, [`LocalArtifacts`] the artifacts. Knows nothing of pipelines' steps, sandboxes or people; what a write means
//! is decided in `model`.
//!
//! # How the tables follow ML Metadata
//! | ML Metadata | here |
//! |---|---|
//! | Artifact | `artifacts`; all are LIVE: nothing half-made is ever recorded |
//! | Execution | `executions`: RUNNING, COMPLETE (`succeeded`), CACHED, FAILED |
//! | Event | `execution_inputs` (INPUT) and `execution_outputs` (OUTPUT), with port and position as the path |
//! | Context | pipeline (`pipelines`, by name) and run (`runs`) |
//! | Attribution | the columns `pipeline` and `run` of `artifacts` |
//! | Association | the columns `pipeline` and `run` of `executions` |
//! | Type | the column `kind` of `artifacts`, `component` of `executions` |
//!
//! A cached execution has output edges too: they point at the artifacts of the execution it reused, whose producer
//! (`artifacts.execution`) stays the original one.

mod artifacts;
#[doc(hidden)]
pub mod conformance;
mod deeds;
mod graph;
mod judgement;
mod memory;
mod sql;

pub use artifacts::LocalArtifacts;
pub use memory::MemoryStore;
pub use sql::{PostgresOptions, SqlStore, Sums, TableSum, TransferError};
