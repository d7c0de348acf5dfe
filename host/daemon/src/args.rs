//! The command line.

mod config;
mod operating;
mod parts;
mod record;
mod runs;
mod watching;

pub use config::ConfigCommand;
pub use operating::{BackfillArgs, DbCommand, GcArgs, PauseArgs};
pub use parts::{AccessCommand, GraphForm, PipelineCommand, PluginCommand, SlackCommand};
pub use record::{
    AuditCommand, BundleArgs, DeployedArgs, EventsArgs, ExplainArgs, ExportArgs, LineageArgs, ReportArgs, VerifyArgs,
};
pub use runs::{DecideArgs, Delivery, DemoArgs, RunArgs, RunOnly, RunsArgs, ServeArgs, ShowArgs};
pub use watching::{LogsArgs, ManArgs};

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Runs ML pipelines as sandboxed components and lets no model go live until a person has looked.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Settings file; otherwise $COUNTERSIGN_CONFIG, then countersign/countersign.toml under the XDG config directory, then
    /// /etc/countersign/countersign.toml.
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE", conflicts_with = "demo")]
    pub config: Option<PathBuf>,
    /// Use the demo's own settings and state, where `countersign demo` left them.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub demo: bool,
    /// How results are printed: for people, or as one document for programs.
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FORM", value_enum, default_value = "text")]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    // Explained above: a remark each would make every command's help longer.
    Text,
    Json,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bundled Chicago taxi pipeline, up to your decision.
    Demo(DemoArgs),
    /// Run a pipeline file now.
    Run(RunArgs),
    /// Go on with a run whose process was stopped.
    Resume(RunOnly),
    /// List runs, newest first.
    Runs(RunsArgs),
    /// Show a run: steps, findings, evidence, decisions.
    Show(ShowArgs),
    /// Approve what a run shows.
    Approve(DecideArgs),
    /// Reject what a run shows: the run ends.
    Reject(DecideArgs),
    /// Say that a decision needs more time.
    Hold(DecideArgs),
    /// Approve although a check failed; needs a reason, its own quorum, and is shown as such for ever.
    Override(DecideArgs),
    /// Stop a run that is queued, running or waiting.
    Cancel(RunOnly),
    /// List what waits for people, and what waits for you.
    Inbox,
    /// Show how the installation stands: runs, requests, paused pipelines, undelivered messages, who does what.
    Status,
    /// Show what went into an artifact, or with --downstream what came of it.
    Lineage(LineageArgs),
    /// Explain a model: data, distribution, validation, comparison, who signed off.
    Explain(ExplainArgs),
    /// Say what was live at an instant, and who signed it off.
    Deployed(DeployedArgs),
    /// Write the reviewer's page of a run as one self-contained file.
    Report(ReportArgs),
    /// Write everything that was signed about a model into a directory that anybody can verify.
    Bundle(BundleArgs),
    /// Verify a bundle, offline, with nothing but the public key.
    Verify(VerifyArgs),
    /// Copy a run's artifacts out as plain files.
    Export(ExportArgs),
    /// Run as a daemon: start runs when the clock, arriving data or another system says so, carry them, serve the pages.
    Serve(ServeArgs),
    /// List events: why each run started, or why none did.
    Events(EventsArgs),
    /// Print what runs and their components said.
    Logs(LogsArgs),
    /// Start runs for a range of old deliveries.
    Backfill(BackfillArgs),
    /// Remove what retention allows: logs of old runs, and bytes of artifacts that nothing needs. The record itself stays.
    Gc(GcArgs),
    /// Look after the database: migrate, check, export, import.
    #[command(subcommand)]
    Db(DbCommand),
    /// Let people and programs into the pages.
    #[command(subcommand)]
    Access(AccessCommand),
    /// Look at the connection with Slack.
    #[command(subcommand)]
    Slack(SlackCommand),
    /// Look at components.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Check, draw, pause and resume pipelines.
    #[command(subcommand)]
    Pipeline(PipelineCommand),
    /// Show and check the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check this installation and say what to do about what is wrong.
    Doctor,
    /// Print or write manual pages.
    Man(ManArgs),
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}
