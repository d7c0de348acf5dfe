//! A trigger service with one pipeline that has one source, and a directory.

use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::pipeline::{Pipeline, PipelineVersion, Ready, Source, Trigger};
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::trigger_store::{Paused, SeenFile};
use countersign_ports::{Clock, IdSource, MetadataStore, StoreError, TriggerStore};
use countersign_store::{MemoryStore, SqlStore};
use countersign_triggers::{Backfill, Deliveries, S3Options, SharedPipelines, TriggerService};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tempfile::TempDir;
use ulid::Ulid;

/// A clock that stands still and identifiers that count up.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Clock for Counter {
    fn now(&self) -> Timestamp {
        after(0)
    }
}

impl IdSource for Counter {
    fn ulid(&self) -> Ulid {
        Ulid::from_parts(self.0.fetch_add(1, Ordering::Relaxed), 1)
    }
}

/// So many seconds after the tests' beginning.
pub fn after(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus(Duration::from_secs(seconds))
}

/// What triggers remember, with a count of how often it was asked.
struct Counted {
    inner: Arc<dyn TriggerStore>,
    reads: Arc<AtomicU64>,
}

#[async_trait]
impl TriggerStore for Counted {
    async fn last_fire(&self, trigger: &str) -> Result<Option<Timestamp>, StoreError> {
        self.inner.last_fire(trigger).await
    }
    async fn register_trigger(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.inner.register_trigger(trigger, at).await
    }
    async fn record_fire(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.inner.record_fire(trigger, at).await
    }
    async fn seen_files(&self, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.seen_files(trigger).await
    }
    async fn record_seen_files(&self, files: &[SeenFile]) -> Result<(), StoreError> {
        self.inner.record_seen_files(files).await
    }
    async fn forget_seen_files(&self, trigger: &str, missing_before: Timestamp) -> Result<(), StoreError> {
        self.inner.forget_seen_files(trigger, missing_before).await
    }
    async fn pause(&self, paused: &Paused) -> Result<bool, StoreError> {
        self.inner.pause(paused).await
    }
    async fn unpause(&self, pipeline: &str, by: &Actor, at: Timestamp) -> Result<bool, StoreError> {
        self.inner.unpause(pipeline, by, at).await
    }
    async fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        self.inner.paused().await
    }
}

#[derive(Clone)]
pub struct World {
    pub store: Arc<dyn MetadataStore>,
    triggers: Arc<dyn TriggerStore>,
    pub ids: Arc<Counter>,
    pub pipelines: SharedPipelines,
    pub deliveries: Arc<Deliveries>,
    pub service: Arc<TriggerService>,
    table_reads: Arc<AtomicU64>,
    directory: Arc<TempDir>,
}

impl World {
    /// Over a directory, in which the path is seen from there.
    pub async fn local(path: &str, ready: Ready, settle_seconds: u64) -> Self {
        Self::over_memory(path, ready, settle_seconds, S3Options::default()).await
    }

    pub async fn over_memory(path: &str, ready: Ready, settle_seconds: u64, s3: S3Options) -> Self {
        let ids = Arc::new(Counter::default());
        let store = Arc::new(MemoryStore::new(ids.clone()));
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::new(store.clone(), store, ids, directory, Source { path: path.into(), settle_seconds, ready }, s3).await
    }

    /// As [`Self::local`], with a database.
    pub async fn on_disk(path: &str, ready: Ready) -> Self {
        let ids = Arc::new(Counter::default());
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let store = SqlStore::sqlite(&directory.path().join("metadata.db"), ids.clone()).await.unwrap();
        let store = Arc::new(store);
        let source = Source { path: path.into(), settle_seconds: 0, ready };
        Self::new(store.clone(), store, ids, directory, source, S3Options::default()).await
    }

