//! Commands about parts of an installation: pipelines, components, access, Slack.

use super::PauseArgs;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

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
