//! What Countersign costs, measured on the real binary. Each measurement prints what it did and what that took, beside something in
//! the same run that it can be held against; without arguments all of them.
//!
//! - `steps`: CPU and fsyncs a no-op step, beside the same rows written by raw SQLite
//! - `start`: from starting the process to its first step
//! - `daemon`: memory and CPU of an idle daemon
//! - `size`: the binary
//! - `page`: the reviewer's page of a thousand features and five hundred slices, beside a static file; six minutes, nearly all of them
//!   the two runs that make what it shows
//! - `waiting`: ten thousand runs that wait for people, beside one
//! - `click`: from a decision on the page to the next step
//! - `slack`: the answer to a click in Slack, while somebody else writes
//!
//! `cargo build --release --workspace && cargo run --release --bin countersign-bench page click`: the second builds nothing but itself.

mod click;
mod clones;
mod daemon;
mod home;
mod http;
mod page;
mod raw;
mod rusage;
mod serving;
mod site;
mod slack_ack;
mod slack_double;
mod steps;
mod stopwatch;
mod visitor;
mod waiting;
mod wide;

use home::Home;

/// No-op steps in the long pipeline; the short one has a single step, and the difference is what counts.
const STEPS: usize = 101;
/// Repetitions; the median is printed.
const REPEATS: usize = 5;
/// What can be measured.
const ALL: &[&str] = &["steps", "start", "daemon", "size", "page", "waiting", "click", "slack"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| !ALL.contains(&name.as_str())) {
        anyhow::bail!("`{unknown}` is no measurement; there are: {}", ALL.join(", "));
    }
    let home = Home::new()?;
    println!("Countersign on {} ({REPEATS} repetitions, medians, where nothing else is said)", home.binary.display());
    for name in ALL.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == *name)) {
        println!();
        match *name {
            "steps" => steps::report(&home).await?,
            "start" => steps::report_start(&home)?,
            "daemon" => daemon::report(&home)?,
            "page" => page::report(&home).await?,
            "waiting" => waiting::report(&home).await?,
            "click" => click::report(&home).await?,
            "slack" => slack_ack::report(&home).await?,
            _ => size(&home)?,
        }
    }
    Ok(())
}

fn size(home: &Home) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(&home.binary)?.len();
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mib = bytes as f64 / 1_048_576.0;
    println!("release binary              {mib:>8.1} MiB");
    Ok(())
}

/// The middle of the sorted values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
