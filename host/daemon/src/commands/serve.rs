//! `serve`: the daemon. Starts runs when the clock or arriving data says so, carries them, delivers notices, until it is told to stop.

use crate::args::ServeArgs;
use crate::catalogue::Installed;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::wiring::{self, Installation};
use crate::{system, telemetry};
use anyhow::Context as _;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::run::Claim;
use countersign_orchestrator::{Engine, Silent, WorkEnd};
use countersign_ports::Clock;
use countersign_triggers::TriggerService;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often the store is asked for work: a decision made in another process goes on within this time.
const POLL: Duration = Duration::from_millis(500);

/// Serves until SIGINT or SIGTERM, then gives unfinished runs back.
///
/// # Errors
/// When a pipeline is wrong or the stores fail at the start; later failures are logged and tried again.
pub async fn run(context: &Context, arguments: &ServeArgs) -> anyhow::Result<Exit> {
    telemetry::start(&context.settings.log)?;
    let installation = wiring::install(context, &arguments.components, Arc::new(Silent)).await?;
    let versions = register(context, &installation).await?;
    let count = versions.len();
    let triggers = TriggerService::new(
        Arc::clone(&installation.store),
        Arc::clone(&installation.clock),
        Arc::clone(&installation.ids),
        Arc::new(std::sync::RwLock::new(versions)),
    );
    tracing::info!(pipelines = count, state_dir = %context.settings.state_dir.display(), "daemon is up");
    let swept = installation.engine.sweep().await?;
    tracing::debug!(directories = swept, "abandoned staging removed");
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let upkeep_every = Duration::from_secs(context.settings.poll_seconds);
    let mut next_upkeep = installation.clock.now();
    let mut workers =
        Workers { tasks: JoinSet::new(), stopping: watch::Sender::new(false), most: arguments.concurrency.max(1) };
    loop {
        if next_upkeep <= installation.clock.now() {
            upkeep(&installation, &triggers).await;
            next_upkeep = installation.clock.now().plus(upkeep_every);
        }
        workers.fill(&installation.engine).await;
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = workers.ended() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    tracing::info!(runs = workers.tasks.len(), "stopping: unfinished runs are given back");
    workers.stop().await;
    Ok(Exit::Done)
}

/// Looks at everything that is due. A part that fails is logged and tried the next time; it does not stop the others.
async fn upkeep(installation: &Installation, triggers: &TriggerService) {
    let engine = &installation.engine;
    if let Err(error) = triggers.tick(installation.clock.now()).await {
        tracing::error!(error = crate::failure::chain(&error), "triggers failed");
    }
    if let Err(error) = engine.expire_requests().await {
        tracing::error!(error = crate::failure::chain(&error), "expiry failed");
    }
    if let Err(error) = engine.deliver_notices().await {
        tracing::error!(error = crate::failure::chain(&error), "delivery failed");
    }
}

/// The runs that this process carries.
struct Workers {
    tasks: JoinSet<()>,
    /// Written once, by whoever stops the daemon; read by every task.
    stopping: watch::Sender<bool>,
    most: usize,
}

impl Workers {
    /// Claims work while there is room for it.
    async fn fill(&mut self, engine: &Engine) {
        while self.tasks.len() < self.most {
            match engine.claim(None).await {
                Ok(Some(claim)) => self.start(engine.clone(), claim),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(error = crate::failure::chain(&error), "claiming work failed");
                    break;
                }
            }
        }
    }

    fn start(&mut self, engine: Engine, claim: Claim) {
        let mut stopping = self.stopping.subscribe();
        self.tasks.spawn(async move {
            let run = claim.run;
            tracing::info!(run.id = %run, epoch = claim.epoch, "run claimed");
            let worked = tokio::select! {
                worked = engine.work(&claim) => worked,
                // Dropping the work stops its component.
                () = told(&mut stopping) => engine.release(&claim).await.map(|()| WorkEnd::Lost),
            };
            match worked {
                Ok(end) => tracing::info!(run.id = %run, ?end, "run settled"),
                Err(error) => {
                    let error = crate::failure::chain(&error);
                    tracing::error!(run.id = %run, error, "run interrupted; it goes on from its last step");
                }
            }
        });
    }

    /// Waits for one to end; for ever when there is none.
    async fn ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Stops the components and gives every unfinished run back.
    async fn stop(mut self) {
        self.stopping.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Waits until the daemon is told to stop.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the daemon.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Reads, checks and registers every pipeline that the settings name.
async fn register(context: &Context, installation: &Installation) -> anyhow::Result<Vec<PipelineVersion>> {
    let person = system::person()?;
    let mut versions: Vec<PipelineVersion> = Vec::new();
    for path in pipeline_files(&context.settings.pipelines)? {
        let version = checked(&path, &installation.installed, installation.clock.as_ref())?;
        if let Some(twin) = versions.iter().find(|other| other.name == version.name) {
            let text = format!("error: {} and {} are both named `{}`", twin.origin, version.origin, version.name);
            return Err(WrongInput::new(text).into());
        }
        installation.store.register_pipeline(&version, &person).await?;
        versions.push(version);
    }
    Ok(versions)
}

fn checked(path: &Path, installed: &Installed, clock: &dyn Clock) -> anyhow::Result<PipelineVersion> {
    wiring::read_pipeline(path, &installed.catalogue(), clock)
}

fn pipeline_files(places: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for place in places {
        if !place.is_dir() {
            files.push(place.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(place).with_context(|| format!("read {} (setting `pipelines`)", place.display()))?;
        let toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        files.extend(entries.flatten().map(|entry| entry.path()).filter(toml));
    }
    files.sort();
    Ok(files)
}
