//! The tensorflow-metadata messages that we write or read, by hand, with exactly the upstream field numbers (tensorflow-metadata 1.21).
//!
//! Fields that we neither write nor read are left out: reading skips them. So never decode and encode a file that somebody else wrote
//! where its bytes can be passed on. `statistics.proto` is proto3, the other two are proto2 (hence their `optional` fields).

pub mod anomalies;
pub mod schema;
pub mod statistics;

/// Encodes and decodes any of the messages: `encode_to_vec`, `decode`.
pub use prost::Message;

/// A feature's path; ours have one step, the column.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Path {
    /// The steps.
    #[prost(string, repeated, tag = "1")]
    pub step: Vec<String>,
}

impl Path {
    /// The path of a column.
    pub fn column(name: impl Into<String>) -> Self {
        Self { step: vec![name.into()] }
    }
}
