//! An event that is about to be accepted, and the run that it wants: made the same way wherever it comes from.

use countersign_model::actor::Actor;
use countersign_model::event::{Cause, Event};
use countersign_model::id::{EventId, RunId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::run::{Run, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::IdSource;

/// What sets one event apart from another.
pub(crate) struct Candidate {
    pub(crate) cause: Cause,
    pub(crate) actor: Actor,
    pub(crate) span: Option<String>,
    /// Its dedupe key.
    pub(crate) key: String,
}

impl Candidate {
    /// The event, and the queued run that it starts where nothing speaks against one.
    pub(crate) fn propose(self, version: &PipelineVersion, ids: &dyn IdSource, now: Timestamp) -> (Event, Run) {
        let Self { cause, actor, span, key } = self;
        let event = Event {
            id: EventId::from_ulid(ids.ulid()),
            pipeline: version.name.clone(),
            cause,
            actor,
            dedupe_key: key,
            at: now,
        };
        let run = Run {
            id: RunId::from_ulid(ids.ulid()),
            pipeline: version.name.clone(),
            pipeline_digest: version.digest,
            event: event.id,
            cause: event.cause.clone(),
            started_by: event.actor.clone(),
            span,
            priority: version.pipeline.trigger.priority,
            state: RunState::Queued,
            created_at: now,
            ended_at: None,
        };
        (event, run)
    }
}
