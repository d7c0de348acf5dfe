//! `serve`: the daemon. Starts runs when the clock or arriving data says so, carries them, serves the pages, delivers notices, until it
//! is told to stop.

use crate::args::ServeArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::service::{Background, Workers, registry};
use crate::wiring::{self, Installation};
use crate::{system, telemetry};
use anyhow::Context as _;
use countersign_orchestrator::Silent;
use countersign_triggers::TriggerService;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often the store is asked for work without a hint: a decision made in another process goes on within this time.
const POLL: Duration = Duration::from_millis(500);

/// Serves until SIGINT or SIGTERM, then gives unfinished runs back.
///
/// # Errors
/// When a pipeline is wrong, the address is taken or the stores fail at the start; later failures are logged and tried again.
pub async fn run(context: &Context, arguments: &ServeArgs) -> anyhow::Result<Exit> {
    telemetry::start(&context.settings.log)?;
    let installation = wiring::install(context, &arguments.components, Arc::new(Silent)).await?;
    let person = system::person()?;
    let versions = registry::register(&context.settings.pipelines, &installation, &person).await?;
    let count = versions.len();
    let triggers = TriggerService::new(
        Arc::clone(&installation.stores.metadata),
        Arc::clone(&installation.clock),
        Arc::clone(&installation.ids),
        Arc::new(std::sync::RwLock::new(versions)),
    );
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let stopping = watch::Sender::new(false);
    let background = Background::start(context, &installation, &stopping.subscribe()).await?;
    tracing::info!(pipelines = count, state_dir = %context.settings.state_dir.display(), "daemon is up");
    let swept = installation.engine.sweep().await?;
    tracing::debug!(directories = swept, "abandoned staging removed");
    let hint = installation.engine.hint();
    let upkeep_every = Duration::from_secs(context.settings.poll_seconds);
    let mut next_upkeep = installation.clock.now();
    let mut workers = Workers::new(arguments.concurrency, stopping.subscribe());
    loop {
        if next_upkeep <= installation.clock.now() {
            upkeep(&installation, &triggers).await;
            next_upkeep = installation.clock.now().plus(upkeep_every);
        }
        workers.fill(&installation.engine).await;
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = workers.ended() => {}
            () = hint.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    tracing::info!(runs = workers.len(), "stopping: unfinished runs are given back");
    stopping.send_replace(true);
    workers.drained().await;
    background.stopped().await;
    Ok(Exit::Done)
}

/// Looks at everything that is due. A part that fails is logged and tried the next time; it does not stop the others.
async fn upkeep(installation: &Installation, triggers: &TriggerService) {
    if let Err(error) = triggers.tick(installation.clock.now()).await {
        tracing::error!(error = crate::failure::chain(&error), "triggers failed");
    }
    if let Err(error) = installation.engine.meet_deadlines().await {
        tracing::error!(error = crate::failure::chain(&error), "reminders and expiry failed");
    }
}
