//! The trait, method by method: which connection, and which module answers. Nothing is decided here.

use super::{
    SqlStore, artifacts, audit, claims, counts, deadlines, events, executions, history, lineage, outbox, pipelines,
    pokes, pushes, runs, signoff,
};
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
use countersign_ports::failpoint::Point;
use countersign_ports::metadata_store::{
    ArtifactFilter, AuditNote, Counts, Delivery, HistoryQuery, Proposal, PushStart, Recorded, RunFilter, Undelivered,
    Waiting,
};
use countersign_ports::notifier::Notice;
use countersign_ports::{MetadataStore, StoreError};
use std::time::Duration;

#[async_trait]
impl MetadataStore for SqlStore {
    async fn register_pipeline(&self, version: &PipelineVersion, by: &Actor) -> Result<(), StoreError> {
        pipelines::register(self.writer().await?.begin(Point::RegisterPipeline).await?, version, by).await
    }

    async fn pipeline_version(&self, digest: &Digest) -> Result<Option<PipelineVersion>, StoreError> {
        pipelines::version(&mut self.reader().await?.connection(), digest).await
    }

    async fn pipelines(&self) -> Result<Vec<PipelineVersion>, StoreError> {
        pipelines::in_force(&mut self.reader().await?.connection()).await
    }

    async fn accept_event(&self, event: &Event, proposal: Proposal<'_>) -> Result<EventOutcome, StoreError> {
        events::accept(self.writer().await?.begin(Point::AcceptEvent).await?, event, proposal).await
    }

