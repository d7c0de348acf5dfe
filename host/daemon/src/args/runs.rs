//! What starts, shows and decides runs.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Deliver this new data first.
    #[arg(long, value_enum)]
    pub with: Option<Delivery>,
    /// Where the demo lives; by default countersign/demo under the XDG data directory.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Forget everything that the demo did before.
    #[arg(long)]
    pub reset: bool,
}

/// Bundled second deliveries, made from the bundled rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Delivery {
    /// Every fare times 1.8 plus 3.
    Drift,
    /// Without the column trip_miles.
    DroppedColumn,
    /// Every twentieth trip paid with "Bitcoin".
    NewCategory,
    /// 2 % more rows, drawn from the bundled ones: nothing is wrong with it.
    NewRows,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// Load this component too; it may be named in the pipeline by its own name.
    #[arg(long = "with", value_name = "COMPONENT.wasm")]
    pub components: Vec<PathBuf>,
}

/// A run.
#[derive(Debug, Args)]
pub struct RunOnly {
    /// The run, or the last characters of its identifier.
    pub run: String,
}

/// Every state that a run can be in, as it is stored.
const STATUSES: [&str; 11] = [
    "queued",
    "running",
    "waiting",
    "succeeded",
    "failed",
    "blocked",
    "rejected",
    "superseded",
    "replaced",
    "expired",
    "cancelled",
];

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Of this pipeline only.
    #[arg(long)]
    pub pipeline: Option<String>,
    /// In this status only.
    #[arg(long, value_parser = STATUSES)]
    pub status: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run, or the last characters of its identifier.
    pub run: String,
    /// Also list the hardest examples with their columns.
    #[arg(long)]
    pub hard: bool,
    /// Also print this step's log.
    #[arg(long, value_name = "STEP")]
    pub log: Option<String>,
}

/// Arguments of `approve`, `reject`, `hold` and `override`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// The run, or the last characters of its identifier.
    pub run: String,
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// The evidence digest that you looked at (its first characters); refused when the run shows another.
    #[arg(long, value_name = "DIGEST")]
    pub evidence: Option<String>,
    /// Approve for this share of the traffic only, in per cent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub canary: Option<u8>,
    /// Approve except for this slice, such as "company = Blue Ribbon"; may be given again.
    #[arg(long, value_name = "SLICE")]
    pub except_slice: Vec<String>,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Load this component too.
    #[arg(long = "with", value_name = "COMPONENT.wasm")]
    pub components: Vec<PathBuf>,
    /// Runs carried at the same time, instead of the setting `concurrency`.
    #[arg(long, value_name = "RUNS")]
    pub concurrency: Option<usize>,
}
