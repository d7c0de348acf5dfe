//! The metadata store: each method one fact and one transaction, each with its audit entry.
//!
//! Leases are measured on the store's own clock. Every write by a worker carries its [`Claim`] and is refused with
//! [`StoreError::LostClaim`] when the run was claimed again since.

use crate::notifier::Notice;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::admission::Admission;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::audit::AuditEntry;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::execution::{Execution, ExecutionState, LogLine};
use countersign_model::finding::Verdict;
use countersign_model::id::{ArtifactId, ExecutionId, NoticeId, RequestId, RunId, WorkerId};
use countersign_model::lineage::{Direction, Lineage};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::poke::Poke;
use countersign_model::policy::{SignoffPolicy, Standing};
use countersign_model::push::Push;
use countersign_model::resolver::Resolver;
use countersign_model::run::{Claim, InvalidTransition, Run, RunEnd};
use countersign_model::time::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// What goes wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("{operation}")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database holds something that this version can not read: names table, column and row.
    #[error("read {table}.{column} of {row}")]
    Nonsense {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The run was claimed again: whoever asks must stop working on it.
    #[error("write for {run}: another worker took it over")]
    LostClaim {
        /// The run.
        run: RunId,
    },
    /// Nothing there.
    #[error("find {what}: {id}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// The state does not allow it.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// A decision on other evidence than the request's.
    #[error("record decision: it is on evidence {given}, but the request shows {shown}")]
    OtherEvidence {
        /// Short digest given.
        given: String,
        /// Short digest of the request.
        shown: String,
    },
    /// A document could not be written as JSON.
    #[error("write document")]
    Document(#[from] serde_json::Error),
}

/// What a [`StoreError::NotFound`] names when an execution is to be recorded with an artifact that is not there, or that retention
/// collected a moment ago: looking again finds another.
pub const ARTIFACT: &str = "artifact";

/// What an event wants.
#[derive(Debug, Clone, Copy)]
pub enum Proposal<'a> {
    /// This queued run, whatever else is going on: a person asked for it.
    Run(&'a Run),
    /// This queued run, unless the pipeline's rules speak against it ([`Admission::judge`], on what the transaction reads).
    Admit(&'a Run, Admission),
    /// No run, for this reason.
    Skip(&'a str),
}

/// Which runs to list; newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this pipeline only.
    pub pipeline: Option<String>,
    /// In this status only (`queued`, `running`, `waiting`, `succeeded`, ...).
    pub status: Option<String>,
    /// Older than this one: for the next page.
    pub before: Option<RunId>,
    /// At most so many; 0 means 50.
    pub limit: u32,
}

/// Which artifacts to list; newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactFilter {
    /// Of this pipeline only.
    pub pipeline: Option<String>,
    /// Of this kind only.
    pub kind: Option<ArtifactKind>,
    /// With this digest only.
    pub digest: Option<Digest>,
    /// Made in this run only.
    pub run: Option<RunId>,
    /// At most so many; 0 means 50.
    pub limit: u32,
}

/// A resolver's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Within this pipeline.
    pub pipeline: String,
    /// What to look for.
    pub resolver: Resolver,
    /// The asking step.
    pub step: String,
    /// Digest over the asking step's inputs from this run: rule (b) of [`Resolver`].
    pub own_inputs: Digest,
    /// Digests of those inputs: rule (a) of [`Resolver`].
    pub own_digests: Vec<Digest>,
    /// The asking run.
    pub run: RunId,
}

/// A decision as recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The decision, with `late` filled in.
    pub decision: Decision,
    /// What all decisions add up to now.
    pub standing: Standing,
    /// The request as it is now.
    pub request: SignoffRequest,
}

/// What a push may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushStart {
    /// Place the model, then complete this push: new, or one that was cut off.
    Go(Push),
    /// It is there already.
    AlreadyThere(Push),
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Delivered.
    Done,
    /// Try again at that time.
    RetryAt(Timestamp, String),
    /// Given up, with the reason.
    Dead(String),
}

