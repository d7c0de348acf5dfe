//! The one place that names concrete types: which store, which sandbox, which query engine.

use crate::catalogue::Installed;
use crate::context::Context;
use crate::notifier::LogNotifier;
use crate::system::{SystemClock, UlidSource};
use anyhow::Context as _;
use countersign_config::Catalogue;
use countersign_model::pipeline::{PipelineVersion, Source};
use countersign_model::{canonical, pipeline::Pipeline};
use countersign_orchestrator::{Engine, EngineOptions, Parts, Watcher};
use countersign_ports::{ArtifactStore, Clock, ComponentRunner, Delivered, DeliveryFinder, IdSource, MetadataStore};
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

/// A wired installation.
pub struct Installation {
    /// Carries runs.
    pub engine: Engine,
    /// Metadata.
    pub store: Arc<dyn MetadataStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
    /// Loaded components.
    pub installed: Installed,
}

/// The metadata store. A read command on an installation that never ran finds an empty one.
///
/// # Errors
/// When the database can not be opened.
pub async fn store(context: &Context) -> anyhow::Result<Arc<dyn MetadataStore>> {
    let path = context.database();
    let store = SqliteStore::open(&path, Arc::new(SystemClock)).await;
    Ok(Arc::new(store.with_context(|| format!("open the metadata store {}", path.display()))?))
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
    let store = store(context).await?;
    let artifacts = artifacts(context)?;
    let runner = sandbox(context)?;
    let installed = Installed::load(&runner, &context.settings.component_dirs, extra_components).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdSource> = Arc::new(UlidSource::default());
    let settings = context.settings.clone();
    let parts = Parts {
        store: Arc::clone(&store),
        artifacts,
        runner,
        components: installed.components(),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        deliveries: Arc::new(Listing),
        roles_of: Arc::new(move |actor| settings.roles_of(actor)),
        notifiers: vec![Arc::new(LogNotifier)],
        watcher,
    };
    let options = EngineOptions {
        lease: Duration::from_secs(context.settings.lease_seconds),
        attempts: ATTEMPTS,
        retry_pause: RETRY_PAUSE,
        scratch: context.settings.state_dir.join("scratch"),
    };
    Ok(Installation { engine: Engine::new(parts, options), store, clock, ids, installed })
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
