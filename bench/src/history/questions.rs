//! What is asked of a history, again and again, each time about another part of it.

use super::fill::{CHAIN, History, PIPELINES};
use super::template::Number;
use crate::facts::{DELIVERY, Facts};
use crate::stopwatch::{Stopwatch, Times};
use anyhow::Context as _;
use countersign_model::artifact::ArtifactKind;
use countersign_model::id::RunId;
use countersign_model::lineage::{Direction, Lineage};
use countersign_model::resolver::Resolver;
use countersign_ports::metadata_store::{ArtifactFilter, HistoryQuery, RunFilter};
use countersign_ports::{Clock as _, MetadataStore as _};

/// The questions.
pub const QUESTIONS: [&str; 20] = [
    "lineage up",
    "lineage down",
    "previous schema",
    "approved model",
    "pushed model",
    "last 7 spans",
    "cached execution",
    "previous execution",
    "a run",
    "its executions",
    "runs",
    "runs of a pipeline",
    "runs that succeeded",
    "artifacts of a kind",
    "events",
    "inbox",
    "live model",
    "counts",
    "accept an event",
    "claim",
];

/// How many artifacts a lineage may have: more than one here has.
const LINEAGE: u32 = 1000;
/// A page.
const PAGE: u32 = 50;

/// One part of a history: a run number `chain` of its chain.
struct Part<'h> {
    history: &'h History,
    number: Number,
}

impl<'h> Part<'h> {
    /// The `at`-th of so many that are spread over the history.
    fn new(history: &'h History, chain: i64, at: i64, of: i64) -> Self {
        let blocks = history.runs / (PIPELINES * CHAIN);
        let block = blocks * at / of;
        let pipeline = at * 7 % PIPELINES;
        Self { history, number: Number::new((block * CHAIN + chain) * PIPELINES + pipeline) }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &impl ToString) -> anyhow::Result<T> {
        self.number.fill(&name.to_string()).parse().ok().context("a name that can be read")
    }

    fn run(&self) -> anyhow::Result<RunId> {
        self.parsed(&self.history.run)
    }

    fn pipeline(&self) -> String {
        super::fill::pipeline(self.number.number)
    }

    async fn lineage(&self, step: &str, direction: Direction) -> anyhow::Result<usize> {
        let artifact = self.parsed(&self.history.outputs[step].id)?;
        let Lineage { artifacts, executions, .. } = self.history.store.lineage(&artifact, direction, LINEAGE).await?;
        Ok(artifacts.len() + executions.len())
    }

    /// As the newest run of its pipeline asks.
    async fn resolve(&self, resolver: Resolver) -> anyhow::Result<usize> {
        let query = HistoryQuery {
            pipeline: self.pipeline(),
            resolver,
            step: "schema".to_string(),
            own_inputs: countersign_model::digest::Digest::of(b"new"),
            own_digests: vec![countersign_model::digest::Digest::of(b"newer")],
            run: RunId::from_ulid(ulid::Ulid::from_parts(u64::MAX >> 16, 1)),
        };
        Ok(self.history.store.resolve(&query).await?.len())
    }

    async fn runs(&self, pipeline: Option<String>, status: Option<&str>) -> anyhow::Result<usize> {
        let filter = RunFilter { pipeline, status: status.map(str::to_string), before: None, limit: PAGE };
        Ok(self.history.store.runs(&filter).await?.len())
    }
}

/// A run in the middle of a history, and the evaluation at the end of its chain.
pub fn subject(history: &History) -> (String, String) {
    let part = Part::new(history, CHAIN - 1, 1, 2);
    (part.number.fill(&history.run.to_string()), part.number.fill(&history.outputs["evaluation"].id.to_string()))
}

/// Asks once, adds how long the answer took, and says how large it was.
pub async fn ask(
    question: &str,
    history: &History,
    facts: &Facts,
    (at, of): (i64, i64),
    times: &mut Times,
) -> anyhow::Result<usize> {
    let store = &history.store;
    let middle = Part::new(history, CHAIN / 2, at, of);
    let watch = Stopwatch::start();
    let size = match question {
        "lineage up" => Part::new(history, CHAIN - 1, at, of).lineage("evaluation", Direction::Upstream).await?,
        "lineage down" => Part::new(history, 0, at, of).lineage(DELIVERY, Direction::Downstream).await?,
        "previous schema" => middle.resolve(Resolver::Previous(ArtifactKind::new(ArtifactKind::SCHEMA))).await?,
        "approved model" => middle.resolve(Resolver::LatestApprovedModel).await?,
        "pushed model" => middle.resolve(Resolver::LatestPushedModel).await?,
        "last 7 spans" => middle.resolve(Resolver::LastSpans(7)).await?,
        "cached execution" => {
            usize::from(store.cached_execution(&middle.parsed(&history.cache_keys["model"])?).await?.is_some())
        }
        "previous execution" => {
            let found = store.previous_execution(&middle.pipeline(), "model", &middle.run()?).await?;
            usize::from(found.is_some())
        }
        "a run" => usize::from(store.run(&middle.run()?).await?.is_some()),
        "its executions" => store.executions(&middle.run()?).await?.len(),
        "runs" => middle.runs(None, None).await?,
        "runs of a pipeline" => middle.runs(Some(middle.pipeline()), None).await?,
        "runs that succeeded" => middle.runs(None, Some("succeeded")).await?,
        "artifacts of a kind" => {
            let kind = Some(ArtifactKind::new(ArtifactKind::MODEL));
            let filter =
                ArtifactFilter { pipeline: Some(middle.pipeline()), kind, limit: PAGE, ..ArtifactFilter::default() };
            store.artifacts(&filter).await?.len()
        }
        "events" => store.events(None, PAGE).await?.len(),
        "inbox" => store.waiting(None, PAGE).await?.len(),
        "live model" => {
            let now = crate::database::Wall.now();
            usize::from(store.live_at(&middle.pipeline(), now).await?.is_some())
        }
        "counts" => usize::from(store.counts().await?.queued > 0),
        "accept an event" => {
            let version = &history.versions[usize::try_from(at % PIPELINES)?];
            usize::from(!facts.queue(store, version, "today").await?.to_string().is_empty())
        }
        _ => {
            let claim = facts.claim(store, None).await?;
            times.add(watch.ms());
            store.release_run(&claim).await?;
            return Ok(1);
        }
    };
    times.add(watch.ms());
    Ok(size)
}
