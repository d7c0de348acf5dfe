//! What a component can see of the world, and what it gets through a capability.

use countersign_sdk::{Error, Outcome, Task, files, query};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[cfg(target_family = "wasm")]
fn random_numbers() -> [u64; 2] {
    use std::hash::{BuildHasher, RandomState};
    unsafe extern "C" {
        fn getentropy(buffer: *mut u8, length: usize) -> i32;
    }
    let mut bytes = [0; 8];
    // SAFETY: wasi-libc fills exactly `length` bytes of the buffer, from wasi:random/random.
    unsafe { getentropy(bytes.as_mut_ptr(), bytes.len()) };
    // The second comes from wasi:random/insecure-seed, as every HashMap's order does.
    [u64::from_le_bytes(bytes), RandomState::new().hash_one(0)]
}

#[cfg(not(target_family = "wasm"))]
fn random_numbers() -> [u64; 2] {
    [0; 2]
}

#[derive(serde::Serialize)]
struct Observed {
    wall_clock: u128,
    monotonic_nanoseconds: u128,
    random: [u64; 2],
    seed: u64,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    standard_input: String,
    root: Vec<String>,
}

/// Writes everything that could differ between two runs.
#[expect(clippy::disallowed_methods, reason = "what the clock shows in here is the question")]
pub fn observe(task: &Task) -> Result<Outcome, Error> {
    let start = Instant::now();
    let wall_clock = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| Error::Bug(error.to_string()))?;
    let root = std::fs::read_dir("/").map(|entries| {
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()
    });
    let observed = Observed {
        wall_clock: wall_clock.as_nanos(),
        monotonic_nanoseconds: start.elapsed().as_nanos(),
        random: random_numbers(),
        seed: task.seed(),
        environment: std::env::vars().collect(),
        arguments: std::env::args().collect(),
        standard_input: std::io::read_to_string(std::io::stdin()).unwrap_or_default(),
        root: root.unwrap_or_default(),
    };
    files::write_json(task.output("output")?.join("observed.json"), &observed)?;
    Ok(Outcome::new("observed"))
}

/// Uses every function of the capability.
pub fn query(task: &Task) -> Result<Outcome, Error> {
    let tables = query::tables()?;
    let batches = query::query("SELECT 1")?.collect_batches()?;
    let rows: usize = batches.iter().map(arrow_rows).sum();
    let materialized = query::materialize("ones", "SELECT 1")?;
    let written = query::write("SELECT 1", "output", "part-0.parquet")?;
    std::fs::write(task.output("output")?.join("note.txt"), "queried")?;
    Ok(Outcome::new(format!(
        "{} tables, {rows} rows, {} materialized, {} written",
        tables.len(),
        materialized.rows,
        written.rows
    )))
}

fn arrow_rows(batch: &arrow_array::RecordBatch) -> usize {
    batch.num_rows()
}

/// Wrong SQL: passes the engine's answer on.
pub fn query_missing_table() -> Result<Outcome, Error> {
    query::query("SELECT * FROM missing")?;
    Ok(Outcome::new("queried"))
}

/// A host call that does not come back.
pub fn query_forever() -> Result<Outcome, Error> {
    query::query("SELECT forever")?;
    Ok(Outcome::new("queried"))
}
