//! The engine: the parts it works with, and how a person starts a run.

use crate::error::OrchestratorError;
use crate::watcher::Watcher;
use countersign_model::actor::Actor;
use countersign_model::component::Description;
use countersign_model::digest::Digest;
use countersign_model::event::{Cause, Event};
use countersign_model::id::{ArtifactId, EventId, ExecutionId, RunId, WorkerId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::run::{Run, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::component_runner::Component;
use countersign_ports::metadata_store::Proposal;
use countersign_ports::{
    ArtifactStore, Attestor, Clock, ComponentRunner, DeliveryFinder, Directory, IdSource, MetadataStore, Notifier,
    TriggerStore,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify, Semaphore};

/// Pokes that run at a time.
const POKES_AT_ONCE: usize = 2;

/// Channels that failed, and until when nothing is tried there, so that what comes later does not overtake what failed. Held by the
/// one delivery that goes on in a process.
pub(crate) type Pauses = Mutex<BTreeMap<String, Timestamp>>;

/// Every loaded component, by the digest that pipelines pin.
#[derive(Clone, Default)]
pub struct Components {
    by_digest: HashMap<Digest, (Component, Description)>,
}

impl Components {
    /// Adds one.
    pub fn add(&mut self, component: Component, description: Description) {
        self.by_digest.insert(component.digest, (component, description));
    }

    /// The component of that digest.
    pub fn get(&self, digest: &Digest) -> Option<&(Component, Description)> {
        self.by_digest.get(digest)
    }
}

/// What an engine works with. Only the daemon's wiring names the concrete types behind these.
#[derive(Clone)]
pub struct Parts {
    /// Metadata.
    pub store: Arc<dyn MetadataStore>,
    /// What triggers remember, and which pipelines are paused.
    pub triggers: Arc<dyn TriggerStore>,
    /// Artifacts' bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// The sandbox.
    pub runner: Arc<dyn ComponentRunner>,
    /// Loaded components.
    pub components: Components,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
    /// Finds deliveries.
    pub deliveries: Arc<dyn DeliveryFinder>,
    /// Who is who, and what they may sign as.
    pub directory: Arc<dyn Directory>,
    /// Signs decisions, and checks what was signed.
    pub attestor: Arc<dyn Attestor>,
    /// Deliver the outbox.
    pub notifiers: Vec<Arc<dyn Notifier>>,
    /// Where messages go.
    pub routes: Routes,
    /// The built-in component `predict`, which answers pokes; none: there are no pokes.
    pub predictor: Option<Component>,
    /// Follows along.
    pub watcher: Arc<dyn Watcher>,
}

/// Where messages go besides the terminal and its log, which get every one: channels such as `slack:#ml-alerts`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Requests of gates that name no channel of their own.
    pub requests: Option<String>,
    /// Runs that a check blocked.
    pub blocked: Option<String>,
    /// Runs that failed.
    pub failed: Option<String>,
    /// Findings worth a look that stopped nothing.
    pub warned: Option<String>,
}

/// How an engine works.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// A worker that shows no sign of life for this long has lost its run. At least four heartbeats.
    pub lease: Duration,
    /// A directory for components' scratch space, on a disk with room.
    pub scratch: std::path::PathBuf,
}

/// Carries runs. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) parts: Parts,
    pub(crate) options: Arc<EngineOptions>,
    /// New at every start of a process, so that nobody refreshes a dead one's lease.
    pub(crate) worker: WorkerId,
    pub(crate) pauses: Arc<Pauses>,
    pub(crate) pokes: Arc<Semaphore>,
    work: Arc<Notify>,
    outbox: Arc<Notify>,
}

impl Engine {
    /// An engine with a worker identity of its own.
    pub fn new(parts: Parts, options: EngineOptions) -> Self {
        let worker = WorkerId::from_ulid(parts.ids.ulid());
        Self {
            parts,
            options: Arc::new(options),
            worker,
            pauses: Arc::default(),
            pokes: Arc::new(Semaphore::new(POKES_AT_ONCE)),
            work: Arc::default(),
            outbox: Arc::default(),
        }
    }

    /// Notified when a deed of this process made work that can be claimed. A hint: other processes make work too.
    pub fn hint(&self) -> Arc<Notify> {
        Arc::clone(&self.work)
    }

    /// Notified when this process wrote notices. A hint, as [`Self::hint`].
    pub fn outbox_hint(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    pub(crate) fn hint_work(&self) {
        self.work.notify_one();
    }

    pub(crate) fn hint_outbox(&self) {
        self.outbox.notify_one();
    }

    /// Registers the definition and starts a run of it, because a person asked.
    ///
    /// # Errors
    /// When the store can not write.
    pub async fn start(&self, version: &PipelineVersion, actor: &Actor) -> Result<RunId, OrchestratorError> {
        self.parts.store.register_pipeline(version, actor).await?;
        let now = self.parts.clock.now();
        let event = EventId::from_ulid(self.parts.ids.ulid());
        let run = Run {
            id: RunId::from_ulid(self.parts.ids.ulid()),
            pipeline: version.name.clone(),
            pipeline_digest: version.digest,
            event,
            cause: Cause::Person,
            started_by: actor.clone(),
            span: None,
            priority: version.pipeline.trigger.priority,
            state: RunState::Queued,
            created_at: now,
            ended_at: None,
        };
        let event = Event {
            id: event,
            pipeline: version.name.clone(),
            cause: Cause::Person,
            actor: actor.clone(),
            dedupe_key: format!("person:{event}"),
            at: now,
        };
        self.parts.store.accept_event(&event, Proposal::Run(&run)).await?;
        self.hint_work();
        Ok(run.id)
    }

    pub(crate) fn execution_id(&self) -> ExecutionId {
        ExecutionId::from_ulid(self.parts.ids.ulid())
    }

    pub(crate) fn artifact_id(&self) -> ArtifactId {
        ArtifactId::from_ulid(self.parts.ids.ulid())
    }
}
