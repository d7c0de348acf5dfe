//! Files that people write, made into checked values: pipeline files become [`countersign_model::pipeline::Pipeline`],
//! `countersign.toml` and the environment become [`settings::Settings`].
//!
//! A file is read in stages: TOML to a tree with positions (`document`), the tree to the file's shape (`shape`, `read`),
//! the shape to a sound pipeline (`check`). Each stage collects every mistake it can name, with the place in the file and
//! what to do about it. Knows nothing of stores, sandboxes, clocks or cron arithmetic: components are described to it by a
//! [`Catalogue`], and whoever reads cron expressions hands in a check.

mod check;
pub mod diagnostics;
mod document;
mod error;
pub mod graph;
mod mask;
mod nearest;
mod place;
mod read;
mod schemas;
pub mod settings;
mod shape;
mod slack;
mod together;

pub use check::{Catalogue, CronCheck};
pub use diagnostics::{Diagnostic, Diagnostics, Span};
pub use error::ConfigError;
pub use schemas::schemas;
pub use together::disagreements;

use countersign_model::pipeline::Pipeline;
use std::path::Path;

/// The largest pipeline or settings file that is read.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Reads and checks a pipeline.
///
/// `origin` is the file's name as messages show it; relative paths in the file are taken from `base_dir`, which must be
/// absolute. `check_cron` looks at a cron expression that has five fields, and says what is wrong with it.
///
/// # Errors
/// Everything that is wrong with the text, in the order of the text.
pub fn read_pipeline(
    text: &str,
    origin: &str,
    base_dir: &Path,
    catalogue: &Catalogue,
    check_cron: &CronCheck<'_>,
) -> Result<Pipeline, Diagnostics> {
    let mut sink = diagnostics::Sink::new(origin, text);
    if let Some(document) = document::parse(text, &mut sink) {
        let file = read::pipeline(&document, &mut sink);
        if let Some(pipeline) = check::pipeline(&file, base_dir, catalogue, check_cron, &mut sink) {
            return sink.finish().map(|()| pipeline);
        }
    }
    match sink.finish() {
        Err(diagnostics) => Err(diagnostics),
        // Nothing came of the text, so something must have been said about it.
        Ok(()) => {
            Err(Diagnostics::about_file(origin, "pipeline.unreadable", "this file can not be read as a pipeline"))
        }
    }
}

/// Reads and checks the pipeline file at `path`; relative paths in it are taken from its own folder.
///
/// # Errors
/// When the file can not be read, or when something is wrong with its text.
pub fn read_pipeline_file(
    path: &Path,
    catalogue: &Catalogue,
    check_cron: &CronCheck<'_>,
) -> Result<Pipeline, ConfigError> {
    let text = document::load(path)?;
    let absolute = std::path::absolute(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let base_dir = absolute.parent().unwrap_or(&absolute);
    Ok(read_pipeline(&text, &path.display().to_string(), base_dir, catalogue, check_cron)?)
}