/// What the outbox holds that is not delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Undelivered {
    /// The notice.
    pub notice: Notice,
    /// When it is tried again; none when it was given up.
    pub next_at: Option<Timestamp>,
    /// What went wrong the last time.
    pub problem: Option<String>,
}

/// An open request as lists show it: without its evidence document, which is by far the most of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiting {
    /// The request.
    pub id: RequestId,
    /// The run that waits.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// The gate's step name.
    pub gate: String,
    /// The rules it was posted under.
    pub policy: SignoffPolicy,
    /// Digest of the evidence.
    pub evidence_digest: Digest,
    /// The candidate's artifact digest.
    pub model_digest: Digest,
    /// The evidence's heaviest verdict.
    pub verdict: Verdict,
    /// When it was posted.
    pub posted_at: Timestamp,
}

/// A look at the whole installation, counted by the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Runs that want work.
    pub queued: u64,
    /// Runs that somebody works on.
    pub running: u64,
    /// Runs that wait for people.
    pub waiting: u64,
    /// Pipelines from which nothing new is claimed.
    pub paused: u64,
    /// Since when the oldest open request is waiting.
    pub oldest_request: Option<Timestamp>,
    /// Notices still to be delivered.
    pub outbox_pending: u64,
    /// Since when the oldest of them is waiting.
    pub outbox_oldest: Option<Timestamp>,
    /// Notices that were given up.
    pub outbox_dead: u64,
}

/// Something that changes no state and is worth an audit entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditNote {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: NoteAction,
    /// The identifier of what it is about.
    pub subject: String,
    /// Digests, names and numbers; never secrets.
    pub detail: serde_json::Value,
}

/// What an audit note tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteAction {
    /// Somebody was not allowed to decide.
    DecisionRefused,
    /// A request arrived that nobody of ours sent.
    WebhookRefused,
    /// A dialog was closed without a word: it means nothing.
    DialogClosed,
    /// The page of a request was shown to somebody.
    ReviewOpened,
    /// Somebody signed in.
    SignedIn,
}

impl NoteAction {
    /// The action in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DecisionRefused => "decision.refused",
            Self::WebhookRefused => "webhook.refused",
            Self::DialogClosed => "dialog.closed",
            Self::ReviewOpened => "review.opened",
            Self::SignedIn => "signed.in",
        }
    }
}

/// Facts about everything that happened.
#[async_trait]
pub trait MetadataStore: Send + Sync {
    // --- pipelines -------------------------------------------------------------------------------------------------
    /// Registers a definition; the same digest again changes nothing.
    async fn register_pipeline(&self, version: &PipelineVersion, by: &Actor) -> Result<(), StoreError>;
    /// The definition of that digest.
    async fn pipeline_version(&self, digest: &Digest) -> Result<Option<PipelineVersion>, StoreError>;
    /// The newest registered definition of each pipeline, by name.
    async fn pipelines(&self) -> Result<Vec<PipelineVersion>, StoreError>;

