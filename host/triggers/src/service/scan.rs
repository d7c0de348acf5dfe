//! The file half of a tick.
//!
//! A listing is compared with what the table says was seen. Files that are whole are digested and accepted, from the oldest span to the
//! newest, a bounded turn in a tick; what was not reached has its turn in the next, which begins at once. Events are accepted
//! first and the table written afterwards: whoever dies between the two does it again, and the dedupe keys count it.

use super::compare::{Arrived, Compared, REMEMBERED, compare};
use super::{Tick, TriggerService, locked, store_error};
use crate::candidate::Candidate;
use crate::deliveries::Deliveries;
use crate::error::{TriggerError, with_causes};
use crate::look::Found;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::event::{Cause, EventOutcome};
use countersign_model::pipeline::{PipelineVersion, Ready, Source};
use countersign_model::time::Timestamp;
use countersign_ports::trigger_store::SeenFile;
use futures::StreamExt;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Files of one source that are accepted in one turn: each look lists and compares them all, so a turn is longer than a schedule's.
const TURN: usize = 500;

/// Bytes that one source may read in one turn: another file may be begun while these are not used up.
const TURN_BYTES: u64 = 1 << 30;

/// Files that are recorded in one transaction.
const RECORDED_AT_ONCE: usize = 1_000;

/// Sources that are looked at side by side, so that a place that answers slowly holds up few.
const SIDE_BY_SIDE: usize = 8;

/// What the file half knows between ticks. All of it may be forgotten: the table is the truth.
pub(super) struct Arrivals {
    deliveries: Arc<Deliveries>,
    known: Mutex<HashMap<String, Known>>,
    /// What the last look could not do.
    problems: Mutex<BTreeSet<String>>,
}

/// What is known of one source.
#[derive(Default)]
struct Known {
    /// The listing of which every file is accepted: when it is listed again, there is no need to look into the table.
    finished: Option<Digest>,
    /// When the first file that still settles will have.
    settles: Option<Timestamp>,
}

impl Arrivals {
    pub(super) fn new(deliveries: Arc<Deliveries>) -> Self {
        Self { deliveries, known: Mutex::default(), problems: Mutex::default() }
    }
}

/// One source of one pipeline whose new files start runs.
pub(super) struct Watched {
    pub(super) version: Arc<PipelineVersion>,
    pub(super) name: String,
    source: Source,
    /// `pipeline/source`.
    pub(super) trigger: String,
}

impl Watched {
    pub(super) fn settle(&self) -> Duration {
        match self.source.ready {
            Ready::Settled if self.source.object().is_none() => Duration::from_secs(self.source.settle_seconds),
            // Objects appear whole.
            Ready::Settled | Ready::Renamed | Ready::Marker(_) => Duration::ZERO,
        }
    }
}

/// Every source whose new files start runs.
fn watched(versions: Vec<PipelineVersion>) -> Vec<Watched> {
    let sources = |version: PipelineVersion| {
        let version = Arc::new(version);
        let names = version.pipeline.trigger.arrival.clone();
        names.into_iter().filter_map(move |name| {
            let source = version.pipeline.sources.get(&name)?.clone();
            Some(Watched { trigger: format!("{}/{name}", version.name), version: Arc::clone(&version), name, source })
        })
    };
    versions.into_iter().flat_map(sources).collect()
}

/// What one turn did.
#[derive(Default)]
struct Turn {
    accepted: Vec<SeenFile>,
    /// Something whole was not accepted: it changed meanwhile, could not be read, or has to wait for a run or for the next turn.
    left: bool,
}

impl TriggerService {
    /// When the first file that was seen and still settles will have: none when only a change can make a file count.
    pub fn next_settled(&self) -> Option<Timestamp> {
        locked(&self.arrivals.known).values().filter_map(|known| known.settles).min()
    }

    /// Looks at every source whose new files start runs and writes what arrived. A place that can not be looked at stops no other.
    ///
    /// # Errors
    /// The first failure of the store. What was not written yet is found at the next look.
    pub async fn look_at_deliveries(&self, now: Timestamp) -> Result<Vec<EventOutcome>, TriggerError> {
        let sources = watched(self.versions());
        locked(&self.arrivals.known).retain(|trigger, _| sources.iter().any(|source| source.trigger == *trigger));
        let looks = futures::stream::iter(sources).map(|source| async move {
            let mut tick = Tick::default();
            let answer = self.look_at(&source, now, &mut tick).await;
            (tick, answer)
        });
        let mut looks = std::pin::pin!(looks.buffer_unordered(SIDE_BY_SIDE));
        let (mut all, mut answer) = (Tick::default(), Ok(()));
        while let Some((tick, looked)) = looks.next().await {
            all.outcomes.extend(tick.outcomes);
            all.problems.extend(tick.problems);
            all.more |= tick.more;
            answer = answer.and(looked);
        }
        if all.more && answer.is_ok() {
            self.hint.notify_one();
        }
        super::tell_new(&self.arrivals.problems, all.problems);
        answer.map(|()| all.outcomes)
    }

