//! The one place that names concrete types: which store, which sandbox, which query engine, which key.

pub mod attest;
pub mod slack;
pub mod store;
pub mod telemetry;
pub mod traces;
pub mod triggers;
pub mod web;

use crate::catalogue::Installed;
use crate::context::Context;
use crate::directory::PeopleDirectory;
use crate::meter::Meter;
use crate::notifier::LogNotifier;
use crate::service::{LiveSettings, Troubles};
use crate::system::{SystemClock, UlidSource};
use anyhow::Context as _;
use countersign_config::Catalogue;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::{canonical, pipeline::Pipeline};
use countersign_orchestrator::{Engine, EngineOptions, Parts, Routes, Watcher};
use countersign_ports::{ArtifactStore, Clock, ComponentRunner, Directory, IdSource, Notifier};
use countersign_query::Engine as QueryEngine;
use countersign_sandbox::{Sandbox, SandboxOptions};
use countersign_store::LocalArtifacts;
use countersign_triggers::{Deliveries, Schedule};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
pub use store::{Stores, metadata, stores};
use traces::Traces;

/// The built-in component that answers pokes.
const PREDICTOR: &str = "predict";

/// A wired installation. Cheap to clone.
#[derive(Clone)]
pub struct Installation {
    /// Carries runs.
    pub engine: Engine,
    /// The record.
    pub stores: Stores,
    /// Artifacts' bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// What arrives.
    pub deliveries: Arc<Deliveries>,
    /// Who is who.
    pub directory: Arc<dyn Directory>,
    /// The connection with Slack.
    pub slack: Option<slack::Slack>,
    /// The settings in force.
    pub live: LiveSettings,
    /// What does not work at the moment.
    pub troubles: Troubles,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
    /// What is counted.
    pub meter: Arc<Meter>,
    /// What tells a collector of runs.
    pub traces: Traces,
    /// Loaded components.
    pub installed: Arc<Installed>,
}

/// Who is who.
pub fn directory(live: &LiveSettings, slack: Option<&slack::Slack>) -> Arc<dyn Directory> {
    Arc::new(PeopleDirectory::new(live.clone(), slack.map(slack::Slack::groups)))
}

/// The artifact store of an installation.
///
/// # Errors
/// When its directories can not be made.
pub fn artifacts(context: &Context) -> anyhow::Result<Arc<dyn ArtifactStore>> {
    Ok(Arc::new(LocalArtifacts::open(&context.artifacts()).context("open the artifact store")?))
}

/// The sandbox of an installation, with its cache of compiled code.
///
/// # Errors
/// When the cache directory can not be used.
pub fn sandbox(context: &Context) -> anyhow::Result<Arc<dyn ComponentRunner>> {
    let cache_dir = context.settings.cache_dir.join("compiled");
    let options = SandboxOptions { cache_dir, query: Arc::new(QueryEngine::new()) };
    Ok(Arc::new(Sandbox::new(options).context("start the sandbox")?))
}

/// Wires everything that carries runs.
///
/// # Errors
/// When a store can not be opened or a component can not be loaded.
pub async fn install(
    context: &Context,
    extra_components: &[PathBuf],
    watcher: Arc<dyn Watcher>,
) -> anyhow::Result<Installation> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let meter = Arc::new(Meter::new(Arc::clone(&clock)));
    let stores = stores(context).await?.metered(&meter);
    let artifacts = artifacts(context)?;
    let runner = sandbox(context)?;
    let installed = Installed::load(&runner, &context.settings.component_dirs, extra_components).await?;
    let ids: Arc<dyn IdSource> = Arc::new(UlidSource::default());
    let traces = telemetry::traces(context, &stores, ids.as_ref())?;
    let slack = slack::connect(context, &stores)?;
    let deliveries = triggers::deliveries(context);
    let live = LiveSettings::new(context.settings.clone());
    let directory = directory(&live, slack.as_ref());
    let mut notifiers: Vec<Arc<dyn Notifier>> = vec![Arc::new(LogNotifier)];
    notifiers.extend(slack.as_ref().map(slack::Slack::notifier));
    let parts = Parts {
        store: Arc::clone(&stores.metadata),
        triggers: Arc::clone(&stores.triggers),
        artifacts: Arc::clone(&artifacts),
        runner,
        components: installed.components(),
        predictor: installed.0.get(PREDICTOR).map(|entry| entry.component.clone()),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        deliveries: Arc::clone(&deliveries) as _,
        directory: Arc::clone(&directory),
        attestor: attest::keyring(context)?,
        routes: routes(context),
        notifiers,
        watcher: traces.beside(watcher),
    };
    let options = EngineOptions {
        lease: Duration::from_secs(context.settings.lease_seconds),
        scratch: context.settings.state_dir.join("scratch"),
    };
    let engine = Engine::new(parts, options);
    let installed = Arc::new(installed);
    Ok(Installation {
        engine,
        stores,
        artifacts,
        deliveries,
        directory,
        slack,
        live,
        troubles: Troubles::default(),
        clock,
        ids,
        meter,
        traces,
        installed,
    })
}

/// Where messages go besides the log.
fn routes(context: &Context) -> Routes {
    let (slack, alerts) = (context.settings.slack.as_ref(), &context.settings.alerts);
    Routes {
        requests: slack.and_then(|slack| slack.channel.clone()),
        blocked: alerts.blocked.clone(),
        failed: alerts.failed.clone(),
        warned: alerts.warned.clone(),
    }
}

/// Reads and checks a pipeline file.
///
/// # Errors
/// When it can not be read, or with every mistake in it.
pub fn read_pipeline(path: &Path, catalogue: &Catalogue, clock: &dyn Clock) -> anyhow::Result<PipelineVersion> {
    // The zone is checked on its own; any one serves to parse the expression.
    let check_cron =
        |expression: &str| Schedule::parse(expression, "UTC").map(drop).map_err(|error| crate::failure::chain(&error));
    let pipeline =
        countersign_config::read_pipeline_file(path, catalogue, &check_cron).map_err(crate::failure::wrong_file)?;
    version(pipeline, path, clock)
}

fn version(pipeline: Pipeline, path: &Path, clock: &dyn Clock) -> anyhow::Result<PipelineVersion> {
    Ok(PipelineVersion {
        name: pipeline.name.clone(),
        digest: canonical::digest(&pipeline)?,
        pipeline,
        origin: path.display().to_string(),
        created_at: clock.now(),
    })
}