    async fn events(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<(Event, EventOutcome)>, StoreError> {
        events::newest(&mut self.reader().await?.connection(), pipeline, limit).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        runs::find(&mut self.reader().await?.connection(), id).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        runs::list(&mut self.reader().await?.connection(), filter).await
    }

    async fn claim_run(
        &self,
        worker: &WorkerId,
        only: Option<&RunId>,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        // A look first, so that a daemon with nothing to do never takes the write lock.
        let now = self.now().await?;
        let Some(found) = claims::claimable(&mut self.reader().await?.connection(), only, now).await? else {
            return Ok(None);
        };
        claims::claim(self.writer().await?.begin(Point::ClaimRun).await?, worker, (only, &found), lease).await
    }

    async fn heartbeat(&self, claim: &Claim, lease: Duration) -> Result<(), StoreError> {
        claims::heartbeat(self.toucher().await?.begin(Point::Heartbeat).await?, claim, lease).await
    }

    async fn release_run(&self, claim: &Claim) -> Result<(), StoreError> {
        claims::release(self.writer().await?.begin(Point::ReleaseRun).await?, claim).await
    }

    async fn end_run(&self, claim: &Claim, end: &RunEnd, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError> {
        runs::end(self.writer().await?.begin(Point::EndRun).await?, claim, end, at, notices).await
    }

    async fn cancel_run(&self, run: &RunId, by: &Actor, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError> {
        runs::cancel(self.writer().await?.begin(Point::CancelRun).await?, run, by, at, notices).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        counts::read(&mut self.reader().await?.connection()).await
    }

    async fn begin_execution(&self, claim: &Claim, execution: &Execution) -> Result<(), StoreError> {
        executions::begin(self.writer().await?.begin(Point::BeginExecution).await?, claim, execution).await
    }

    async fn publish_execution(&self, claim: &Claim, execution: &Execution, log: &[LogLine]) -> Result<(), StoreError> {
        executions::publish(self.writer().await?.begin(Point::PublishExecution).await?, claim, execution, log).await
    }

    async fn executions(&self, run: &RunId) -> Result<Vec<Execution>, StoreError> {
        executions::of_run(&mut self.reader().await?.connection(), run).await
    }

    async fn execution(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
        executions::read(&mut self.reader().await?.connection(), id).await
    }

    async fn execution_log(&self, id: &ExecutionId) -> Result<Vec<LogLine>, StoreError> {
        executions::log(&mut self.reader().await?.connection(), id).await
    }

    async fn cached_execution(&self, cache_key: &Digest) -> Result<Option<Execution>, StoreError> {
        executions::cached(&mut self.reader().await?.connection(), cache_key).await
    }

    async fn previous_execution(
        &self,
        pipeline: &str,
        step: &str,
        before: &RunId,
    ) -> Result<Option<Execution>, StoreError> {
        executions::previous(&mut self.reader().await?.connection(), pipeline, step, before).await
    }

    async fn record_delivery(&self, claim: &Claim, artifact: &Artifact) -> Result<(), StoreError> {
        artifacts::record_delivery(self.writer().await?.begin(Point::RecordDelivery).await?, claim, artifact).await
    }

    async fn artifact(&self, id: &ArtifactId) -> Result<Option<Artifact>, StoreError> {
        artifacts::read(&mut self.reader().await?.connection(), id).await
    }

    async fn artifacts(&self, filter: &ArtifactFilter) -> Result<Vec<Artifact>, StoreError> {
        artifacts::list(&mut self.reader().await?.connection(), filter).await
    }

    async fn resolve(&self, query: &HistoryQuery) -> Result<Vec<Artifact>, StoreError> {
        history::resolve(&mut self.reader().await?.connection(), query).await
    }

    async fn lineage(&self, artifact: &ArtifactId, direction: Direction, limit: u32) -> Result<Lineage, StoreError> {
        lineage::lineage(self.reader().await?, artifact, direction, limit).await
    }

    async fn open_request(
        &self,
        claim: &Claim,
        request: &SignoffRequest,
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        signoff::open(self.writer().await?.begin(Point::OpenRequest).await?, claim, request, notices).await
    }

    async fn request(&self, id: &RequestId) -> Result<Option<SignoffRequest>, StoreError> {
        signoff::find(&mut self.reader().await?.connection(), id).await
    }

    async fn requests(&self, run: Option<&RunId>, model: Option<&Digest>) -> Result<Vec<SignoffRequest>, StoreError> {
        signoff::list(&mut self.reader().await?.connection(), run, model).await
    }

    async fn waiting(&self, after: Option<(Timestamp, RequestId)>, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        signoff::waiting(&mut self.reader().await?.connection(), after, limit).await
    }

    async fn record_decision(&self, decision: &Decision, notices: &[Notice]) -> Result<Recorded, StoreError> {
        signoff::record_decision(self.writer().await?.begin(Point::RecordDecision).await?, decision, notices).await
    }

    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError> {
        signoff::decisions(&mut self.reader().await?.connection(), request).await
    }

    async fn close_request(
        &self,
        request: &RequestId,
        state: &RequestState,
        at: Timestamp,
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        signoff::close(self.writer().await?.begin(Point::CloseRequest).await?, request, state, at, notices).await
    }

    async fn open_request_of(&self, pipeline: &str, gate: &str) -> Result<Option<SignoffRequest>, StoreError> {
        signoff::open_at(&mut self.reader().await?.connection(), pipeline, gate).await
    }

    async fn due_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<SignoffRequest>, StoreError> {
        deadlines::due(&mut self.reader().await?.connection(), now, limit).await
    }

    async fn advance_request(
        &self,
        request: &RequestId,
        from: &Progress,
        to: &Progress,
        at: Timestamp,
        notices: &[Notice],
    ) -> Result<bool, StoreError> {
        deadlines::advance(self.writer().await?.begin(Point::AdvanceRequest).await?, request, (from, to), at, notices)
            .await
    }

    async fn record_poke(&self, poke: &Poke) -> Result<(), StoreError> {
        pokes::record(self.writer().await?.begin(Point::RecordPoke).await?, poke).await
    }

    async fn pokes(&self, request: &RequestId) -> Result<Vec<Poke>, StoreError> {
        pokes::of(&mut self.reader().await?.connection(), request).await
    }

    async fn begin_push(&self, claim: &Claim, push: &Push) -> Result<PushStart, StoreError> {
        pushes::begin(self.writer().await?.begin(Point::BeginPush).await?, claim, push).await
    }

    async fn complete_push(&self, claim: &Claim, push: &Push, notices: &[Notice]) -> Result<(), StoreError> {
        pushes::complete(self.writer().await?.begin(Point::CompletePush).await?, claim, push, notices).await
    }

    async fn pushes(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<Push>, StoreError> {
        pushes::completed(&mut self.reader().await?.connection(), pipeline, limit).await
    }

    async fn live_at(&self, pipeline: &str, at: Timestamp) -> Result<Option<Push>, StoreError> {
        pushes::live_at(&mut self.reader().await?.connection(), pipeline, at).await
    }

    async fn due_notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError> {
        outbox::due(&mut self.reader().await?.connection(), self.now().await?, limit).await
    }

    async fn settle_notice(&self, id: &NoticeId, delivery: &Delivery) -> Result<(), StoreError> {
        outbox::settle(self.toucher().await?.begin(Point::SettleNotice).await?, id, delivery).await
    }

    async fn undelivered(&self, run: Option<&RunId>, limit: u32) -> Result<Vec<Undelivered>, StoreError> {
        outbox::undelivered(&mut self.reader().await?.connection(), run, limit).await
    }

    async fn audit_entries(&self, after: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        audit::after(&mut self.reader().await?.connection(), after, limit).await
    }

    async fn audit_head(&self) -> Result<(i64, Digest), StoreError> {
        audit::head(&mut self.reader().await?.connection()).await
    }

    async fn record_note(&self, note: &AuditNote) -> Result<(), StoreError> {
        self.writer().await?.begin(Point::RecordNote).await?.commit(vec![deeds::note(note)]).await
    }
}