    async fn new(
        store: Arc<dyn MetadataStore>,
        triggers: Arc<dyn TriggerStore>,
        ids: Arc<Counter>,
        directory: Arc<TempDir>,
        mut source: Source,
        s3: S3Options,
    ) -> Self {
        if source.object().is_none() {
            source.path = format!("{}/{}", directory.path().display(), source.path);
        }
        let trigger = Trigger { arrival: vec!["trips".into()], queue_limit: 30_000, ..Trigger::default() };
        let sources = BTreeMap::from([("trips".to_string(), source)]);
        let pipeline =
            Pipeline { name: "taxi".into(), description: String::new(), trigger, sources, steps: Vec::new() };
        let version = PipelineVersion {
            name: "taxi".into(),
            digest: Digest::of(b"taxi"),
            pipeline,
            origin: "taxi.toml".into(),
            created_at: after(0),
        };
        store.register_pipeline(&version, &Actor::local("ada")).await.unwrap();
        let pipelines: SharedPipelines = Arc::new(RwLock::new(vec![version]));
        let table_reads = Arc::new(AtomicU64::new(0));
        let triggers: Arc<dyn TriggerStore> = Arc::new(Counted { inner: triggers, reads: table_reads.clone() });
        let deliveries = Arc::new(Deliveries::new(s3));
        let service = service(&store, &triggers, &deliveries, &ids, &pipelines);
        Self { store, triggers, ids, pipelines, deliveries, service, table_reads, directory }
    }

    /// What another process over the same store would be.
    pub fn restarted(&self) -> Self {
        let service = service(&self.store, &self.triggers, &self.deliveries, &self.ids, &self.pipelines);
        Self { service, ..self.clone() }
    }

    pub fn backfill(&self) -> Backfill {
        Backfill::new(self.store.clone(), self.deliveries.clone(), self.ids.clone(), self.ids.clone())
    }

    pub fn version(&self) -> PipelineVersion {
        self.pipelines.read().unwrap()[0].clone()
    }

    pub fn source(&self) -> Source {
        self.version().pipeline.sources["trips"].clone()
    }

    pub fn edit(&self, change: impl FnOnce(&mut Pipeline)) {
        change(&mut self.pipelines.write().unwrap()[0].pipeline);
    }

    /// What the table knows, by the files' names.
    pub async fn seen(&self) -> Vec<String> {
        let files = self.triggers.seen_files("taxi/trips").await.unwrap();
        let name = |file: SeenFile| Path::new(&file.path).file_name().unwrap().to_string_lossy().into_owned();
        files.into_iter().map(name).collect()
    }

    /// How often the table was read since this was asked last.
    pub fn table_reads(&self) -> u64 {
        self.table_reads.swap(0, Ordering::SeqCst)
    }

    pub async fn tick(&self, seconds: u64) -> Vec<EventOutcome> {
        self.service.tick(after(seconds)).await.unwrap()
    }

    /// Ticks until nothing more is due.
    pub async fn drain(&self, seconds: u64) -> Vec<EventOutcome> {
        let mut outcomes = self.tick(seconds).await;
        while self.hinted().await {
            outcomes.extend(self.tick(seconds).await);
        }
        outcomes
    }

    async fn hinted(&self) -> bool {
        let hint = self.service.hint();
        tokio::select! {
            biased;
            () = hint.notified() => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Oldest first.
    pub async fn events(&self) -> Vec<(Event, EventOutcome)> {
        let mut events = self.store.events(None, u32::MAX).await.unwrap();
        events.reverse();
        events
    }

    /// Oldest first.
    pub async fn runs(&self) -> Vec<Run> {
        let filter = RunFilter { limit: u32::MAX, ..RunFilter::default() };
        let mut runs = self.store.runs(&filter).await.unwrap();
        runs.reverse();
        runs
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, again until its stamp differs: file systems stamp times in steps of some milliseconds.
    pub fn deliver(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = stamp(&path);
        while stamp(&path) == before {
            std::fs::write(&path, text).unwrap();
        }
        path
    }
}

fn stamp(path: &Path) -> Option<(i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|metadata| (metadata.ctime(), metadata.ctime_nsec()))
}

fn service(
    store: &Arc<dyn MetadataStore>,
    triggers: &Arc<dyn TriggerStore>,
    deliveries: &Arc<Deliveries>,
    ids: &Arc<Counter>,
    pipelines: &SharedPipelines,
) -> Arc<TriggerService> {
    let (store, triggers, deliveries) = (store.clone(), triggers.clone(), deliveries.clone());
    Arc::new(TriggerService::new(store, triggers, deliveries, ids.clone(), pipelines.clone()))
}

/// How many of the outcomes are runs.
pub fn runs(outcomes: &[EventOutcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, EventOutcome::Run { .. })).count()
}
