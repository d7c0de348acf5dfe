//! Everything that the twin remembers, and how a write changes all of it or nothing.

use crate::deeds::Deed;
use countersign_model::artifact::Artifact;
use countersign_model::audit::{self, AuditEntry};
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::execution::{Execution, LogLine};
use countersign_model::id::{ArtifactId, EventId, ExecutionId, NoticeId, PushId, RequestId, RunId, WorkerId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::push::Push;
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::SeenFile;
use countersign_ports::notifier::Notice;
use std::collections::BTreeMap;

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

/// A notice on its way; settled ones stay, so that nothing is delivered twice.
#[derive(Clone)]
pub(super) struct OutgoingNotice {
    pub(super) notice: Notice,
    pub(super) pending: bool,
    pub(super) next_at: Timestamp,
}

/// The tables.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) versions: BTreeMap<Digest, PipelineVersion>,
    pub(super) in_force: BTreeMap<String, Digest>,
    pub(super) events: BTreeMap<EventId, (Event, EventOutcome)>,
    pub(super) runs: BTreeMap<RunId, QueuedRun>,
    pub(super) executions: BTreeMap<ExecutionId, Execution>,
    pub(super) logs: BTreeMap<ExecutionId, Vec<LogLine>>,
    pub(super) artifacts: BTreeMap<ArtifactId, Artifact>,
    pub(super) requests: BTreeMap<RequestId, PostedRequest>,
    pub(super) pushes: BTreeMap<PushId, Push>,
    pub(super) outbox: BTreeMap<NoticeId, OutgoingNotice>,
    pub(super) fires: BTreeMap<String, Timestamp>,
    pub(super) seen_files: BTreeMap<(String, String), SeenFile>,
    pub(super) audit: Vec<AuditEntry>,
}

impl State {
    /// Appends the entries of one write.
    pub(super) fn audit(&mut self, deeds: Vec<Deed>, now: Timestamp) -> Result<(), StoreError> {
        for deed in deeds {
            let head = self.audit.last().map_or((0, audit::genesis()), |entry| (entry.sequence, entry.hash));
            self.audit.push(audit::append(head, deed.at(now))?);
        }
        Ok(())
    }

    pub(super) fn run(&mut self, id: &RunId) -> Result<&mut QueuedRun, StoreError> {
        self.runs.get_mut(id).ok_or_else(|| StoreError::NotFound { what: "run", id: id.to_string() })
    }

    pub(super) fn request(&mut self, id: &RequestId) -> Result<&mut PostedRequest, StoreError> {
        self.requests.get_mut(id).ok_or_else(|| StoreError::NotFound { what: "request", id: id.to_string() })
    }

    pub(super) fn write_notices(&mut self, notices: &[Notice]) {
        for notice in notices {
            let outgoing = OutgoingNotice { notice: notice.clone(), pending: true, next_at: notice.created_at };
            self.outbox.insert(notice.id, outgoing);
        }
    }
}
