//! Questions to the record, and what is taken out of it.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Of this pipeline only.
    #[arg(long)]
    pub pipeline: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// Go on with those that come.
    #[arg(long, short)]
    pub follow: bool,
}

/// Arguments of `deployed`.
#[derive(Debug, Args)]
pub struct DeployedArgs {
    /// The pipeline.
    pub pipeline: String,
    /// The instant, such as 2026-11-23T12:00Z or 2026-11-23; now when left out. Without an offset it is UTC.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run, or the last characters of its identifier.
    pub run: String,
    /// The file; RUN.html in the working directory when left out.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub html: Option<Option<PathBuf>>,
}

/// Arguments of `bundle`.
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// A Model artifact's identifier or digest (its first characters do), or a pipeline's name for its live model.
    pub model: String,
    /// A new directory.
    pub directory: PathBuf,
    /// Also carry the examples, not only their digests.
    #[arg(long)]
    pub with_examples: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The bundle's directory.
    pub bundle: PathBuf,
    /// The installation's public key (PEM), from somebody you trust; the key inside the bundle proves nothing.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run, or the last characters of its identifier.
    pub run: String,
    /// A new directory.
    pub directory: PathBuf,
}

/// Arguments of `lineage`.
#[derive(Debug, Args)]
pub struct LineageArgs {
    /// An artifact's identifier or digest (its first characters do).
    pub artifact: String,
    /// What came of it instead of what went into it.
    #[arg(long)]
    pub downstream: bool,
    /// At most so many artifacts.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A Model artifact's identifier or digest (its first characters do), or a pipeline's name for its live model.
    pub model: String,
}

/// `audit` commands.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check the hash chain and name the first entry that does not fit.
    Verify {
        /// Number and hash of an entry that somebody saw, `#1234 ab12cd34ef56`, as a Slack message or a page shows them: finds a log
        /// that was cut off and grew again.
        #[arg(long, value_name = "ANCHOR")]
        anchor: Option<String>,
    },
}
