//! Retention: what is old, what it holds, and what is needed all the same.

use super::bench::Bench;
use super::facts::Made;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::execution::{ExecutionState, LogLine};
use countersign_model::finding::Verdict;
use countersign_model::id::{ArtifactId, RunId};
use countersign_model::run::{Claim, RunEnd};
use countersign_model::time::Timestamp;
use countersign_ports::retention_store::{Collected, Collecting, Keep, Need};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

async fn expired(bench: &Bench, since: Timestamp, newest: u32) -> Vec<RunId> {
    bench.store.expired_runs("taxi", &Keep { since, newest }).await.unwrap()
}

pub(super) async fn collect(bench: &Bench, run: RunId, artifacts: &[&Artifact]) -> Vec<Collected> {
    let artifacts = artifacts.iter().map(|artifact| artifact.id).collect();
    bench.store.collect(&[Collecting { run, artifacts }], &Bench::person("ada"), bench.tick()).await.unwrap()
}

pub(super) fn ids<'a>(artifacts: impl IntoIterator<Item = &'a Artifact>) -> HashSet<ArtifactId> {
    artifacts.into_iter().map(|artifact| artifact.id).collect()
}

pub(super) fn made<'a>(step: &'a str, kind: &'a str, content: &'a str, inputs: &'a [&'a Artifact]) -> Made<'a> {
    Made { inputs, ..Made::new(step, kind, content) }
}

/// A run that ended, at this moment.
async fn ended(bench: &Bench, end: RunEnd) -> RunId {
    let claim = bench.running("taxi").await;
    bench.tick();
    bench.store.end_run(&claim, &end, bench.now(), &[]).await.unwrap();
    claim.run
}

fn failed() -> RunEnd {
    RunEnd::Failed { step: "train".to_string(), message: "trap".to_string() }
}

fn blocked() -> RunEnd {
    RunEnd::Blocked { step: "validate".to_string(), reasons: Vec::new() }
}

pub async fn young_runs_and_the_newest_are_kept(bench: &Bench) {
    let mut runs = Vec::new();
    for end in [RunEnd::Succeeded, RunEnd::Succeeded, failed(), RunEnd::Expired, failed(), blocked()] {
        runs.push(ended(bench, end).await);
    }
    let third = bench.run(&runs[2]).await.ended_at.unwrap();
    let later = bench.tick();
    assert_eq!(expired(bench, later, 0).await, runs, "longest ended first");
    assert_eq!(expired(bench, third, 0).await, runs[..2], "one that ended at that instant is young enough");
    // Runs 5 and 6 are the newest, 2 and 4 the newest that history is taken from.
    assert_eq!(expired(bench, later, 2).await, [runs[0], runs[2]]);
    assert_eq!(expired(bench, later, 4).await, [], "of the sound ones there are fewer than that");
    assert_eq!(expired(bench, third, 2).await, runs[..1]);
    for newest in [7, 1000] {
        assert_eq!(expired(bench, later, newest).await, []);
    }
    assert_eq!(bench.store.expired_runs("penguins", &Keep { since: later, newest: 0 }).await.unwrap(), []);
    collect(bench, runs[1], &[]).await;
    assert_eq!(expired(bench, later, 2).await, [runs[0], runs[2]], "a collected run still counts as one of the newest");
    assert_eq!(expired(bench, third, 0).await, runs[..1]);
}

/// A run that trained `content` and waits at its gate.
async fn candidate(bench: &Bench, content: &str) -> (Artifact, SignoffRequest) {
    let claim = bench.running("taxi").await;
    let model = bench.step(&claim, Made::new("train", ArtifactKind::MODEL, content)).await;
    let request = bench.request(claim.run, "taxi", content, 1);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    (model, request)
}

async fn push(bench: &Bench, request: &SignoffRequest) -> RunId {
    let claim = bench.approve(request).await;
    let push = bench.push(request, "models/taxi");
    bench.store.begin_push(&claim, &push).await.unwrap();
    bench.store.complete_push(&claim, &push, &[]).await.unwrap();
    bench.succeed(&claim).await;
    claim.run
}

pub async fn what_was_pushed_approved_or_waits_never_expires(bench: &Bench) {
    let (_, pushed) = candidate(bench, "pushed").await;
    push(bench, &pushed).await;
    // Approved, but the run failed before it pushed: another run may use that approval.
    let (_, approved) = candidate(bench, "approved").await;
    let claim = bench.approve(&approved).await;
    bench.store.end_run(&claim, &failed(), bench.now(), &[]).await.unwrap();
    let (_, waiting) = candidate(bench, "waiting").await;
    bench.queue("taxi").await;
    let (later, none) = (bench.tick(), Vec::<RunId>::new());
    assert_eq!(expired(bench, later, 0).await, none);
    // The approval is taken back; nobody waits for the other answer any more.
    let void = RequestState::Void { reason: "the world changed".to_string() };
    bench.store.close_request(&approved.id, &void, bench.tick(), &[]).await.unwrap();
    bench.store.cancel_run(&waiting.run, &Bench::person("ada"), bench.tick(), &[]).await.unwrap();
    assert_eq!(expired(bench, bench.now().plus(Duration::from_secs(1)), 0).await, [approved.run, waiting.run]);
}

