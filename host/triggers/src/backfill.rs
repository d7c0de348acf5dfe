//! Backfill: a person asks for old deliveries, span by span, to be worked on again.
//!
//! A plan says what lies there and what became of it before; it changes nothing. Starting it accepts one event for each span, behind
//! whatever else the pipeline has to do: a backfill replaces nothing and crowds nobody out of the queue. The same backfill again is
//! counted, not run twice, unless that is asked for.

use crate::candidate::Candidate;
use crate::deliveries::Deliveries;
use crate::error::{ArrivalError, BackfillError, with_causes};
use crate::look::Found;
use countersign_model::actor::Actor;
use countersign_model::admission::Admission;
use countersign_model::digest::Digest;
use countersign_model::event::{Cause, EventOutcome};
use countersign_model::id::RunId;
use countersign_model::pipeline::{Overlap, PipelineVersion, WhilePaused};
use countersign_model::source::{SpanPattern, span_order};
use countersign_ports::metadata_store::{Proposal, RunFilter};
use countersign_ports::{Clock, IdSource, MetadataStore};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Events that are looked through for what ran before.
const LOOKED_BACK: u32 = 100_000;

/// Plans and starts backfills.
pub struct Backfill {
    store: Arc<dyn MetadataStore>,
    deliveries: Arc<Deliveries>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// Which spans of which source, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackfillRange {
    /// The source's name.
    pub source: String,
    /// The first span.
    pub from: String,
    /// The last one.
    pub to: String,
}

/// One span of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The span.
    pub span: String,
    /// The file, where there is one.
    pub path: Option<String>,
    /// SHA-256 of the file, where it can be read.
    pub digest: Option<Digest>,
    /// What a start does with it.
    #[serde(flatten)]
    pub what: Prospect,
}

/// What a start does with a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Prospect {
    /// It runs; its content started no run yet.
    WouldRun,
    /// It runs, although this content of this span started this run before.
    RanBefore {
        /// That run.
        run: RunId,
    },
    /// It is counted only: the same backfill was asked for before. It runs when asked for again.
    AskedBefore {
        /// The run that it started.
        run: Option<RunId>,
    },
    /// Nothing: no file spells this date.
    Missing,
    /// Nothing: the file can not be read.
    Unreadable {
        /// Why.
        problem: String,
    },
}

/// What a start did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Started {
    /// What became of each span's event.
    pub events: Vec<(String, EventOutcome)>,
    /// Spans for which the queue has no room now: the same backfill, asked for later, goes on with them.
    pub left: Vec<String>,
}

/// What became of deliveries before.
#[derive(Default)]
struct Before {
    ran: HashMap<(String, Digest), RunId>,
    asked: HashMap<String, Option<RunId>>,
}

impl Backfill {
    /// Over these parts.
    pub fn new(
        store: Arc<dyn MetadataStore>,
        deliveries: Arc<Deliveries>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self { store, deliveries, clock, ids }
    }

    /// What lies in the range, from the oldest span to the newest; where spans are dates, also what does not.
    ///
    /// # Errors
    /// When there is no such source or range, its place can not be listed, or the store fails.
    pub async fn plan(&self, version: &PipelineVersion, range: &BackfillRange) -> Result<Vec<Planned>, BackfillError> {
        let unknown = || BackfillError::UnknownSource { pipeline: version.name.clone(), name: range.source.clone() };
        let source = version.pipeline.sources.get(&range.source).ok_or_else(unknown)?;
        let pattern = SpanPattern::parse(&source.path).map_err(ArrivalError::from)?;
        check(&pattern, range, &source.path)?;
        let inside = |span: &str| span_order(&range.from, span).is_le() && span_order(span, &range.to).is_le();
        let listing = self.deliveries.list(source).await?;
        let before = self.before(version, &range.source).await?;
        let mut planned = Vec::new();
        for found in listing.found {
            if let Some(span) = found.delivered.span.clone().filter(|span| inside(span)) {
                planned.push(self.look_at(version, range, &before, span, &found).await);
            }
        }
        let there: HashSet<String> = planned.iter().map(|planned| planned.span.clone()).collect();
        let dates = pattern.spans_between(&range.from, &range.to).unwrap_or_default();
        let missing = dates.into_iter().filter(|span| !there.contains(span));
        planned.extend(missing.map(|span| Planned { span, path: None, digest: None, what: Prospect::Missing }));
        planned.sort_by(|a, b| span_order(&a.span, &b.span));
        Ok(planned)
    }

