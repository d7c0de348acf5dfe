//! `resume` and `cancel`: a run that somebody's process left, or that nobody wants any more.

use crate::args::RunOnly;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::watch::{TerminalWatcher, ending};
use crate::{lookup, settle, system, wiring};
use countersign_model::run::{RunEnd, RunState};
use countersign_orchestrator::{Silent, Watcher};
use countersign_ports::Desk as _;
use std::sync::Arc;

/// Goes on with a run. One that another process still holds is waited for.
///
/// # Errors
/// When there is no such run or the stores fail.
pub async fn run(context: &Context, arguments: &RunOnly) -> anyhow::Result<Exit> {
    let person = system::person()?;
    let watcher: Arc<dyn Watcher> = if context.json() { Arc::new(Silent) } else { Arc::new(TerminalWatcher::new()) };
    let installation = wiring::install(context, &[], watcher).await?;
    let found = lookup::run(installation.stores.metadata.as_ref(), &arguments.run).await?;
    if let (RunState::Ended { end }, false) = (&found.state, context.json()) {
        println!("{}", ending(&found.id.to_string(), end));
    }
    settle::carry_and_ask(context, &installation, &found.id, &person).await
}

/// Stops a run.
///
/// # Errors
/// When there is no such run, it is over, or the store fails.
pub async fn cancel(context: &Context, arguments: &RunOnly) -> anyhow::Result<Exit> {
    let person = system::person()?;
    let installation = wiring::install(context, &[], Arc::new(Silent)).await?;
    let found = lookup::run(installation.stores.metadata.as_ref(), &arguments.run).await?;
    installation.engine.cancel(&found.id, &person).await?;
    installation.traces.close().await;
    let state = RunState::Ended { end: RunEnd::Cancelled { by: person } };
    settle::finish(context, &found.id, &state)?;
    if !context.json() {
        println!("{} is cancelled.", found.id);
    }
    Ok(Exit::Done)
}
