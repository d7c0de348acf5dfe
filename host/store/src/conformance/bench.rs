//! What a case works with: a store, a clock that it moves, and runs to work on.

use countersign_model::actor::Actor;
use countersign_model::admission::Admission;
use countersign_model::digest::Digest;
use countersign_model::event::{Cause, Event, EventOutcome};
use countersign_model::id::{EventId, RunId, WorkerId};
use countersign_model::pipeline::{Pipeline, PipelineVersion, Trigger};
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::{Proposal, RunFilter};
use countersign_ports::trigger_store::Paused;
use countersign_ports::{AccessStore, Clock, LeaseStore, MetadataStore, PostStore, RetentionStore, TriggerStore};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use ulid::Ulid;

/// How long a lease lasts in these cases.
pub const LEASE: Duration = Duration::from_secs(60);

/// A clock that a case moves.
pub struct ManualClock {
    micros: AtomicI64,
}

impl Default for ManualClock {
    /// Some day in November 2026.
    fn default() -> Self {
        Self { micros: AtomicI64::new(1_795_000_000_000_000) }
    }
}

impl ManualClock {
    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.micros.fetch_add(i64::try_from(by.as_micros()).expect("a case's step fits"), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }
}

/// Everything that a store of ours keeps.
pub trait Store: MetadataStore + AccessStore + PostStore + TriggerStore + LeaseStore + RetentionStore {}

impl<S: MetadataStore + AccessStore + PostStore + TriggerStore + LeaseStore + RetentionStore> Store for S {}

/// One case's world.
pub struct Bench {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    ids: AtomicU64,
}

impl Bench {
    /// A world around an empty store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        Self { store, clock, ids: AtomicU64::new(1) }
    }

    pub(super) fn ulid(&self) -> Ulid {
        Ulid::from_parts(self.ids.fetch_add(1, Ordering::SeqCst), 7)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock a little and answers the new time.
    pub fn tick(&self) -> Timestamp {
        self.clock.advance(Duration::from_secs(1));
        self.clock.now()
    }

    /// A worker like a fresh process.
    pub fn worker(&self) -> WorkerId {
        WorkerId::from_ulid(self.ulid())
    }

    /// A person.
    pub fn person(name: &str) -> Actor {
        Actor::local(name)
    }

    /// A definition; `description` tells versions apart.
    pub fn definition(&self, name: &str, description: &str) -> PipelineVersion {
        let pipeline = Pipeline {
            name: name.to_string(),
            description: description.to_string(),
            trigger: Trigger::default(),
            sources: BTreeMap::new(),
            steps: Vec::new(),
        };
        PipelineVersion {
            name: name.to_string(),
            digest: Digest::of(format!("{name} {description}").as_bytes()),
            pipeline,
            origin: format!("{name}.toml"),
            created_at: self.clock.now(),
        }
    }

    /// Registers a definition with this trigger.
    pub async fn define(&self, name: &str, trigger: Trigger) {
        let mut version = self.definition(name, &serde_json::to_string(&trigger).unwrap());
        version.pipeline.trigger = trigger;
        self.store.register_pipeline(&version, &Self::person("ada")).await.unwrap();
    }

    /// The definition in force; a plain one when there is none yet.
    async fn in_force(&self, name: &str) -> PipelineVersion {
        let known = self.store.pipelines().await.unwrap();
        if let Some(version) = known.into_iter().find(|version| version.name == name) {
            return version;
        }
        let version = self.definition(name, "a");
        self.store.register_pipeline(&version, &Self::person("ada")).await.unwrap();
        version
    }

    /// An event and the run that it would start.
    pub async fn event(&self, pipeline: &str) -> (Event, Run) {
        let version = self.in_force(pipeline).await;
        let id = EventId::from_ulid(self.ulid());
        let event = Event {
            id,
            pipeline: pipeline.to_string(),
            cause: Cause::Person,
            actor: Self::person("ada"),
            dedupe_key: id.to_string(),
            at: self.clock.now(),
        };
        let run = Run {
            id: RunId::from_ulid(self.ulid()),
            pipeline: pipeline.to_string(),
            pipeline_digest: version.digest,
            event: id,
            cause: Cause::Person,
            started_by: Self::person("ada"),
            span: Some("2026-11-23".to_string()),
            priority: version.pipeline.trigger.priority,
            state: RunState::Queued,
            created_at: self.clock.now(),
            ended_at: None,
        };
        (event, run)
    }

    /// A queued run.
    pub async fn queue(&self, pipeline: &str) -> RunId {
        self.tick();
        let (event, run) = self.event(pipeline).await;
        self.store.accept_event(&event, Proposal::Run(&run)).await.unwrap();
        run.id
    }

    /// An event of the pipeline, judged by the definition in force; answers what became of it and the run that it proposed.
    pub async fn propose(&self, pipeline: &str) -> (EventOutcome, Run) {
        self.tick();
        let rules = Admission::from(&self.in_force(pipeline).await.pipeline.trigger);
        let (event, run) = self.event(pipeline).await;
        (self.store.accept_event(&event, Proposal::Admit(&run, rules)).await.unwrap(), run)
    }

    /// The identifiers of the runs in this status, newest first.
    pub async fn in_status(&self, status: &str) -> Vec<RunId> {
        let filter = RunFilter { status: Some(status.to_string()), limit: 1000, ..RunFilter::default() };
        self.store.runs(&filter).await.unwrap().iter().map(|run| run.id).collect()
    }

    /// Pauses a pipeline.
    pub async fn pause(&self, pipeline: &str) -> bool {
        let (by, reason) = (Self::person("ada"), "the feed is broken".to_string());
        let paused = Paused { pipeline: pipeline.to_string(), by, reason, at: self.tick() };
        self.store.pause(&paused).await.unwrap()
    }

    /// Lets it go on.
    pub async fn unpause(&self, pipeline: &str) -> bool {
        self.store.unpause(pipeline, &Self::person("grace"), self.tick()).await.unwrap()
    }

    /// Claims what is to be claimed.
    pub async fn claim(&self) -> Option<Claim> {
        self.store.claim_run(&self.worker(), None, LEASE).await.unwrap()
    }

    /// A new run of the pipeline, claimed. The pipeline must be idle.
    pub async fn running(&self, pipeline: &str) -> Claim {
        let run = self.queue(pipeline).await;
        self.store.claim_run(&self.worker(), Some(&run), LEASE).await.unwrap().expect("the pipeline is idle")
    }

    /// The run as it is.
    pub async fn run(&self, id: &RunId) -> Run {
        self.store.run(id).await.unwrap().expect("the run is there")
    }

    /// The run's status.
    pub async fn status(&self, id: &RunId) -> &'static str {
        self.run(id).await.state.status()
    }

    /// Ends a run well.
    pub async fn succeed(&self, claim: &Claim) {
        self.store.end_run(claim, &RunEnd::Succeeded, self.clock.now(), &[]).await.unwrap();
    }

    /// What the audit log says was done, in order.
    pub async fn actions(&self) -> Vec<String> {
        let entries = self.store.audit_entries(0, u32::MAX).await.unwrap();
        entries.into_iter().map(|entry| entry.fact.action).collect()
    }
}
