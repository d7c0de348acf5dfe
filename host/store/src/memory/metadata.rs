//! The trait, method by method: which module answers. Nothing is decided here.

use super::{MemoryStore, claims, events, executions, history, outbox, pushes, runs, signoff};
use crate::deeds;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::artifact::Artifact;
use countersign_model::audit::AuditEntry;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::execution::{Execution, LogLine};
use countersign_model::id::{ArtifactId, ExecutionId, NoticeId, RequestId, RunId, WorkerId};
use countersign_model::lineage::{Direction, Lineage};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::poke::Poke;
use countersign_model::push::Push;
use countersign_model::run::{Claim, Run, RunEnd};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::{
    ArtifactFilter, AuditNote, Counts, Delivery, HistoryQuery, Proposal, PushStart, Recorded, RunFilter, Undelivered,
    Waiting,
};
use countersign_ports::notifier::Notice;
use countersign_ports::{MetadataStore, StoreError};
use std::time::Duration;

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

    async fn accept_event(&self, event: &Event, proposal: Proposal<'_>) -> Result<EventOutcome, StoreError> {
        self.write(|state, now| events::accept(state, now, event, proposal))
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
        self.write(|state, now| claims::claim(state, now, worker, only, lease))
    }

    async fn heartbeat(&self, claim: &Claim, lease: Duration) -> Result<(), StoreError> {
        self.change(|state, now| claims::heartbeat(state, now, claim, lease).map(|()| Vec::new()))
    }

    async fn release_run(&self, claim: &Claim) -> Result<(), StoreError> {
        self.change(|state, _| claims::release(state, claim))
    }

    async fn end_run(&self, claim: &Claim, end: &RunEnd, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError> {
        self.change(|state, _| runs::end(state, claim, end, at, notices))
    }

    async fn cancel_run(&self, run: &RunId, by: &Actor, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError> {
        self.change(|state, now| runs::cancel(state, now, run, by, at, notices))
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.state().counts())
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

    async fn requests(&self, run: Option<&RunId>, model: Option<&Digest>) -> Result<Vec<SignoffRequest>, StoreError> {
        Ok(signoff::list(&self.state(), run, model))
    }

    async fn waiting(&self, after: Option<(Timestamp, RequestId)>, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        Ok(signoff::waiting(&self.state(), after, limit))
    }

    async fn record_decision(&self, decision: &Decision, notices: &[Notice]) -> Result<Recorded, StoreError> {
        self.write(|state, now| signoff::record_decision(state, now, decision, notices))
    }

    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError> {
        Ok(self.state().requests.get(request).map(|posted| posted.decisions.clone()).unwrap_or_default())
    }

    async fn close_request(
        &self,
        request: &RequestId,
        closing: &RequestState,
        at: Timestamp,
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        self.change(|state, now| {
            let deeds = signoff::close(state, now, request, closing, at)?;
            state.write_notices(notices);
            Ok(deeds)
        })
    }

    async fn open_request_of(&self, pipeline: &str, gate: &str) -> Result<Option<SignoffRequest>, StoreError> {
        Ok(signoff::open_at(&self.state(), pipeline, gate))
    }

    async fn due_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<SignoffRequest>, StoreError> {
        Ok(signoff::due(&self.state(), now, limit))
    }

    async fn advance_request(
        &self,
        request: &RequestId,
        from: &Progress,
        to: &Progress,
        at: Timestamp,
        notices: &[Notice],
    ) -> Result<bool, StoreError> {
        self.write(|state, _| signoff::advance(state, request, (from, to), at, notices))
    }

    async fn record_poke(&self, poke: &Poke) -> Result<(), StoreError> {
        self.change(|state, _| signoff::record_poke(state, poke))
    }

    async fn pokes(&self, request: &RequestId) -> Result<Vec<Poke>, StoreError> {
        Ok(signoff::pokes(&self.state(), request))
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

    async fn live_at(&self, pipeline: &str, at: Timestamp) -> Result<Option<Push>, StoreError> {
        let pushes = pushes::completed(&self.state(), Some(pipeline), u32::MAX);
        Ok(pushes.into_iter().find(|push| push.completed_at.is_some_and(|completed| completed <= at)))
    }

    async fn due_notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError> {
        Ok(outbox::due(&self.state(), self.clock.now(), limit))
    }

    async fn settle_notice(&self, id: &NoticeId, delivery: &Delivery) -> Result<(), StoreError> {
        self.change(|state, _| outbox::settle(state, id, delivery).map(|()| Vec::new()))
    }

    async fn undelivered(&self, run: Option<&RunId>, limit: u32) -> Result<Vec<Undelivered>, StoreError> {
        Ok(outbox::undelivered(&self.state(), run, limit))
    }

    async fn audit_entries(&self, after: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.state();
        let later = state.audit.iter().filter(|entry| entry.sequence > after);
        Ok(later.take(limit as usize).cloned().collect())
    }

    async fn audit_head(&self) -> Result<(i64, Digest), StoreError> {
        Ok(self.state().audit_head())
    }

    async fn record_note(&self, note: &AuditNote) -> Result<(), StoreError> {
        self.change(|_, _| Ok(vec![deeds::note(note)]))
    }
}
