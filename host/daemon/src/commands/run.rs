//! `run`: one run of a pipeline file, now, in this process.

use crate::args::RunArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::watch::TerminalWatcher;
use crate::{settle, system, wiring};
use countersign_orchestrator::{Silent, Watcher};
use std::sync::Arc;

/// Checks the file, starts a run and carries it.
///
/// # Errors
/// When the file is wrong or the stores fail.
pub async fn run(context: &Context, arguments: &RunArgs) -> anyhow::Result<Exit> {
    let person = system::person()?;
    let watcher: Arc<dyn Watcher> = if context.json() { Arc::new(Silent) } else { Arc::new(TerminalWatcher::new()) };
    let installation = wiring::install(context, &arguments.components, watcher).await?;
    let catalogue = installation.installed.catalogue();
    let version = wiring::read_pipeline(&arguments.pipeline, &catalogue, installation.clock.as_ref())?;
    let run = installation.engine.start(&version, &person).await?;
    settle::carry_and_ask(context, &installation, &run, &person).await
}