    /// Accepts one event for each span that can be read. `again` runs those too that the same backfill ran before.
    ///
    /// # Errors
    /// When the store fails. What was accepted by then is accepted: the same call goes on where it stopped.
    pub async fn start(
        &self,
        version: &PipelineVersion,
        range: &BackfillRange,
        plan: &[Planned],
        again: bool,
        actor: &Actor,
    ) -> Result<Started, BackfillError> {
        let trigger = &version.pipeline.trigger;
        let filter = RunFilter {
            pipeline: Some(version.name.clone()),
            status: Some("queued".to_string()),
            limit: trigger.most_queued(),
            ..RunFilter::default()
        };
        let queued = u32::try_from(self.store.runs(&filter).await?.len()).unwrap_or(u32::MAX);
        let mut room = trigger.most_queued().saturating_sub(queued);
        let nonce = if again { format!(":{}", self.ids.ulid()) } else { String::new() };
        let mut started = Started::default();
        for Planned { span, path, digest, what: _ } in plan {
            let (Some(path), Some(digest)) = (path, digest) else { continue };
            if room == 0 {
                started.left.push(span.clone());
                continue;
            }
            let cause = Cause::Backfill {
                source: range.source.clone(),
                path: path.clone(),
                span: span.clone(),
                digest: *digest,
            };
            let key = key(version, &range.source, span, digest) + &nonce;
            let candidate = Candidate { cause, actor: actor.clone(), span: Some(span.clone()), key };
            let outcome = self.accept(version, candidate).await?;
            if matches!(outcome, EventOutcome::Run { .. }) {
                room -= 1;
            }
            started.events.push((span.clone(), outcome));
        }
        Ok(started)
    }

    async fn accept(&self, version: &PipelineVersion, candidate: Candidate) -> Result<EventOutcome, BackfillError> {
        let (event, mut run) = candidate.propose(version, &*self.ids, self.clock.now());
        run.priority = run.priority.saturating_sub(1);
        // It waits its turn, whatever the pipeline does with other events; there is room, as far as could be seen.
        let patient = Admission { overlap: Overlap::Wait, while_paused: WhilePaused::Hold, most_queued: u32::MAX };
        Ok(self.store.accept_event(&event, Proposal::Admit(&run, patient)).await?)
    }

    async fn look_at(
        &self,
        version: &PipelineVersion,
        range: &BackfillRange,
        before: &Before,
        span: String,
        found: &Found,
    ) -> Planned {
        let path = Some(found.delivered.path.clone());
        let unreadable = |problem: String| Prospect::Unreadable { problem };
        let digest = match self.deliveries.digest(found).await {
            Ok(Some(digest)) => digest,
            Ok(None) => {
                let what = unreadable("it changed while it was read".to_string());
                return Planned { span, path, digest: None, what };
            }
            Err(error) => return Planned { span, path, digest: None, what: unreadable(with_causes(&error)) },
        };
        let what = match before.asked.get(&key(version, &range.source, &span, &digest)) {
            Some(run) => Prospect::AskedBefore { run: *run },
            None => match before.ran.get(&(span.clone(), digest)) {
                Some(run) => Prospect::RanBefore { run: *run },
                None => Prospect::WouldRun,
            },
        };
        Planned { span, path, digest: Some(digest), what }
    }

    async fn before(&self, version: &PipelineVersion, source: &str) -> Result<Before, BackfillError> {
        let mut before = Before::default();
        for (event, outcome) in self.store.events(Some(&version.name), LOOKED_BACK).await? {
            let run = match outcome {
                EventOutcome::Run { run } => Some(run),
                EventOutcome::SeenAgain { run } => run,
                EventOutcome::Skipped { .. } => None,
            };
            if let (Some((about, _, Some(span), digest)), Some(run)) = (event.cause.delivery(), run)
                && about == source
            {
                // Events come newest first, and the newest run is the one worth naming.
                before.ran.entry((span.to_string(), digest)).or_insert(run);
            }
            if matches!(event.cause, Cause::Backfill { .. }) {
                before.asked.insert(event.dedupe_key, run);
            }
        }
        Ok(before)
    }
}

fn key(version: &PipelineVersion, source: &str, span: &str, digest: &Digest) -> String {
    format!("backfill:{}/{source}:{span}:{digest}", version.name)
}

fn check(pattern: &SpanPattern, range: &BackfillRange, path: &str) -> Result<(), BackfillError> {
    let error = |problem: String| Err(BackfillError::Range { problem });
    if !pattern.has_span() {
        return error(format!("{path} spells no span: there is one file, and a new run takes it"));
    }
    if let Some(example) = pattern.example_date()
        && let Some(wrong) =
            [&range.from, &range.to].into_iter().find(|span| pattern.spans_between(span, span).is_none())
    {
        return error(format!("`{wrong}` is no span of {path}: write it like {example}"));
    }
    if span_order(&range.from, &range.to).is_gt() {
        return error(format!("{} is later than {}", range.from, range.to));
    }
    Ok(())
}
