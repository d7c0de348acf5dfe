//! Pure types and rules: what a pipeline, a run, an artifact, a verdict, a decision and a permit are, and which
//! transitions they allow. Knows nothing of tokio, databases, wasmtime or the network; takes time and identifiers as
//! arguments.

pub mod actor;
pub mod admission;
pub mod artifact;
pub mod audit;
pub mod canonical;
pub mod component;
pub mod conditions;
pub mod deadline;
pub mod decision;
pub mod digest;
pub mod event;
pub mod evidence;
pub mod execution;
pub mod figures;
pub mod finding;
pub mod fingerprint;
pub mod id;
pub mod lineage;
pub mod permit;
pub mod pipeline;
pub mod poke;
pub mod policy;
pub mod push;
pub mod resolver;
pub mod run;
pub mod secret;
pub mod source;
pub mod statement;
pub mod time;