pub async fn a_run_holds_what_it_read_and_made(bench: &Bench) {
    let first = bench.running("taxi").await;
    let data = bench.delivery(&first, "taxi", "day 1").await;
    let schema = bench.step(&first, made("schema", ArtifactKind::SCHEMA, "c", &[&data])).await;
    bench.succeed(&first).await;
    let second = bench.running("taxi").await;
    bench.reuse(&second, &schema, &[&data]).await;
    let mut execution = bench.execution(&second, "taxi", "validate", "v", "v");
    execution.inputs = BTreeMap::from([("schema".to_string(), vec![schema.id])]);
    bench.store.begin_execution(&second, &execution).await.unwrap();
    let found = bench.output(&execution, "anomalies", ArtifactKind::ANOMALIES, "none");
    execution.state = ExecutionState::Succeeded { result: bench.result(Verdict::Pass, &[found.clone()]) };
    let line = LogLine { level: "info".to_string(), message: "seen".to_string(), fields: BTreeMap::new() };
    bench.store.publish_execution(&second, &execution, &[line]).await.unwrap();
    bench.succeed(&second).await;

    let holdings = bench.store.holdings(&second.run).await.unwrap();
    let held: Vec<_> = holdings.artifacts.iter().map(|held| (held.id, held.kind.as_str(), held.digest)).collect();
    let expected = [(&data, "Delivery"), (&schema, "Schema"), (&found, "Anomalies")];
    assert_eq!(held, expected.map(|(artifact, kind)| (artifact.id, kind, artifact.digest)));
    assert_eq!(holdings.logs, 1);
    let first = bench.store.holdings(&first.run).await.unwrap();
    assert_eq!((first.artifacts.len(), first.logs), (2, 0));

    let gone = collect(bench, second.run, &[&data, &found]).await;
    assert_eq!(
        gone,
        [Collected { run: second.run, logs: 1, artifacts: vec![found.id] }],
        "the first run reads the data"
    );
    assert_eq!(bench.store.execution_log(&execution.id).await.unwrap(), []);
    let left = bench.store.holdings(&second.run).await.unwrap();
    assert_eq!((left.artifacts.len(), left.logs), (2, 0));
    assert!(bench.store.artifact(&found.id).await.unwrap().is_some(), "the row stays");
    assert_eq!(bench.store.executions(&second.run).await.unwrap().len(), 2);
}

/// A run with a delivery, statistics over it, and a schema that carries on from `base`.
async fn data(bench: &Bench, day: &str, base: Option<&Artifact>) -> (Claim, [Artifact; 3]) {
    let claim = bench.running("taxi").await;
    let delivery = bench.delivery(&claim, "taxi", day).await;
    let content = format!("statistics of {day}");
    let statistics = bench.step(&claim, made("statistics", ArtifactKind::STATISTICS, &content, &[&delivery])).await;
    let inputs: Vec<&Artifact> = std::iter::once(&statistics).chain(base).collect();
    let content = format!("schema of {day}");
    let schema = bench.step(&claim, made("schema", ArtifactKind::SCHEMA, &content, &inputs)).await;
    (claim, [delivery, statistics, schema])
}

pub async fn everything_upstream_of_a_pushed_model_is_needed(bench: &Bench) {
    let (claim, first) = data(bench, "day 1", None).await;
    bench.step(&claim, made("train", ArtifactKind::MODEL, "m1", &[&first[2]])).await;
    bench.succeed(&claim).await;
    assert_eq!(bench.store.needed(Need::Pushed).await.unwrap(), HashSet::new());
    let (claim, second) = data(bench, "day 2", Some(&first[2])).await;
    let model = bench.step(&claim, made("train", ArtifactKind::MODEL, "m2", &[&second[2]])).await;
    let beside = bench.step(&claim, made("evaluate", ArtifactKind::EVALUATION, "e2", &[&model])).await;
    let request = bench.request(claim.run, "taxi", "m2", 1);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    push(bench, &request).await;
    // Another way to the very model that was pushed.
    let (claim, third) = data(bench, "day 3", None).await;
    let twin = bench.step(&claim, made("train", ArtifactKind::MODEL, "m2", &[&third[1]])).await;
    bench.step(&claim, made("evaluate", ArtifactKind::EVALUATION, "e3", &[&twin])).await;
    bench.succeed(&claim).await;

    let upstream = first.iter().chain(&second).chain(&third[..2]);
    let expected = ids(upstream.chain([&model, &beside, &twin]));
    assert_eq!(bench.store.needed(Need::Pushed).await.unwrap(), expected);
}

pub async fn what_people_look_at_and_what_runs_is_needed(bench: &Bench) {
    let (claim, first) = data(bench, "day 1", None).await;
    bench.succeed(&claim).await;
    let (claim, second) = data(bench, "day 2", Some(&first[2])).await;
    let expected = ids(first.iter().chain(&second));
    let needed = async |need| bench.store.needed(need).await.unwrap();
    assert_eq!((needed(Need::UnderWay).await, needed(Need::Asked).await), (expected.clone(), HashSet::new()));
    let request = bench.request(claim.run, "taxi", "m", 1);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    assert_eq!((needed(Need::UnderWay).await, needed(Need::Asked).await), (expected.clone(), expected.clone()));
    let claim = bench.approve(&request).await;
    bench.store.end_run(&claim, &failed(), bench.now(), &[]).await.unwrap();
    assert_eq!((needed(Need::UnderWay).await, needed(Need::Asked).await), (HashSet::new(), expected));
    let void = RequestState::Void { reason: "the world changed".to_string() };
    bench.store.close_request(&request.id, &void, bench.tick(), &[]).await.unwrap();
    assert_eq!(needed(Need::Asked).await, HashSet::new());
}
