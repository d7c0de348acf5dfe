//! The world as a component sees it: mounts, a clock, randomness, and two streams that end in the log. No environment, no arguments,
//! no network.

use crate::failure::Stop;
use crate::log::{Log, Standard, Stream};
use countersign_model::component::Capability;
use countersign_ports::component_runner::{InputMount, OutputMount};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime_wasi::{Deterministic, FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

/// What the virtual wall clock always shows: 2000-01-01T00:00:00Z.
const WALL_CLOCK: Duration = Duration::from_secs(946_684_800);
/// How far the virtual monotonic clock moves whenever it is read.
const MONOTONIC_STEP: u64 = 1_000;
/// Virtual randomness repeats after this many bytes.
const RANDOM_BYTES: usize = 64 << 10;

/// What is mounted.
#[derive(Default)]
pub struct Mounts<'a> {
    /// Read-only, under `/in`.
    pub inputs: &'a [InputMount],
    /// Writable, under `/out`.
    pub outputs: &'a [OutputMount],
}

/// Makes the world.
///
/// # Errors
/// When a mount is not there.
pub fn wasi(mounts: &Mounts<'_>, granted: &BTreeSet<Capability>, seed: u64, log: &Arc<Log>) -> Result<WasiCtx, Stop> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true)
        .stdout(Standard { log: Arc::clone(log), stream: Stream::Out })
        .stderr(Standard { log: Arc::clone(log), stream: Stream::Err })
        .allow_ip_name_lookup(false)
        .allow_tcp(false)
        .allow_udp(false);
    for input in mounts.inputs {
        for (path, seen) in input.paths.iter().zip(seen_paths(input)) {
            mount(&mut wasi, path, &seen, FsPerms::ReadOnly)?;
        }
    }
    for output in mounts.outputs {
        mount(&mut wasi, &output.path, &seen_output(output), FsPerms::ReadWrite)?;
    }
    if !granted.contains(&Capability::Clock) {
        wasi.wall_clock(VirtualWallClock).monotonic_clock(VirtualMonotonicClock(AtomicU64::new(0)));
    }
    if !granted.contains(&Capability::Random) {
        let mut source = SplitMix(seed);
        wasi.secure_random(Deterministic::new(source.bytes(RANDOM_BYTES)))
            .insecure_random(Deterministic::new(source.bytes(RANDOM_BYTES)))
            .insecure_random_seed(u128::from(source.next()) << 64 | u128::from(source.next()));
    }
    Ok(wasi.build())
}

/// Where the component sees an input's artifacts.
pub fn seen_paths(input: &InputMount) -> Vec<String> {
    let path = |index| {
        if input.many { format!("/in/{}/{index}", input.name) } else { format!("/in/{}", input.name) }
    };
    (0..input.paths.len()).map(path).collect()
}

/// Where the component sees an output.
pub fn seen_output(output: &OutputMount) -> String {
    format!("/out/{}", output.name)
}

fn mount(wasi: &mut WasiCtxBuilder, path: &Path, seen: &str, permissions: FsPerms) -> Result<(), Stop> {
    match wasi.preopened_dir(path, seen, permissions) {
        Ok(_) => Ok(()),
        Err(error) => Err(Stop::new("mount", format!("mount {} as {seen}: {error}", path.display()))),
    }
}

struct VirtualWallClock;

impl HostWallClock for VirtualWallClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        WALL_CLOCK
    }
}

struct VirtualMonotonicClock(AtomicU64);

impl HostMonotonicClock for VirtualMonotonicClock {
    fn resolution(&self) -> u64 {
        MONOTONIC_STEP
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(MONOTONIC_STEP, Ordering::Relaxed)
    }
}

/// Steele, Lea and Flood's generator: small, and the same everywhere. Not for secrets, and a component has none.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix;

    #[test]
    fn the_generator_gives_the_published_sequence() {
        let mut source = SplitMix(1_234_567);
        assert_eq!([source.next(), source.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
