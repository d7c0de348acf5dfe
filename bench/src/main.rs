//! What Countersign costs, measured on the real binary. Each measurement prints what it did and what that took, beside something in
//! the same run that it can be held against; without arguments all of them but `soak`.
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
//! - `store`: metadata writes a second on SQLite and PostgreSQL, beside the same rows in raw SQL
//! - `history`: what questions cost at a hundred thousand executions, beside ten thousand; `history 1000000` asks for a million
//! - `soak 60`: a daemon at work for so many minutes: what grows
//!
//! `cargo build --release --workspace && cargo run --release --bin countersign-bench page click`: the second builds nothing but itself.

mod click;
mod clones;
mod daemon;
mod database;
mod facts;
mod history;
mod home;
mod http;
mod page;
mod raw;
mod rusage;
mod serving;
mod site;
mod slack_ack;
mod slack_double;
mod soak;
mod steps;
mod stopwatch;
mod store;
mod visitor;
mod waiting;
mod wide;

use home::Home;

/// No-op steps in the long pipeline; the short one has a single step, and the difference is what counts.
const STEPS: usize = 101;
/// Repetitions; the median is printed.
const REPEATS: usize = 5;
/// What is measured when nothing is asked for.
const USUAL: &[&str] = &["steps", "start", "daemon", "size", "page", "waiting", "click", "slack", "store", "history"];
/// What is measured only when it is asked for.
const LONG: &[&str] = &["soak"];
/// Minutes of a soak, when no number follows its name.
const SOAK_MINUTES: u64 = 60;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wanted = wanted()?;
    let home = Home::new()?;
    println!("Countersign on {} ({REPEATS} repetitions, medians, where nothing else is said)", home.binary.display());
    for (name, number) in wanted {
        println!();
        match name {
            "steps" => steps::report(&home).await?,
            "start" => steps::report_start(&home)?,
            "daemon" => daemon::report(&home)?,
            "page" => page::report(&home).await?,
            "waiting" => waiting::report(&home).await?,
            "click" => click::report(&home).await?,
            "slack" => slack_ack::report(&home).await?,
            "store" => store::report(&home).await?,
            "history" => history::report(&home, number).await?,
            "soak" => soak::report(&home, number.unwrap_or(SOAK_MINUTES)).await?,
            _ => size(&home)?,
        }
    }
    Ok(())
}

/// The measurements that were asked for, each with the number that follows its name.
fn wanted() -> anyhow::Result<Vec<(&'static str, Option<u64>)>> {
    let mut wanted: Vec<(&str, Option<u64>)> = Vec::new();
    for word in std::env::args().skip(1) {
        if let (Ok(number), Some(last)) = (word.parse(), wanted.last_mut()) {
            last.1 = Some(number);
            continue;
        }
        let Some(name) = USUAL.iter().chain(LONG).find(|name| **name == word) else {
            anyhow::bail!("`{word}` is no measurement; there are: {}, {}", USUAL.join(", "), LONG.join(", "));
        };
        wanted.push((name, None));
    }
    if wanted.is_empty() {
        wanted.extend(USUAL.iter().map(|name| (*name, None)));
    }
    Ok(wanted)
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
