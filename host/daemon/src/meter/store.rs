//! The store, counted: what it recorded for this process, and what failed. Changes nothing that goes through it.

use super::{Counter, Meter};
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
use countersign_ports::lease_store::Held;
use countersign_ports::metadata_store::{
    ArtifactFilter, AuditNote, Counts, Delivery, HistoryQuery, Proposal, PushStart, Recorded, RunFilter, Undelivered,
    Waiting,
};
use countersign_ports::notifier::Notice;
use countersign_ports::{LeaseStore, MetadataStore, StoreError};
use std::sync::Arc;
use std::time::Duration;

type Answer<T> = Result<T, StoreError>;

/// A store whose calls are counted.
pub struct MeteredStore {
    store: Arc<dyn MetadataStore>,
    meter: Arc<Meter>,
}

impl MeteredStore {
    /// That store, counted there.
    pub fn new(store: Arc<dyn MetadataStore>, meter: Arc<Meter>) -> Self {
        Self { store, meter }
    }

    /// Counts what went wrong. True: the store is at fault.
    fn failed(&self, error: &StoreError) -> bool {
        match error {
            StoreError::Database { .. } | StoreError::Nonsense { .. } | StoreError::Document(_) => {
                self.meter.count(Counter::StoreErrors, "");
                true
            }
            StoreError::LostClaim { .. } => {
                self.meter.count(Counter::ClaimsLost, "");
                false
            }
            // Answers to questions.
            StoreError::NotFound { .. } | StoreError::Transition(_) | StoreError::OtherEvidence { .. } => false,
        }
    }
}

fn outcome_name(outcome: &EventOutcome) -> &'static str {
    match outcome {
        EventOutcome::Run { .. } => "run",
        EventOutcome::Skipped { .. } => "skipped",
        EventOutcome::SeenAgain { .. } => "seen_again",
    }
}

fn delivery_name(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Done => "done",
        Delivery::RetryAt(..) => "retry",
        Delivery::Dead(_) => "dead",
    }
}

/// Leases, remembering which are held.
pub struct MeteredLeases {
    leases: Arc<dyn LeaseStore>,
    meter: Arc<Meter>,
}

impl MeteredLeases {
    /// Those leases, remembered there.
    pub fn new(leases: Arc<dyn LeaseStore>, meter: Arc<Meter>) -> Self {
        Self { leases, meter }
    }
}

#[async_trait]
impl LeaseStore for MeteredLeases {
    async fn hold(&self, name: &str, owner: &WorkerId, lease: Duration) -> Answer<bool> {
        let held = self.leases.hold(name, owner, lease).await?;
        self.meter.holds(name, held);
        Ok(held)
    }

    async fn let_go(&self, name: &str, owner: &WorkerId) -> Answer<()> {
        self.meter.holds(name, false);
        self.leases.let_go(name, owner).await
    }

    async fn held(&self) -> Answer<Vec<Held>> {
        self.leases.held().await
    }
}

/// Each method of the trait: passed on, then what it means for the meter when it succeeds (`=>`) or the store is at fault (`else`).
macro_rules! metered {
    ($($name:ident($self:ident $(, $argument:ident: $type:ty)*) -> $answer:ty
        $(=> |$found:pat_param| $count:expr)? $(, else $fault:expr)?;)+) => {
        #[async_trait]
        impl MetadataStore for MeteredStore {
            $(async fn $name(&$self $(, $argument: $type)*) -> Answer<$answer> {
                let answer = $self.store.$name($($argument),*).await;
                $(if let Ok($found) = &answer {
                    $count;
                })?
                if let Err(error) = &answer && $self.failed(error) {
                    $($fault;)?
                }
                answer
            })+
        }
    };
}

