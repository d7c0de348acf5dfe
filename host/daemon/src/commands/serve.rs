//! `serve`: the daemon. Starts runs when the clock, arriving data or another system says so, carries them, serves the pages, delivers
//! notices, until it is told to stop.

use crate::args::ServeArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure;
use crate::service::signals::{Signal, Signals};
use crate::service::{Background, Supervisor, Workers, registry, reload};
use crate::wiring::{self, Installation};
use crate::{system, telemetry};
use countersign_model::actor::Actor;
use countersign_orchestrator::Silent;
use countersign_triggers::SharedPipelines;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// How often the store is asked for work without a hint: a decision made in another process goes on within this time.
const POLL: Duration = Duration::from_millis(500);

/// A daemon at work.
struct Daemon<'a> {
    context: &'a Context,
    arguments: &'a ServeArgs,
    installation: Installation,
    pipelines: SharedPipelines,
    person: Actor,
    supervisor: Supervisor,
}

/// Serves until SIGINT or SIGTERM; then the runs under way end their step and are given back. SIGHUP reads settings and pipelines again.
///
/// # Errors
/// When another daemon serves the same SQLite file, a pipeline is wrong, the address is taken or the stores fail at the start; later
/// failures are logged and tried again.
pub async fn run(context: &Context, arguments: &ServeArgs) -> anyhow::Result<Exit> {
    telemetry::start(&context.settings.log)?;
    // Listened for from the start: a signal that comes while the components are compiled must not kill half a start.
    let mut signals = Signals::listen()?;
    let _sole = wiring::store::sole_daemon(context)?;
    let installation = wiring::install(context, &arguments.components, Arc::new(Silent)).await?;
    let person = system::person()?;
    let versions = registry::read(&context.settings.pipelines, &installation)?;
    registry::tell_disagreements(&context.settings, &versions);
    registry::register(&versions, &installation, &person).await?;
    let count = versions.len();
    let pipelines: SharedPipelines = Arc::new(RwLock::new(versions));
    let stopped = watch::Sender::new(false);
    let background = Background::start(context, &installation, &pipelines, &stopped.subscribe()).await?;
    let swept = installation.engine.sweep().await?;
    tracing::debug!(directories = swept, "abandoned staging removed");
    tracing::info!(pipelines = count, state_dir = %context.settings.state_dir.display(), "daemon is up");
    let supervisor = Supervisor::from_environment();
    supervisor.ready();
    let daemon = Daemon { context, arguments, installation, pipelines, person, supervisor };
    daemon.carry(&mut signals).await;
    // Last: what the runs wrote at their end is still delivered, if it can be at once.
    stopped.send_replace(true);
    background.stopped().await;
    daemon.installation.traces.close().await;
    Ok(Exit::Done)
}

impl Daemon<'_> {
    /// Carries runs until a signal says stop, and brings those under way to a step's end.
    async fn carry(&self, signals: &mut Signals) {
        let engine = &self.installation.engine;
        let (hint, changes) = (engine.hint(), Arc::clone(&self.installation.stores.changes));
        let mut workers = Workers::new(&self.installation.troubles);
        loop {
            self.supervisor.alive();
            workers.fill(engine, self.room()).await;
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Stop => break,
                    Signal::Reload => self.reload().await,
                },
                () = workers.ended() => {}
                () = hint.notified() => {}
                () = changes.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        self.supervisor.stopping();
        let patience = Duration::from_secs(self.installation.live.now().drain_seconds);
        tracing::info!(
            runs = workers.len(),
            drain_seconds = patience.as_secs(),
            "stopping: runs end the step they are in and are given back; another signal gives them back now"
        );
        workers.drain(patience, signals.next()).await;
    }

    /// How many runs are carried at the same time.
    fn room(&self) -> usize {
        self.arguments.concurrency.unwrap_or_else(|| self.installation.live.now().concurrency)
    }

    /// A new config that is wrong leaves the old one in force, and says so.
    async fn reload(&self) {
        self.supervisor.reloading();
        match reload::reload(self.context, &self.installation, &self.pipelines, &self.person).await {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(
                    error = failure::line(&error),
                    "reload refused: the settings and pipelines from before stay in force"
                );
            }
        }
        self.supervisor.ready();
    }
}
