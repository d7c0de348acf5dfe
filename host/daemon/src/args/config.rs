//! The command line of `config`.

use clap::Subcommand;

/// `config` commands.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, secrets masked, and where its value came from.
    Show {
        /// As with this flag of `serve`.
        #[arg(long, value_name = "RUNS")]
        concurrency: Option<usize>,
    },
    /// Check the settings and every pipeline file that they name.
    Check,
}
