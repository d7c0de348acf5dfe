//! The guest components of the test suites as bytes, built from their crates by this crate's build script.

const BUILT: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// Does whatever its `how` parameter names, mostly something bad: `countersign-guest-misbehave`.
pub const MISBEHAVE: &[u8] = BUILT[0].1;

/// Writes one tiny output, for benchmarks: `countersign-guest-noop`.
pub const NOOP: &[u8] = BUILT[1].1;
