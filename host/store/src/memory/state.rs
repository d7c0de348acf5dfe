//! Everything that the twin remembers, and how a write changes all of it or nothing.

use crate::deeds::Deed;
use countersign_model::artifact::Artifact;
use countersign_model::audit::{self, AuditEntry};
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::execution::{Execution, LogLine};
use countersign_model::id::{ArtifactId, EventId, ExecutionId, NoticeId, PokeId, PushId, RequestId, RunId, WorkerId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::poke::Poke;
use countersign_model::push::Push;
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use countersign_ports::access_store::Credential;
use countersign_ports::lease_store::Held;
use countersign_ports::metadata_store::Counts;
use countersign_ports::notifier::Notice;
use countersign_ports::trigger_store::{Paused, SeenFile};
use countersign_ports::{Post, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// A run with its place in the queue.
#[derive(Clone)]
pub(super) struct QueuedRun {
    pub(super) run: Run,
    /// Who holds it, and until when.
    pub(super) owner: Option<(WorkerId, Timestamp)>,
    pub(super) epoch: i64,
    pub(super) queued_at: Timestamp,
}

/// A request with what only the store knows of it.
#[derive(Clone)]
pub(super) struct PostedRequest {
    pub(super) request: SignoffRequest,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) decisions: Vec<Decision>,
}

/// What became of a notice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Pending,
    Done,
    Dead,
}

/// A notice on its way; settled ones stay, so that nothing is delivered twice.
#[derive(Clone)]
pub(super) struct OutgoingNotice {
    pub(super) notice: Notice,
    pub(super) fate: Fate,
    pub(super) next_at: Timestamp,
    pub(super) problem: Option<String>,
}

/// The tables.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) versions: BTreeMap<Digest, PipelineVersion>,
    pub(super) in_force: BTreeMap<String, Digest>,
    /// When something was last claimed from each pipeline's queue.
    pub(super) claimed_at: BTreeMap<String, Timestamp>,
    pub(super) paused: BTreeMap<String, Paused>,
    pub(super) events: BTreeMap<EventId, (Event, EventOutcome)>,
    pub(super) runs: BTreeMap<RunId, QueuedRun>,
    pub(super) executions: BTreeMap<ExecutionId, Execution>,
    pub(super) logs: BTreeMap<ExecutionId, Vec<LogLine>>,
    pub(super) artifacts: BTreeMap<ArtifactId, Artifact>,
    /// Artifacts whose bytes were given up, and the runs that retention has been over.
    pub(super) collected: BTreeSet<ArtifactId>,
    pub(super) collected_runs: BTreeSet<RunId>,
    pub(super) requests: BTreeMap<RequestId, PostedRequest>,
    pub(super) pushes: BTreeMap<PushId, Push>,
    pub(super) outbox: BTreeMap<NoticeId, OutgoingNotice>,
    pub(super) pokes: BTreeMap<PokeId, Poke>,
    pub(super) posts: BTreeMap<(String, String), Post>,
    pub(super) credentials: BTreeMap<Digest, Credential>,
    /// Until when each is used.
    pub(super) used_keys: BTreeMap<String, Timestamp>,
    pub(super) fires: BTreeMap<String, Timestamp>,
    pub(super) leases: BTreeMap<String, Held>,
    pub(super) seen_files: BTreeMap<(String, String), SeenFile>,
    pub(super) audit: Vec<AuditEntry>,
}

impl State {
    /// Appends the entries of one write.
    pub(super) fn audit(&mut self, deeds: Vec<Deed>, now: Timestamp) -> Result<(), StoreError> {
        for deed in deeds {
            self.audit.push(audit::append(self.audit_head(), deed.at(now))?);
        }
        Ok(())
    }

    /// Whether a worker that lives is placing a model of that run.
    pub(super) fn is_placing(&self, id: &RunId, now: Timestamp) -> bool {
        let held = self.runs.get(id).and_then(|queued| queued.owner).is_some_and(|(_, until)| until > now);
        held && self.pushes.values().any(|push| push.run == *id && push.completed_at.is_none())
    }

    pub(super) fn audit_head(&self) -> (i64, Digest) {
        self.audit.last().map_or((0, audit::genesis()), |entry| (entry.sequence, entry.hash))
    }

    pub(super) fn counts(&self) -> Counts {
        let runs = |status| self.runs.values().filter(|queued| queued.run.state.status() == status).count() as u64;
        let open = self.requests.values().filter(|posted| posted.request.state == RequestState::Open);
        let of = |fate| self.outbox.values().filter(move |outgoing| outgoing.fate == fate);
        Counts {
            queued: runs("queued"),
            running: runs("running"),
            waiting: runs("waiting"),
            paused: self.paused.len() as u64,
            oldest_request: open.map(|posted| posted.request.posted_at).min(),
            outbox_pending: of(Fate::Pending).count() as u64,
            outbox_oldest: of(Fate::Pending).map(|outgoing| outgoing.notice.created_at).min(),
            outbox_dead: of(Fate::Dead).count() as u64,
        }
    }

    pub(super) fn run(&mut self, id: &RunId) -> Result<&mut QueuedRun, StoreError> {
        self.runs.get_mut(id).ok_or_else(|| StoreError::NotFound { what: "run", id: id.to_string() })
    }

    pub(super) fn request(&mut self, id: &RequestId) -> Result<&mut PostedRequest, StoreError> {
        self.requests.get_mut(id).ok_or_else(|| StoreError::NotFound { what: "request", id: id.to_string() })
    }

    pub(super) fn write_notices(&mut self, notices: &[Notice]) {
        for notice in notices {
            let (notice, next_at) = (notice.clone(), notice.created_at);
            let outgoing = OutgoingNotice { notice, fate: Fate::Pending, next_at, problem: None };
            self.outbox.insert(outgoing.notice.id, outgoing);
        }
    }
}