    // --- events and runs -------------------------------------------------------------------------------------------
    /// Accepts an event: it starts the proposed run, or is recorded as skipped. An event whose dedupe key is known only raises a
    /// count.
    async fn accept_event(&self, event: &Event, proposal: Proposal<'_>) -> Result<EventOutcome, StoreError>;
    /// Events, newest first.
    async fn events(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<(Event, EventOutcome)>, StoreError>;
    /// One run.
    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError>;
    /// Runs, newest first.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError>;
    /// Takes a claimable run (queued, or running with a lease that ran out), or only `only`. Abandoned runs come first. Then, of the
    /// first run in each pipeline's queue (by priority, then by age), that of the highest priority; among equals that of the pipeline
    /// from which nothing was claimed for longest, so that a long queue starves nobody. A pipeline that already runs as many as it may
    /// waits; of a paused one only runs are claimed that were claimed before, or that are asked for by name.
    async fn claim_run(
        &self,
        worker: &WorkerId,
        only: Option<&RunId>,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError>;
    /// Extends the lease.
    async fn heartbeat(&self, claim: &Claim, lease: Duration) -> Result<(), StoreError>;
    /// Gives an unfinished run back: it is queued again at once.
    async fn release_run(&self, claim: &Claim) -> Result<(), StoreError>;
    /// Ends a run, with its notices.
    async fn end_run(&self, claim: &Claim, end: &RunEnd, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError>;
    /// Stops a run that no worker holds or whose worker will notice at its next write; its open request is cancelled.
    async fn cancel_run(&self, run: &RunId, by: &Actor, at: Timestamp, notices: &[Notice]) -> Result<(), StoreError>;
    /// What is queued, running, waiting and undelivered. Costs the same however long the history is.
    async fn counts(&self) -> Result<Counts, StoreError>;

    // --- executions ------------------------------------------------------------------------------------------------
    /// Records that an attempt began, with its inputs. `NotFound` of an [`ARTIFACT`] when one of them was collected.
    async fn begin_execution(&self, claim: &Claim, execution: &Execution) -> Result<(), StoreError>;
    /// Publishes an attempt's end, whole: state, outputs with their edges, log. A cache hit is begun and ended in this one call,
    /// and refused as [`Self::begin_execution`] is when something of it was collected.
    async fn publish_execution(&self, claim: &Claim, execution: &Execution, log: &[LogLine]) -> Result<(), StoreError>;
    /// A run's executions in the order in which they began.
    async fn executions(&self, run: &RunId) -> Result<Vec<Execution>, StoreError>;
    /// One execution.
    async fn execution(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError>;
    /// One execution's log.
    async fn execution_log(&self, id: &ExecutionId) -> Result<Vec<LogLine>, StoreError>;
    /// The newest `Succeeded` execution with that cache key whose outputs are not collected.
    async fn cached_execution(&self, cache_key: &Digest) -> Result<Option<Execution>, StoreError>;
    /// The newest ended execution of that step in an earlier run: to say why a step runs again.
    async fn previous_execution(
        &self,
        pipeline: &str,
        step: &str,
        before: &RunId,
    ) -> Result<Option<Execution>, StoreError>;

    // --- artifacts -------------------------------------------------------------------------------------------------
    /// Records a source's delivery for a run.
    async fn record_delivery(&self, claim: &Claim, artifact: &Artifact) -> Result<(), StoreError>;
    /// One artifact.
    async fn artifact(&self, id: &ArtifactId) -> Result<Option<Artifact>, StoreError>;
    /// Artifacts, newest first.
    async fn artifacts(&self, filter: &ArtifactFilter) -> Result<Vec<Artifact>, StoreError>;
    /// Answers a resolver, newest first. What was collected is no answer.
    async fn resolve(&self, query: &HistoryQuery) -> Result<Vec<Artifact>, StoreError>;
    /// The lineage of an artifact, at most `limit` artifacts.
    async fn lineage(&self, artifact: &ArtifactId, direction: Direction, limit: u32) -> Result<Lineage, StoreError>;

    // --- sign-off --------------------------------------------------------------------------------------------------
    /// Posts a request and lets the run wait. Open requests of the same pipeline and gate are superseded and their runs end.
    async fn open_request(&self, claim: &Claim, request: &SignoffRequest, notices: &[Notice])
    -> Result<(), StoreError>;
    /// One request.
    async fn request(&self, id: &RequestId) -> Result<Option<SignoffRequest>, StoreError>;
    /// Requests, newest first: of one run, of one model digest, or all.
    async fn requests(&self, run: Option<&RunId>, model: Option<&Digest>) -> Result<Vec<SignoffRequest>, StoreError>;
    /// Open requests after the given one, longest waiting first: what a list needs, a page at a time.
    async fn waiting(&self, after: Option<(Timestamp, RequestId)>, limit: u32) -> Result<Vec<Waiting>, StoreError>;
    /// Records a decision. When the request is closed it is recorded as late; otherwise the policy's tally may close the request
    /// and queue the run again.
    async fn record_decision(&self, decision: &Decision, notices: &[Notice]) -> Result<Recorded, StoreError>;
    /// A request's decisions, oldest first.
    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError>;
    /// Closes an open or approved request without a person: expired, or void because a permit was refused. The run is queued.
    async fn close_request(
        &self,
        request: &RequestId,
        state: &RequestState,
        at: Timestamp,
        notices: &[Notice],
    ) -> Result<(), StoreError>;
    /// The open request of a gate: there is at most one.
    async fn open_request_of(&self, pipeline: &str, gate: &str) -> Result<Option<SignoffRequest>, StoreError>;
    /// Open requests of which something is due ([`SignoffRequest::next_due`]), longest due first. Costs nothing for those that just wait.
    async fn due_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<SignoffRequest>, StoreError>;
    /// Moves an open request's progress from `from` to `to`, with its notices. False, and nothing written, when it is not open or its
    /// progress is not `from`: somebody else was there first.
    async fn advance_request(
        &self,
        request: &RequestId,
        from: &Progress,
        to: &Progress,
        at: Timestamp,
        notices: &[Notice],
    ) -> Result<bool, StoreError>;
    /// Records a poke; the same one again changes nothing. The audit log gets the digest of its example, not the example.
    async fn record_poke(&self, poke: &Poke) -> Result<(), StoreError>;
    /// A request's pokes, newest first, at most 100.
    async fn pokes(&self, request: &RequestId) -> Result<Vec<Poke>, StoreError>;

    // --- push ------------------------------------------------------------------------------------------------------
    /// Claims the pair (model, target).
    async fn begin_push(&self, claim: &Claim, push: &Push) -> Result<PushStart, StoreError>;
    /// The model is in place.
    async fn complete_push(&self, claim: &Claim, push: &Push, notices: &[Notice]) -> Result<(), StoreError>;
    /// Completed pushes, newest first.
    async fn pushes(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<Push>, StoreError>;

    /// The newest completed push of a pipeline at or before an instant: what was live then.
    async fn live_at(&self, pipeline: &str, at: Timestamp) -> Result<Option<Push>, StoreError>;

    // --- outbox, audit -------------------------------------------------------------------------------------------
    /// Notices that are due, in the order in which they were written (`created_at`, then identifier). The order within a channel is
    /// kept: a pending notice waits for the earlier pending ones of its channel that are to be tried again later, so that a retry
    /// lets nothing overtake; other channels flow. Whoever delivers stops with a channel at its first retry.
    async fn due_notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError>;
    /// Records what became of a delivery.
    async fn settle_notice(&self, id: &NoticeId, delivery: &Delivery) -> Result<(), StoreError>;
    /// Notices that failed at least once and are not delivered, newest first; of one run only if given.
    async fn undelivered(&self, run: Option<&RunId>, limit: u32) -> Result<Vec<Undelivered>, StoreError>;
    /// Audit entries after that number, oldest first.
    async fn audit_entries(&self, after: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;
    /// Number and hash of the last audit entry; `(0, genesis)` for an empty log.
    async fn audit_head(&self) -> Result<(i64, Digest), StoreError>;
    /// Appends a note to the audit log.
    async fn record_note(&self, note: &AuditNote) -> Result<(), StoreError>;
}

/// The kind of state a published execution must be in.
///
/// # Errors
/// `Nonsense` when it is still running: there is nothing to publish.
pub fn must_have_ended(execution: &Execution) -> Result<(), StoreError> {
    match execution.state {
        ExecutionState::Running => {
            Err(StoreError::Transition(InvalidTransition { from: "running", to: "be published" }))
        }
        ExecutionState::Succeeded { .. } | ExecutionState::Cached { .. } | ExecutionState::Failed { .. } => Ok(()),
    }
}
