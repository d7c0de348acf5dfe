//! The twin in memory: the same answers as the databases, for tests and for a run that leaves nothing behind. It scans where they
//! use an index, and copies everything for each write: a write that fails half-way leaves no trace, by construction.

mod executions;
mod history;
mod pushes;
mod runs;
mod signoff;
mod state;

use crate::deeds::Deed;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::artifact::Artifact;
use countersign_model::audit::AuditEntry;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::execution::{Execution, LogLine};
use countersign_model::id::{ArtifactId, ExecutionId, NoticeId, RequestId, RunId, WorkerId};
use countersign_model::lineage::{Direction, Lineage};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::push::Push;
use countersign_model::run::{Claim, Run, RunEnd};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::{
    ArtifactFilter, Delivery, HistoryQuery, PushStart, Recorded, RunFilter, SeenFile,
};
use countersign_ports::notifier::Notice;
use countersign_ports::{Clock, MetadataStore, StoreError};
use state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What an answer of 0 means in a filter's limit.
const DEFAULT_LIMIT: usize = 50;

/// The limit of a filter, in which 0 means the usual page.
fn page(limit: u32) -> usize {
    if limit == 0 { DEFAULT_LIMIT } else { limit as usize }
}

/// The metadata store in memory.
pub struct MemoryStore {
    /// Replaced whole by each write that works.
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store. Leases are measured on `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    /// A panic elsewhere can not have left the state half-written: it is replaced in one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies `change` and its audit entries, or nothing.
    fn write<T>(
        &self,
        change: impl FnOnce(&mut State, Timestamp) -> Result<(T, Vec<Deed>), StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let mut next = state.clone();
        let now = self.clock.now();
        let (answer, deeds) = change(&mut next, now)?;
        next.audit(deeds, now)?;
        *state = next;
        Ok(answer)
    }

    /// As [`Self::write`], where there is nothing to answer.
    fn change(
        &self,
        change: impl FnOnce(&mut State, Timestamp) -> Result<Vec<Deed>, StoreError>,
    ) -> Result<(), StoreError> {
        self.write(|state, now| Ok(((), change(state, now)?)))
    }
}

#[async_trait]
impl MetadataStore for MemoryStore {
    async fn register_pipeline(&self, version: &PipelineVersion, by: &Actor) -> Result<(), StoreError> {
        self.change(|state, _| Ok(runs::register(state, version, by)))
    }

    async fn pipeline_version(&self, digest: &Digest) -> Result<Option<PipelineVersion>, StoreError> {
        Ok(self.state().versions.get(digest).cloned())
    }

    async fn pipelines(&self) -> Result<Vec<PipelineVersion>, StoreError> {
        let state = self.state();
        Ok(state.in_force.values().filter_map(|digest| state.versions.get(digest)).cloned().collect())
    }

    async fn accept_event(&self, event: &Event, run: Result<&Run, &str>) -> Result<EventOutcome, StoreError> {
        self.write(|state, now| runs::accept(state, now, event, run))
    }

    async fn events(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<(Event, EventOutcome)>, StoreError> {
        let state = self.state();
        let wanted =
            state.events.values().rev().filter(|(event, _)| pipeline.is_none_or(|name| event.pipeline == name));
        Ok(wanted.take(limit as usize).cloned().collect())
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        Ok(self.state().runs.get(id).map(|queued| queued.run.clone()))
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        Ok(runs::list(&self.state(), filter))
    }

    async fn claim_run(
        &self,
        worker: &WorkerId,
        only: Option<&RunId>,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        self.write(|state, now| runs::claim(state, now, worker, only, lease))
    }

    async fn heartbeat(&self, claim: &Claim, lease: Duration) -> Result<(), StoreError> {
        self.change(|state, now| runs::heartbeat(state, now, claim, lease).map(|()| Vec::new()))
    }

    async fn release_run(&self, claim: &Claim) -> Result<(), StoreError> {
        self.change(|state, _| runs::release(state, claim))
    }

    async fn end_run(&self, claim: &Claim, end: &RunEnd, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError> {
        self.change(|state, _| runs::end(state, claim, end, at, notices))
    }

    async fn cancel_run(&self, run: &RunId, by: &Actor, at: Timestamp) -> Result<(), StoreError> {
        self.change(|state, _| runs::cancel(state, run, by, at))
    }

    async fn begin_execution(&self, claim: &Claim, execution: &Execution) -> Result<(), StoreError> {
        self.change(|state, _| executions::begin(state, claim, execution))
    }

    async fn publish_execution(&self, claim: &Claim, execution: &Execution, log: &[LogLine]) -> Result<(), StoreError> {
        self.change(|state, _| executions::publish(state, claim, execution, log))
    }

    async fn executions(&self, run: &RunId) -> Result<Vec<Execution>, StoreError> {
        Ok(executions::of_run(&self.state(), run))
    }

    async fn execution(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
        Ok(self.state().executions.get(id).cloned())
    }

    async fn execution_log(&self, id: &ExecutionId) -> Result<Vec<LogLine>, StoreError> {
        Ok(self.state().logs.get(id).cloned().unwrap_or_default())
    }

    async fn cached_execution(&self, cache_key: &Digest) -> Result<Option<Execution>, StoreError> {
        Ok(executions::cached(&self.state(), cache_key))
    }

    async fn previous_execution(
        &self,
        pipeline: &str,
        step: &str,
        before: &RunId,
    ) -> Result<Option<Execution>, StoreError> {
        Ok(executions::previous(&self.state(), pipeline, step, before))
    }

    async fn record_delivery(&self, claim: &Claim, artifact: &Artifact) -> Result<(), StoreError> {
        self.change(|state, _| executions::record_delivery(state, claim, artifact))
    }

    async fn artifact(&self, id: &ArtifactId) -> Result<Option<Artifact>, StoreError> {
        Ok(self.state().artifacts.get(id).cloned())
    }

    async fn artifacts(&self, filter: &ArtifactFilter) -> Result<Vec<Artifact>, StoreError> {
        Ok(executions::artifacts(&self.state(), filter))
    }

    async fn resolve(&self, query: &HistoryQuery) -> Result<Vec<Artifact>, StoreError> {
        Ok(history::resolve(&self.state(), query))
    }

    async fn lineage(&self, artifact: &ArtifactId, direction: Direction, limit: u32) -> Result<Lineage, StoreError> {
        history::lineage(&self.state(), artifact, direction, limit)
    }

    async fn open_request(
        &self,
        claim: &Claim,
        request: &SignoffRequest,
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        self.change(|state, _| signoff::open(state, claim, request, notices))
    }

    async fn request(&self, id: &RequestId) -> Result<Option<SignoffRequest>, StoreError> {
        Ok(self.state().requests.get(id).map(|posted| posted.request.clone()))
    }

    async fn requests(
        &self,
        run: Option<&RunId>,
        model: Option<&Digest>,
        open_only: bool,
    ) -> Result<Vec<SignoffRequest>, StoreError> {
        Ok(signoff::list(&self.state(), run, model, open_only))
    }

    async fn record_decision(&self, decision: &Decision, notices: &[Notice]) -> Result<Recorded, StoreError> {
        self.write(|state, now| signoff::record_decision(state, now, decision, notices))
    }

    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError> {
        Ok(self.state().requests.get(request).map(|posted| posted.decisions.clone()).unwrap_or_default())
    }

    async fn close_request(&self, request: &RequestId, state: &RequestState, at: Timestamp) -> Result<(), StoreError> {
        self.change(|state_of_all, now| signoff::close(state_of_all, now, request, state, at))
    }

    async fn begin_push(&self, claim: &Claim, push: &Push) -> Result<PushStart, StoreError> {
        self.write(|state, _| pushes::begin(state, claim, push))
    }

    async fn complete_push(&self, claim: &Claim, push: &Push, notices: &[Notice]) -> Result<(), StoreError> {
        self.change(|state, now| pushes::complete(state, now, claim, push, notices))
    }

    async fn pushes(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<Push>, StoreError> {
        Ok(pushes::completed(&self.state(), pipeline, limit))
    }

    async fn due_notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError> {
        Ok(pushes::due(&self.state(), self.clock.now(), limit))
    }

    async fn settle_notice(&self, id: &NoticeId, delivery: &Delivery) -> Result<(), StoreError> {
        self.change(|state, _| pushes::settle(state, id, delivery).map(|()| Vec::new()))
    }

    async fn last_fire(&self, trigger: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().fires.get(trigger).copied())
    }

    async fn record_fire(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.change(|state, _| Ok(pushes::record_fire(state, trigger, at)))
    }

    async fn seen_files(&self, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
        let state = self.state();
        Ok(state.seen_files.values().filter(|file| file.trigger == trigger).cloned().collect())
    }

    async fn record_seen_file(&self, file: &SeenFile) -> Result<(), StoreError> {
        self.change(|state, _| Ok(pushes::record_seen_file(state, file)))
    }

    async fn audit_entries(&self, after: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.state();
        let later = state.audit.iter().filter(|entry| entry.sequence > after);
        Ok(later.take(limit as usize).cloned().collect())
    }
}
