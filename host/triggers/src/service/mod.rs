//! Looks at every trigger, again and again, and writes what is due into the metadata store.
//!
//! An event is accepted first and the cursor moved afterwards: whatever dies between the two is done again, and the event's
//! dedupe key makes the second time a count instead of a run.

mod fire;
mod scan;

use crate::error::TriggerError;
use countersign_model::actor::Actor;
use countersign_model::event::{Cause, Event, EventOutcome};
use countersign_model::id::{EventId, RunId};
use countersign_model::pipeline::{Overlap, PipelineVersion};
use countersign_model::run::{Run, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::{Clock, IdSource, MetadataStore, StoreError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// The pipelines whose triggers count, each registered in the store; whoever reloads definitions replaces them.
pub type SharedPipelines = Arc<RwLock<Vec<PipelineVersion>>>;

/// Turns due schedules and arrived files into events.
pub struct TriggerService {
    store: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    pipelines: SharedPipelines,
    /// What the last tick could not do: logged when it begins, not at every tick.
    known_problems: Mutex<BTreeSet<String>>,
}

/// An event before it is accepted.
struct Candidate {
    cause: Cause,
    actor: Actor,
    span: Option<String>,
    key: String,
    /// Why no run may start from it, whatever else is going on.
    skip: Option<String>,
}

/// What one tick did.
#[derive(Default)]
struct Tick {
    outcomes: Vec<EventOutcome>,
    problems: BTreeSet<String>,
}

impl TriggerService {
    /// A service over these parts.
    pub fn new(
        store: Arc<dyn MetadataStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        pipelines: SharedPipelines,
    ) -> Self {
        Self { store, clock, ids, pipelines, known_problems: Mutex::default() }
    }

    /// Ticks for ever; drop the future to stop. A tick that fails is tried again, and logged when its error is a new one.
    pub async fn watch(&self, every: Duration) {
        let mut last_error = None;
        loop {
            let error = self.tick(self.clock.now()).await.err().map(|error| with_causes(&error));
            if let Some(error) = error.as_ref().filter(|error| Some(*error) != last_error.as_ref()) {
                tracing::error!("triggers will be looked at again: {error}");
            }
            last_error = error;
            tokio::time::sleep(every).await;
        }
    }

    /// Writes everything that is due at `now` and answers what became of each event. One pipeline's trouble stops no other.
    ///
    /// # Errors
    /// The first failure of the store. What was not written yet is due at the next tick.
    pub async fn tick(&self, now: Timestamp) -> Result<Vec<EventOutcome>, TriggerError> {
        let pipelines = self.pipelines.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut tick = Tick::default();
        let mut answer = Ok(());
        for version in &pipelines {
            answer = answer.and(self.fire(version, now, &mut tick).await);
            answer = answer.and(self.scan(version, now, &mut tick).await);
        }
        let mut known = self.known_problems.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in tick.problems.difference(&known) {
            tracing::warn!("{problem}");
        }
        *known = tick.problems;
        answer.map(|()| tick.outcomes)
    }

    /// Accepts an event, with a run unless something speaks against it.
    async fn accept(
        &self,
        version: &PipelineVersion,
        candidate: Candidate,
        now: Timestamp,
    ) -> Result<EventOutcome, TriggerError> {
        let Candidate { cause, actor, span, key, skip } = candidate;
        let failed = store_error(&version.name);
        let skip = match skip {
            None => self.overlap(version).await.map_err(|error| failed("look for overlap", error))?,
            skip => skip,
        };
        let event = Event {
            id: EventId::from_ulid(self.ids.ulid()),
            pipeline: version.name.clone(),
            cause,
            actor,
            dedupe_key: key,
            at: now,
        };
        let run = Run {
            id: RunId::from_ulid(self.ids.ulid()),
            pipeline: version.name.clone(),
            pipeline_digest: version.digest,
            event: event.id,
            cause: event.cause.clone(),
            started_by: event.actor.clone(),
            span,
            state: RunState::Queued,
            created_at: now,
            ended_at: None,
        };
        let outcome = self.store.accept_event(&event, skip.as_deref().map_or(Ok(&run), Err)).await;
        outcome.map_err(|error| failed("accept event", error))
    }

    /// Why no run may start now: another one of the pipeline is queued or running, and the pipeline wants no second.
    async fn overlap(&self, version: &PipelineVersion) -> Result<Option<String>, StoreError> {
        match version.pipeline.trigger.overlap {
            Overlap::Wait => return Ok(None),
            Overlap::Skip => {}
        }
        for status in ["running", "queued"] {
            let filter = RunFilter {
                pipeline: Some(version.name.clone()),
                status: Some(status.to_string()),
                before: None,
                limit: 1,
            };
            if let Some(run) = self.store.runs(&filter).await?.first() {
                return Ok(Some(format!("overlap: {} is {status}", run.id)));
            }
        }
        Ok(None)
    }
}

fn store_error(trigger: &str) -> impl Fn(&'static str, StoreError) -> TriggerError + '_ {
    move |operation, source| TriggerError::Store { operation, trigger: trigger.to_string(), source }
}

/// An error and its causes on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
