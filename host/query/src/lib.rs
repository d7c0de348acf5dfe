//! SQL over a step's own datasets, run natively by DataFusion so that rows need not enter the sandbox.
//!
//! Knows files, SQL and Arrow. Must not know components, pipelines or the metadata store: it is handed verified
//! directories and hands back bytes.
//!
//! Two promises shape the code. *Isolation*: a session reaches no table but its datasets, no file, no network, no clock and
//! no randomness. *Determinism*: the same SQL over the same data gives the same bytes, on any number of cores, because the
//! step cache and `reproduce` rest on it (see `order`).

mod boundary;
mod csv;
mod delivery;
mod depth;
mod engine;
mod order;
mod output_path;
mod parquet_file;
mod plan;
mod sequential;
mod session;
mod session_context;
mod splits;
mod stable_hash;
mod task;
mod wording;

pub use engine::Engine;
