//! The guest components of the test suites as bytes, built from their crates by this crate's build script.

static BUILT: &[(&str, &[u8], &str)] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// Does whatever its `how` parameter names, mostly something bad: `countersign-guest-misbehave`.
pub static MISBEHAVE: &[u8] = BUILT[0].1;

/// Writes one tiny output, for benchmarks: `countersign-guest-noop`.
pub static NOOP: &[u8] = BUILT[1].1;
