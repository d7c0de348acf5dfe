//! The one place that names concrete types: which store, which sandbox, which query engine, which key.

pub mod attest;
pub mod slack;
pub mod web;

use crate::catalogue::Installed;
use crate::context::Context;
use crate::directory::PeopleDirectory;
use crate::notifier::LogNotifier;
use crate::system::{SystemClock, UlidSource};
use anyhow::Context as _;
use countersign_config::Catalogue;
use countersign_model::pipeline::{PipelineVersion, Source};
use countersign_model::{canonical, pipeline::Pipeline};
use countersign_orchestrator::{Engine, EngineOptions, Parts, Routes, Watcher};
use countersign_ports::{
    AccessStore, ArtifactStore, Clock, ComponentRunner, Delivered, DeliveryFinder, Directory, IdSource, MetadataStore,
    Notifier, PostStore,
};
use countersign_query::Engine as QueryEngine;
use countersign_sandbox::{Sandbox, SandboxOptions};
use countersign_store::{LocalArtifacts, SqliteStore};
use countersign_triggers::{Schedule, newest_delivery};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Attempts at a step whose error may pass.
const ATTEMPTS: u32 = 3;
/// Pause before the second attempt.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The built-in component that answers pokes.
const PREDICTOR: &str = "predict";

/// The record, behind each of its seams.
#[derive(Clone)]
pub struct Stores {
    /// Metadata.
    pub metadata: Arc<dyn MetadataStore>,
    /// Who may come in.
    pub access: Arc<dyn AccessStore>,
    /// What was posted where.
    pub posts: Arc<dyn PostStore>,
}

/// A wired installation.
pub struct Installation {
    /// Carries runs.
    pub engine: Engine,
    /// The record.
    pub stores: Stores,
    /// Artifacts' bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Who is who.
    pub directory: Arc<dyn Directory>,
    /// The connection with Slack.
    pub slack: Option<slack::Slack>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
    /// Loaded components.
    pub installed: Installed,
}

/// The record. A read command on an installation that never ran finds an empty one.
///
/// # Errors
/// When the database can not be opened.
pub async fn stores(context: &Context) -> anyhow::Result<Stores> {
    let path = context.database();
    let store = SqliteStore::open(&path, Arc::new(SystemClock)).await;
    let store = Arc::new(store.with_context(|| format!("open the metadata store {}", path.display()))?);
    Ok(Stores { metadata: Arc::clone(&store) as _, access: Arc::clone(&store) as _, posts: store })
}

/// As [`stores`], for commands that only read what happened.
///
/// # Errors
/// When the database can not be opened.
pub async fn store(context: &Context) -> anyhow::Result<Arc<dyn MetadataStore>> {
    Ok(stores(context).await?.metadata)
}

/// Who is who.
pub fn directory(context: &Context, slack: Option<&slack::Slack>) -> Arc<dyn Directory> {
    Arc::new(PeopleDirectory::new(context.settings.clone(), slack.map(slack::Slack::groups)))
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
    let stores = stores(context).await?;
    let artifacts = artifacts(context)?;
    let runner = sandbox(context)?;
    let installed = Installed::load(&runner, &context.settings.component_dirs, extra_components).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdSource> = Arc::new(UlidSource::default());
    let slack = slack::connect(context, &stores)?;
    let directory = directory(context, slack.as_ref());
    let mut notifiers: Vec<Arc<dyn Notifier>> = vec![Arc::new(LogNotifier)];
    notifiers.extend(slack.as_ref().map(slack::Slack::notifier));
    let parts = Parts {
        store: Arc::clone(&stores.metadata),
        artifacts: Arc::clone(&artifacts),
        runner,
        components: installed.components(),
        predictor: installed.0.get(PREDICTOR).map(|entry| entry.component.clone()),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        deliveries: Arc::new(Listing),
        directory: Arc::clone(&directory),
        attestor: attest::keyring(context)?,
        routes: routes(context),
        notifiers,
        watcher,
    };
    let options = EngineOptions {
        lease: Duration::from_secs(context.settings.lease_seconds),
        attempts: ATTEMPTS,
        retry_pause: RETRY_PAUSE,
        scratch: context.settings.state_dir.join("scratch"),
    };
    Ok(Installation { engine: Engine::new(parts, options), stores, artifacts, directory, slack, clock, ids, installed })
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

/// Finds deliveries by listing directories.
struct Listing;

impl DeliveryFinder for Listing {
    fn newest(&self, source: &Source) -> Result<Delivered, String> {
        let found = newest_delivery(source).map_err(|error| crate::failure::chain(&error))?;
        let found = found.map(|found| Delivered { path: found.path, span: found.span });
        found.ok_or_else(|| format!("no file matches {}: put one there, or change the source's `path`", source.path))
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
