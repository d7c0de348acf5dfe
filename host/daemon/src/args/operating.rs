//! The command line of whoever operates an installation: pausing, backfill, the database, retention.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `backfill`.
#[derive(Debug, Args)]
pub struct BackfillArgs {
    /// The pipeline's name, or its file.
    pub pipeline: String,
    /// The first span, such as 2026-11-01.
    #[arg(long, value_name = "SPAN")]
    pub from: String,
    /// The last span.
    #[arg(long, value_name = "SPAN")]
    pub to: String,
    /// The source whose deliveries are worked on; may be left out when the pipeline has one.
    #[arg(long)]
    pub source: Option<String>,
    /// Also where a backfill worked on the same content before.
    #[arg(long)]
    pub again: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

/// `db` commands.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Bring the database's tables up to this version.
    Migrate,
    /// Check the database: its version, its integrity, the audit chain, that states and references fit.
    Check,
    /// Write the whole record into one file that any installation can import.
    Export {
        /// A new file.
        file: PathBuf,
    },
    /// Read such a file into an empty database, and compare every table by digest.
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// Arguments of `pipeline pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// The pipeline's name.
    pub pipeline: String,
    /// Why, for whoever wonders later.
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Only say what would be removed.
    #[arg(long)]
    pub dry_run: bool,
    /// Keep runs that ended less than so many days ago, whatever `[retention]` says; 0 keeps none for being young.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(..=36_500))]
    pub keep_days: Option<u64>,
    /// Keep so many of the newest runs of each pipeline, whatever `[retention]` says.
    #[arg(long, value_name = "RUNS")]
    pub keep_runs: Option<u32>,
}
