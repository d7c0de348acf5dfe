//! The command line of whoever looks at what goes on, or reads about it.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The run, or the last characters of its identifier; every run when left out.
    pub run: Option<String>,
    /// Of this step only.
    #[arg(long)]
    pub step: Option<String>,
    /// Go on with what comes: until the run is over, or for ever without one.
    #[arg(long, short)]
    pub follow: bool,
    /// Without a run: of so many runs that are there already.
    #[arg(long, value_name = "RUNS", default_value_t = 1, conflicts_with = "run")]
    pub last: u32,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page a command into this directory, instead of printing the first one.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
