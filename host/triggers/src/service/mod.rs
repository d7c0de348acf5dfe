//! Looks at every trigger, again and again, and writes what is due into the metadata store.
//!
//! An event is accepted first and the cursor moved afterwards: whatever dies between the two is done again, and the event's
//! dedupe key makes the second time a count instead of a run. Each pipeline has a bounded turn in a tick, so that a thousand
//! things that are due in one keep nobody else waiting. Whether a run may start now is judged in the store, not here.

mod after;
mod compare;
mod cursor;
mod fire;
mod readers;
mod scan;

use crate::candidate::Candidate;
use crate::deliveries::Deliveries;
use crate::error::TriggerError;
use countersign_model::admission::Admission;
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Proposal;
use countersign_ports::{IdSource, MetadataStore, StoreError, TriggerStore};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Notify;

/// The pipelines whose triggers count, each registered in the store; whoever reloads definitions replaces them.
pub type SharedPipelines = Arc<RwLock<Vec<PipelineVersion>>>;

/// Events that one trigger of one pipeline may write in one tick; what is left has its turn in the next, which begins at once.
const TURN: usize = 128;

/// Turns due schedules, arrived files and other pipelines' pushes into events.
pub struct TriggerService {
    store: Arc<dyn MetadataStore>,
    triggers: Arc<dyn TriggerStore>,
    ids: Arc<dyn IdSource>,
    pipelines: SharedPipelines,
    hint: Arc<Notify>,
    armed: fire::Armory,
    followed: after::Followed,
    arrivals: scan::Arrivals,
    /// What the last tick could not do: logged when it begins, not at every tick.
    known_problems: Mutex<BTreeSet<String>>,
}

/// What one tick did.
#[derive(Default)]
struct Tick {
    outcomes: Vec<EventOutcome>,
    problems: BTreeSet<String>,
    /// Something that is due waits for its next turn.
    more: bool,
}

impl TriggerService {
    /// A service over these parts.
    pub fn new(
        store: Arc<dyn MetadataStore>,
        triggers: Arc<dyn TriggerStore>,
        deliveries: Arc<Deliveries>,
        ids: Arc<dyn IdSource>,
        pipelines: SharedPipelines,
    ) -> Self {
        Self {
            store,
            triggers,
            ids,
            pipelines,
            hint: Arc::default(),
            armed: Mutex::default(),
            followed: Mutex::default(),
            arrivals: scan::Arrivals::new(deliveries),
            known_problems: Mutex::default(),
        }
    }

    /// Whoever learns that something may be due notifies it, and the next tick begins at once instead of in its time.
    pub fn hint(&self) -> Arc<Notify> {
        Arc::clone(&self.hint)
    }

    /// Writes everything that is due at `now`: [`Self::fire_schedules`], then [`Self::look_at_deliveries`].
    ///
    /// # Errors
    /// The first failure of the store. What was not written yet is due at the next tick.
    pub async fn tick(&self, now: Timestamp) -> Result<Vec<EventOutcome>, TriggerError> {
        let fired = self.fire_schedules(now).await;
        let looked = self.look_at_deliveries(now).await;
        let mut outcomes = fired?;
        outcomes.extend(looked?);
        Ok(outcomes)
    }

    /// Writes what the clock and other pipelines' pushes made due at `now`, a bounded turn for each pipeline, and answers what became of
    /// each event. When more is due than that, the hint is notified. One pipeline's trouble stops no other. Reads no file, so that a
    /// large delivery or a slow server makes nobody's run late where this is called beside the look at deliveries.
    ///
    /// # Errors
    /// The first failure of the store. What was not written yet is due at the next tick.
    pub async fn fire_schedules(&self, now: Timestamp) -> Result<Vec<EventOutcome>, TriggerError> {
        let pipelines = self.versions();
        let mut tick = Tick::default();
        let mut answer = Ok(());
        for version in &pipelines {
            answer = answer.and(self.fire(version, now, &mut tick).await);
        }
        answer = answer.and(self.follow(&pipelines, now, &mut tick).await);
        if tick.more && answer.is_ok() {
            self.hint.notify_one();
        }
        tell_new(&self.known_problems, tick.problems);
        answer.map(|()| tick.outcomes)
    }

    fn versions(&self) -> Vec<PipelineVersion> {
        self.pipelines.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Accepts an event: it starts a run unless the pipeline's rules speak against it, or there is a reason to `skip` it, whatever else
    /// is going on.
    async fn accept(
        &self,
        version: &PipelineVersion,
        candidate: Candidate,
        skip: Option<&str>,
        now: Timestamp,
    ) -> Result<EventOutcome, TriggerError> {
        let (event, run) = candidate.propose(version, &*self.ids, now);
        let admission = Admission::from(&version.pipeline.trigger);
        let proposal = skip.map_or(Proposal::Admit(&run, admission), Proposal::Skip);
        let outcome = self.store.accept_event(&event, proposal).await;
        outcome.map_err(|error| store_error(&version.name)("accept event", error))
    }
}

fn store_error(trigger: &str) -> impl Fn(&'static str, StoreError) -> TriggerError + '_ {
    move |operation, source| TriggerError::Store { operation, trigger: trigger.to_string(), source }
}

/// Says each problem when it begins, not at every look.
fn tell_new(known: &Mutex<BTreeSet<String>>, problems: BTreeSet<String>) {
    let mut known = locked(known);
    for problem in problems.difference(&known) {
        tracing::warn!("{problem}");
    }
    *known = problems;
}

/// A lock whose holder can not leave it in between: what a panic left is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
