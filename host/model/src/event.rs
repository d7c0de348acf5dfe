//! Events: why a run started.

use crate::actor::Actor;
use crate::digest::Digest;
use crate::id::{EventId, PushId, RunId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a run should start. Accepting one ends in exactly one run, or in a recorded skip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its identifier.
    pub id: EventId,
    /// The pipeline it is for.
    pub pipeline: String,
    /// What happened.
    pub cause: Cause,
    /// Who or what caused it.
    pub actor: Actor,
    /// Unique: a second event with the same key is only counted.
    pub dedupe_key: String,
    /// When it was noticed.
    pub at: Timestamp,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "lowercase")]
pub enum Cause {
    /// A person asked: at the terminal, on the page or over the API.
    Person,
    /// The clock said so.
    Cron {
        /// The scheduled instant, not the firing time.
        scheduled_for: Timestamp,
        /// The wall time and zone it stands for.
        wall_time: String,
    },
    /// A file arrived.
    Arrival {
        /// The source's name.
        source: String,
        /// Its path.
        path: String,
        /// The span its name spells.
        span: Option<String>,
        /// SHA-256 of the file.
        digest: Digest,
    },
    /// Another pipeline's model went live.
    Pushed {
        /// That pipeline.
        pipeline: String,
        /// The push.
        push: PushId,
        /// Digest of the model.
        model: Digest,
    },
    /// Another system said so over HTTP.
    Http {
        /// The hook of the settings that it came in by.
        hook: String,
        /// What it says it is: a CloudEvents `type`, or `request`.
        kind: String,
        /// Where it says it comes from: a CloudEvents `source`; may be empty.
        source: String,
        /// Its own identifier, unique within `source`.
        id: String,
    },
    /// A person asked for a range of old deliveries to be worked on again.
    Backfill {
        /// The source's name.
        source: String,
        /// The file's path.
        path: String,
        /// The span its name spells.
        span: String,
        /// SHA-256 of the file.
        digest: Digest,
    },
}

impl Cause {
    /// The delivery that the event is about: source, path, span and digest of the file.
    pub fn delivery(&self) -> Option<(&str, &str, Option<&str>, Digest)> {
        match self {
            Self::Arrival { source, path, span, digest } => Some((source, path, span.as_deref(), *digest)),
            Self::Backfill { source, path, span, digest } => Some((source, path, Some(span), *digest)),
            Self::Person | Self::Cron { .. } | Self::Pushed { .. } | Self::Http { .. } => None,
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum EventOutcome {
    /// It started this run.
    Run {
        /// The run.
        run: RunId,
    },
    /// It started none.
    Skipped {
        /// Why.
        reason: String,
    },
    /// An event with the same key was there before; this is its outcome's run, if it had one.
    SeenAgain {
        /// The first one's run.
        run: Option<RunId>,
    },
}
