//! What Countersign costs, measured on the real binary: CPU and fsyncs a no-op step beside the same rows written by raw
//! SQLite in the same run, time from start to first step, memory and CPU of an idle daemon, size of the binary.
//!
//! `cargo build --release --workspace && cargo run --release --bin countersign-bench`: the second builds nothing but itself.

mod daemon;
mod home;
mod raw;
mod rusage;
mod steps;

use home::Home;

/// No-op steps in the long pipeline; the short one has a single step, and the difference is what counts.
const STEPS: usize = 101;
/// Repetitions; the median is printed.
const REPEATS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let home = Home::new()?;
    println!("Countersign on {} ({REPEATS} repetitions, medians)\n", home.binary.display());

    let cost = steps::measure(&home)?;
    let raw = raw::replay(&home).await?;
    println!("a no-op component step with full records");
    println!("  CPU                       {:>8.2} ms a step", cost.cpu_ms);
    println!("  raw SQLite, same rows     {:>8.2} ms a step   ratio {:.1}", raw.cpu_ms, cost.cpu_ms / raw.cpu_ms);
    match cost.fsyncs {
        Some(fsyncs) => println!(
            "  fsyncs                    {fsyncs:>8.1} a step      raw SQLite: {:.1} commits a step",
            raw.commits
        ),
        None => println!("  fsyncs                    not counted: strace is not installed"),
    }

    let first = steps::start_to_first_step(&home)?;
    println!("\nstart to first step, compiled components cached");
    println!("  time                      {first:>8.0} ms");

    let idle = daemon::measure(&home)?;
    println!("\nidle daemon");
    println!("  resident memory           {:>8.1} MiB", idle.resident_mib);
    println!("  CPU                       {:>8.2} %", idle.cpu_percent);

    let bytes = std::fs::metadata(&home.binary)?.len();
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mib = bytes as f64 / 1_048_576.0;
    println!("\nrelease binary              {mib:>8.1} MiB");
    Ok(())
}

/// The middle of the sorted values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
