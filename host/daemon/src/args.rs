//! The command line.

mod config;
mod operating;
mod watching;

pub use config::ConfigCommand;
pub use operating::{BackfillArgs, DbCommand, PauseArgs};
pub use watching::{LogsArgs, ManArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Runs ML pipelines as sandboxed components and lets no model go live until a person has looked.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Settings file; otherwise $COUNTERSIGN_CONFIG, then countersign/countersign.toml under the XDG config directory, then
    /// /etc/countersign/countersign.toml.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "demo")]
    pub config: Option<PathBuf>,
    /// Use the demo's own settings and state, where `countersign demo` left them.
    #[arg(long, global = true)]
    pub demo: bool,
    /// `json` prints one document for programs.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
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
    /// Show how the installation stands: runs, requests, undelivered messages, Slack.
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
    /// Run as a daemon: start runs when the clock or arriving data says so.
    Serve(ServeArgs),
    /// List events: why each run started, or why none did.
    Events(EventsArgs),
    /// Print what runs and their components said.
    Logs(LogsArgs),
    /// Start runs for a range of old deliveries.
    Backfill(BackfillArgs),
    /// Look after the database.
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
    /// Look at pipeline files.
    #[command(subcommand)]
    Pipeline(PipelineCommand),
    /// Look at the settings.
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

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Of this pipeline only.
    #[arg(long)]
    pub pipeline: Option<String>,
    /// In this status only: queued, running, waiting, succeeded, failed, blocked, rejected, superseded, expired, cancelled.
    #[arg(long)]
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

/// `access` commands.
#[derive(Debug, Subcommand)]
pub enum AccessCommand {
    /// Print a link that signs one person in, once.
    Link {
        /// A name under `[people]`; yourself when left out.
        #[arg(long, value_name = "PERSON")]
        person: Option<String>,
        /// How long the link may be used.
        #[arg(long, value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=1440))]
        minutes: u64,
    },
    /// Print a new token with which programs may read, and nothing else.
    Token {
        /// What it is for.
        name: String,
        /// How long it may be used.
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3650))]
        days: u64,
    },
    /// List sessions, unused links and tokens.
    List,
    /// Take a session, link or token away.
    Revoke {
        /// The first characters of its digest, as `access list` shows it.
        digest: String,
    },
}

/// `slack` commands.
#[derive(Debug, Subcommand)]
pub enum SlackCommand {
    /// Say in plain words which token, scope or channel is wrong.
    Check,
}

/// `plugin` commands.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List every component that pipelines can name.
    List,
    /// Show what a component says of itself.
    Inspect {
        /// Its name, or a .wasm file.
        component: String,
    },
}

/// `pipeline` commands.
#[derive(Debug, Subcommand)]
pub enum PipelineCommand {
    /// Check a pipeline file.
    Check {
        /// The file.
        pipeline: PathBuf,
        /// Load this component too.
        #[arg(long = "with", value_name = "COMPONENT.wasm")]
        components: Vec<PathBuf>,
    },
    /// Draw a pipeline's graph.
    Graph {
        /// The file.
        pipeline: PathBuf,
        /// Load this component too.
        #[arg(long = "with", value_name = "COMPONENT.wasm")]
        components: Vec<PathBuf>,
        /// In which form.
        #[arg(long, value_enum, default_value = "text")]
        form: GraphForm,
    },
    /// Show when a pipeline's schedule fires next.
    Next {
        /// The file, or the name of a registered pipeline.
        pipeline: String,
    },
    /// Start nothing new of a pipeline; events wait, or are recorded as skipped if the pipeline says so.
    Pause(PauseArgs),
    /// Let a paused pipeline go on.
    Resume {
        /// The pipeline's name.
        pipeline: String,
    },
}

/// How a graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphForm {
    /// For the terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown pages.
    Mermaid,
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
