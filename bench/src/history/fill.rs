//! Fills a store with a history: two real runs through the store in a place of their own, and the second written again and again by plain
//! SQL. One in five runs was approved and pushed; each takes the schema and the statistics of the run before it in its pipeline, until
//! every tenth begins anew.

use super::template::{self, NUMBERS, Names, Number};
use crate::database::{Place, Raw, Value, Wall};
use crate::facts::{Facts, STEPS};
use anyhow::Context as _;
use countersign_model::artifact::Artifact;
use countersign_model::conditions::Conditions;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::finding::Verdict;
use countersign_model::id::{DecisionId, PushId, RequestId, RunId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::policy::{RoleQuorum, SignoffPolicy};
use countersign_model::push::Push;
use countersign_ports::{Clock as _, MetadataStore as _};
use countersign_store::SqlStore;
use std::collections::{BTreeMap, BTreeSet};

/// Pipelines that take turns.
pub const PIPELINES: i64 = 20;
/// Runs of a pipeline that hang together.
pub const CHAIN: i64 = 10;
/// One run of a pipeline in so many was approved and pushed.
const APPROVED: i64 = 5;
/// Runs that one statement writes.
const CHUNK: i64 = 250;
/// Runs of each pipeline that wait in the queue; one more waits for people.
const QUEUED: i64 = 10;

/// A history, and how to name what is in it.
pub struct History {
    /// The store.
    pub store: SqlStore,
    /// Where it is.
    pub place: Place,
    /// Runs in it.
    pub runs: i64,
    /// The pipelines.
    pub versions: Vec<PipelineVersion>,
    /// The run that all are like.
    pub run: RunId,
    /// What it made, by step.
    pub outputs: BTreeMap<&'static str, Artifact>,
    /// Its cache keys, by step.
    pub cache_keys: BTreeMap<&'static str, Digest>,
}

/// The pipeline of a number.
pub fn pipeline(number: i64) -> String {
    format!("pipeline-{:02}", number % PIPELINES)
}

/// Fills the place with so many runs.
pub async fn fill(place: Place, model: Place, runs: i64) -> anyhow::Result<History> {
    let facts = Facts::new();
    let (first, done, version) = two_runs(&facts, &model).await?;
    let store = place.store().await?;
    let mut versions = Vec::new();
    for number in 0..PIPELINES {
        versions.push(facts.pipeline(&store, &pipeline(number)).await?);
    }
    let mut names = Names {
        previous: BTreeMap::new(),
        pipeline: version.name.clone(),
        version: version.digest.to_string(),
        span: SPAN.to_string(),
    };
    for (step, _, _) in STEPS {
        let (before, this) = (&first.outputs[step], &done.outputs[step]);
        names.previous.insert(before.id.to_string(), this.id.to_string());
        names.previous.insert(before.digest.to_string(), this.digest.to_string());
    }
    let run = done.claim.run;
    let statements = template::statements(&mut model.raw().await?, &run.to_string(), &names, runs).await?;
    write(&place, &statements, runs, &versions).await?;
    for version in &versions {
        let waiting = facts.queue(&store, version, SPAN).await?;
        let claim = facts.claim(&store, Some(&waiting)).await?;
        store.open_request(&claim, &request(&facts, &waiting, version, &done.outputs["model"]), &[]).await?;
        for _ in 0..QUEUED {
            facts.queue(&store, version, SPAN).await?;
        }
    }
    let cache_keys = done.executions.iter().map(|(step, execution)| (*step, execution.cache_key)).collect();
    Ok(History { store, place, runs, versions, run, outputs: done.outputs, cache_keys })
}

/// Stands for a run's span.
const SPAN: &str = "the-span";

async fn two_runs(
    facts: &Facts,
    place: &Place,
) -> anyhow::Result<(crate::facts::Done, crate::facts::Done, PipelineVersion)> {
    let store = place.store().await?;
    let version = facts.pipeline(&store, "the-pipeline").await?;
    let first = facts.run(&store, &version, SPAN, None).await?;
    facts.end(&store, &first).await?;
    let mut second = facts.run(&store, &version, SPAN, Some(&first)).await?;
    let request = request(facts, &second.claim.run, &version, &second.outputs["model"]);
    store.open_request(&second.claim, &request, &[]).await?;
    let decision = Decision {
        id: DecisionId::from_ulid(facts.ulid()),
        request: request.id,
        kind: DecisionKind::Approve,
        actor: Facts::actor(),
        person: "ada".to_string(),
        roles: vec!["owner".to_string()],
        channel: Channel::Terminal,
        second_factor: false,
        reason: "seen".to_string(),
        conditions: Conditions::default(),
        evidence_digest: request.evidence_digest,
        envelope: None,
        late: false,
        at: Wall.now(),
    };
    store.record_decision(&decision, &[]).await?;
    second.claim = facts.claim(&store, Some(&second.claim.run)).await?;
    let mut push = Push {
        id: PushId::from_ulid(facts.ulid()),
        run: second.claim.run,
        pipeline: version.name.clone(),
        model: request.model_digest,
        target: "models".to_string(),
        request: request.id,
        conditions: Conditions::default(),
        begun_at: Wall.now(),
        completed_at: None,
    };
    store.begin_push(&second.claim, &push).await?;
    push.completed_at = Some(Wall.now());
    store.complete_push(&second.claim, &push, &[]).await?;
    facts.end(&store, &second).await?;
    store.close().await?;
    Ok((first, second, version))
}

/// A request for the model.
fn request(facts: &Facts, run: &RunId, version: &PipelineVersion, model: &Artifact) -> SignoffRequest {
    let evidence = format!(r#"{{"model":"{}","shown":"{}"}}"#, model.digest, "what people look at; ".repeat(200));
    SignoffRequest {
        id: RequestId::from_ulid(facts.ulid()),
        run: *run,
        pipeline: version.name.clone(),
        gate: "release".to_string(),
        policy: SignoffPolicy {
            approvers: vec![RoleQuorum { role: "owner".to_string(), count: 1 }],
            approve_on: BTreeSet::from([Channel::Terminal]),
            forbid_self_approval: false,
            overriding: None,
            second_factor: false,
            channel: None,
            remind_seconds: None,
            escalate: None,
            expire: None,
            conditions: Conditions::default(),
        },
        evidence_digest: Digest::of(evidence.as_bytes()),
        evidence,
        model_digest: model.digest,
        verdict: Verdict::NeedsPerson,
        nonce: "0".repeat(32),
        state: RequestState::Open,
        posted_at: Wall.now(),
        progress: Progress::default(),
    }
}

async fn write(place: &Place, statements: &[String], runs: i64, versions: &[PipelineVersion]) -> anyhow::Result<()> {
    let mut raw = place.raw().await?;
    // The rows hang together as they are, and a load that is lost is begun again.
    let quick: &[&str] = match raw {
        Raw::Sqlite(_) => &["PRAGMA foreign_keys = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000"],
        Raw::Postgres(_) => &["SET session_replication_role = replica", "SET synchronous_commit = off"],
    };
    for setting in quick {
        raw.execute(setting, &[]).await?;
    }
    raw.execute(NUMBERS, &[]).await?;
    raw.execute("BEGIN", &[]).await?;
    for number in 0..runs {
        numbered(&mut raw, number, versions).await?;
    }
    raw.execute("COMMIT", &[]).await?;
    for from in (0..runs).step_by(usize::try_from(CHUNK)?) {
        raw.execute("BEGIN", &[]).await?;
        let range = [Value::Number(Some(from)), Value::Number(Some((from + CHUNK).min(runs)))];
        for statement in statements {
            raw.execute(statement, &range).await?;
        }
        raw.execute("COMMIT", &[]).await?;
    }
    // As autovacuum does in time; SQLite's planner is not told anything by us in production either.
    let settled: &[&str] = match raw {
        Raw::Sqlite(_) => &["PRAGMA wal_checkpoint(TRUNCATE)"],
        Raw::Postgres(_) => &["DROP TABLE numbers", "VACUUM ANALYZE", "CHECKPOINT"],
    };
    for statement in settled {
        raw.execute(statement, &[]).await?;
    }
    if let Place::Sqlite(file) = place {
        // Else the system writes it out while questions are asked.
        std::fs::File::open(file)?.sync_all()?;
    }
    Ok(())
}

async fn numbered(raw: &mut Raw, number: i64, versions: &[PipelineVersion]) -> anyhow::Result<()> {
    let (own, before) = (Number::new(number), Number::new((number - PIPELINES).max(0)));
    let turn = number / PIPELINES;
    let version = versions.get(usize::try_from(number % PIPELINES)?).context("a pipeline")?;
    let text = |text: String| Value::Text(Some(text));
    let values = [
        Value::Number(Some(own.number)),
        text(own.digits),
        text(own.scattered),
        text(before.digits),
        text(before.scattered),
        Value::Number(Some(i64::from(turn % CHAIN == 0))),
        Value::Number(Some(i64::from(turn % APPROVED == 0))),
        text(version.name.clone()),
        text(version.digest.to_string()),
        text(format!("day-{turn:06}")),
    ];
    raw.execute("INSERT INTO numbers VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", &values).await?;
    Ok(())
}