    async fn look_at(&self, watched: &Watched, now: Timestamp, tick: &mut Tick) -> Result<(), TriggerError> {
        let trigger = &watched.trigger;
        let failed = store_error(trigger);
        // What fails is forgotten, so that it is looked at with open eyes, and only when it is time to look anyway.
        let known = locked(&self.arrivals.known).remove(trigger);
        let listing = match self.arrivals.deliveries.list(&watched.source).await {
            Ok(listing) => listing,
            Err(error) => {
                tick.problems.insert(format!("{trigger}: {}", with_causes(&error)));
                return Ok(());
            }
        };
        tick.problems.extend(listing.problems.iter().map(|problem| format!("{trigger}: {problem}")));
        let digest = listing.digest();
        if let Some(known) = known.filter(|known| known.finished == Some(digest)) {
            locked(&self.arrivals.known).insert(trigger.clone(), known);
            return Ok(());
        }
        let seen = self.triggers.seen_files(trigger).await.map_err(|error| failed("read seen files", error))?;
        let Compared { whole, mut changed, settles, contents, forgets } = compare(watched, listing, seen, now);
        let mut turn = Turn::default();
        let answer = self.take_turn(watched, whole, contents, now, &mut turn, tick).await;
        let finished = settles.is_none() && !turn.left;
        changed.append(&mut turn.accepted);
        for files in changed.chunks(RECORDED_AT_ONCE) {
            self.triggers.record_seen_files(files).await.map_err(|error| failed("record seen files", error))?;
        }
        if forgets {
            let forgotten = self.triggers.forget_seen_files(trigger, now.minus(REMEMBERED)).await;
            forgotten.map_err(|error| failed("forget seen files", error))?;
        }
        if answer.is_ok() {
            let known = Known { finished: finished.then_some(digest), settles };
            locked(&self.arrivals.known).insert(trigger.clone(), known);
        }
        answer
    }

    /// Accepts whole files in their order until the turn is over.
    async fn take_turn(
        &self,
        watched: &Watched,
        whole: Vec<Arrived>,
        mut contents: HashMap<Digest, String>,
        now: Timestamp,
        turn: &mut Turn,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let mut bytes = 0_u64;
        for Arrived { found, mut file, is_newest } in whole {
            if turn.accepted.len() >= TURN || bytes >= TURN_BYTES {
                (turn.left, tick.more) = (true, true);
                return Ok(());
            }
            if is_newest && self.is_about_to_be_read(watched).await? {
                turn.left = true;
                continue;
            }
            let digest = match self.arrivals.deliveries.digest(&found).await {
                Ok(Some(digest)) => digest,
                // Written to just now: the next look sees it as changed.
                Ok(None) => {
                    turn.left = true;
                    continue;
                }
                Err(error) => {
                    tick.problems.insert(format!("{}: {}", watched.trigger, with_causes(&error)));
                    turn.left = true;
                    continue;
                }
            };
            bytes = bytes.saturating_add(found.look.bytes);
            let same = contents.entry(digest).or_insert_with(|| file.path.clone());
            let skip = if *same == file.path {
                self.reader(watched, &found, digest).await?.map(|run| format!("same content as {run} read"))
            } else {
                Some(format!("same content as {same}"))
            };
            let candidate = candidate(watched, &found, digest);
            tick.outcomes.push(self.accept(&watched.version, candidate, skip.as_deref(), now).await?);
            file.accepted = Some(digest);
            turn.accepted.push(file);
        }
        Ok(())
    }
}

fn candidate(watched: &Watched, found: &Found, digest: Digest) -> Candidate {
    let (path, span) = (found.delivered.path.clone(), found.delivered.span.clone());
    Candidate {
        key: format!("arrival:{}:{}:{digest}", watched.trigger, span.as_deref().unwrap_or_default()),
        cause: Cause::Arrival { source: watched.name.clone(), path, span: span.clone(), digest },
        actor: Actor::system("arrival"),
        span,
    }
}