metered! {
    register_pipeline(self, version: &PipelineVersion, by: &Actor) -> ();
    pipeline_version(self, digest: &Digest) -> Option<PipelineVersion>;
    pipelines(self) -> Vec<PipelineVersion>;
    accept_event(self, event: &Event, proposal: Proposal<'_>) -> EventOutcome
        => |outcome| self.meter.count(Counter::Events, outcome_name(outcome));
    events(self, pipeline: Option<&str>, limit: u32) -> Vec<(Event, EventOutcome)>;
    run(self, id: &RunId) -> Option<Run>;
    runs(self, filter: &RunFilter) -> Vec<Run>;
    claim_run(self, worker: &WorkerId, only: Option<&RunId>, lease: Duration) -> Option<Claim>
        => |claim| if claim.is_some() { self.meter.count(Counter::Claims, "") };
    heartbeat(self, claim: &Claim, lease: Duration) -> (), else self.meter.count(Counter::HeartbeatFailures, "");
    release_run(self, claim: &Claim) -> ();
    end_run(self, claim: &Claim, end: &RunEnd, at: Timestamp, notices: &[Notice]) -> ()
        => |_| self.meter.count(Counter::RunsEnded, end.as_str());
    cancel_run(self, run: &RunId, by: &Actor, at: Timestamp, notices: &[Notice]) -> ()
        => |_| self.meter.count(Counter::RunsEnded, "cancelled");
    counts(self) -> Counts;
    begin_execution(self, claim: &Claim, execution: &Execution) -> ();
    publish_execution(self, claim: &Claim, execution: &Execution, log: &[LogLine]) -> ()
        => |_| self.meter.step(execution);
    executions(self, run: &RunId) -> Vec<Execution>;
    execution(self, id: &ExecutionId) -> Option<Execution>;
    execution_log(self, id: &ExecutionId) -> Vec<LogLine>;
    cached_execution(self, cache_key: &Digest) -> Option<Execution>;
    previous_execution(self, pipeline: &str, step: &str, before: &RunId) -> Option<Execution>;
    record_delivery(self, claim: &Claim, artifact: &Artifact) -> ();
    artifact(self, id: &ArtifactId) -> Option<Artifact>;
    artifacts(self, filter: &ArtifactFilter) -> Vec<Artifact>;
    resolve(self, query: &HistoryQuery) -> Vec<Artifact>;
    lineage(self, artifact: &ArtifactId, direction: Direction, limit: u32) -> Lineage;
    open_request(self, claim: &Claim, request: &SignoffRequest, notices: &[Notice]) -> ();
    request(self, id: &RequestId) -> Option<SignoffRequest>;
    requests(self, run: Option<&RunId>, model: Option<&Digest>) -> Vec<SignoffRequest>;
    waiting(self, after: Option<(Timestamp, RequestId)>, limit: u32) -> Vec<Waiting>;
    record_decision(self, decision: &Decision, notices: &[Notice]) -> Recorded
        => |_| self.meter.count(Counter::Decisions, decision.kind.as_str());
    decisions(self, request: &RequestId) -> Vec<Decision>;
    close_request(self, request: &RequestId, state: &RequestState, at: Timestamp, notices: &[Notice]) -> ();
    open_request_of(self, pipeline: &str, gate: &str) -> Option<SignoffRequest>;
    due_requests(self, now: Timestamp, limit: u32) -> Vec<SignoffRequest>;
    advance_request(self, request: &RequestId, from: &Progress, to: &Progress, at: Timestamp, notices: &[Notice]) -> bool;
    record_poke(self, poke: &Poke) -> ();
    pokes(self, request: &RequestId) -> Vec<Poke>;
    begin_push(self, claim: &Claim, push: &Push) -> PushStart;
    complete_push(self, claim: &Claim, push: &Push, notices: &[Notice]) -> ()
        => |_| self.meter.count(Counter::Pushes, "");
    pushes(self, pipeline: Option<&str>, limit: u32) -> Vec<Push>;
    live_at(self, pipeline: &str, at: Timestamp) -> Option<Push>;
    due_notices(self, limit: u32) -> Vec<Notice>;
    settle_notice(self, id: &NoticeId, delivery: &Delivery) -> ()
        => |_| self.meter.count(Counter::Notices, delivery_name(delivery));
    undelivered(self, run: Option<&RunId>, limit: u32) -> Vec<Undelivered>;
    audit_entries(self, after: i64, limit: u32) -> Vec<AuditEntry>;
    audit_head(self) -> (i64, Digest);
    record_note(self, note: &AuditNote) -> ();
}
