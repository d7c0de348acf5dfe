//! `pipeline pause` and `pipeline resume`.

use super::named;
use crate::args::PauseArgs;
use crate::context::Context;
use crate::{system, wiring};
use countersign_model::pipeline::WhilePaused;
use countersign_ports::Clock as _;
use countersign_ports::trigger_store::Paused;
use serde::Serialize;

#[derive(Serialize)]
struct Outcome<'a> {
    pipeline: &'a str,
    paused: bool,
    /// Whether this command changed it.
    changed: bool,
}

/// Starts nothing new of the pipeline from now on, in any daemon.
pub(super) async fn pause(context: &Context, arguments: &PauseArgs) -> anyhow::Result<()> {
    let version = named(context, &arguments.pipeline).await?;
    let store = wiring::stores(context).await?.triggers;
    let paused = Paused {
        pipeline: version.name.clone(),
        by: system::person()?,
        reason: arguments.reason.clone(),
        at: system::SystemClock.now(),
    };
    let changed = store.pause(&paused).await?;
    if context.json() {
        return context.print_json("pipeline-paused", &Outcome { pipeline: &version.name, paused: true, changed });
    }
    if !changed {
        println!("{} was paused already.", version.name);
        return Ok(());
    }
    let events = match version.pipeline.trigger.while_paused {
        WhilePaused::Hold => "events are taken, and their runs wait",
        WhilePaused::Skip => "events are recorded as skipped",
    };
    println!("{} is paused: {events}; runs under way go on.", version.name);
    println!("  {} pipeline resume {}", context.prefix, version.name);
    Ok(())
}

/// Lets it go on.
pub(super) async fn resume(context: &Context, pipeline: &str) -> anyhow::Result<()> {
    let version = named(context, pipeline).await?;
    let store = wiring::stores(context).await?.triggers;
    let changed = store.unpause(&version.name, &system::person()?, system::SystemClock.now()).await?;
    if context.json() {
        return context.print_json("pipeline-paused", &Outcome { pipeline: &version.name, paused: false, changed });
    }
    println!("{} {}", version.name, if changed { "goes on." } else { "was not paused." });
    Ok(())
}
