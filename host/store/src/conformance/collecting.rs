//! Collecting: an artifact goes with the last run that holds on to it, and is no result for anybody from then on.

use super::bench::Bench;
use super::facts::Made;
use super::retention::{collect, ids, made};
use countersign_model::actor::Actor;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::audit;
use countersign_model::digest::Digest;
use countersign_model::execution::ExecutionState;
use countersign_model::finding::Verdict;
use countersign_model::id::RunId;
use countersign_model::resolver::Resolver;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{ARTIFACT, HistoryQuery};
use countersign_ports::retention_store::{Collected, Collecting, Standing};
use std::collections::{BTreeMap, HashSet};

pub async fn an_artifact_goes_with_the_last_run_that_holds_it(bench: &Bench) {
    let first = bench.running("taxi").await;
    let artifact = bench.step(&first, Made::new("statistics", ArtifactKind::STATISTICS, "s")).await;
    bench.succeed(&first).await;
    let second = bench.running("taxi").await;
    bench.reuse(&second, &artifact, &[]).await;
    assert_eq!(collect(bench, second.run, &[&artifact]).await, [], "a run that goes on is not collected");
    bench.succeed(&second).await;

    let user =
        async |besides: &[RunId]| bench.store.user(&artifact.id, &besides.iter().copied().collect()).await.unwrap();
    assert_eq!(user(&[]).await, Some(second.run));
    assert_eq!((user(&[second.run]).await, user(&[first.run, second.run]).await), (Some(first.run), None));
    let gone = collect(bench, second.run, &[&artifact]).await;
    assert_eq!(gone, [Collected { run: second.run, logs: 0, artifacts: Vec::new() }], "the first holds on to it");
    assert_eq!((user(&[]).await, user(&[first.run]).await), (Some(first.run), None));
    let gone = collect(bench, first.run, &[&artifact]).await;
    assert_eq!(gone, [Collected { run: first.run, logs: 0, artifacts: vec![artifact.id] }]);
    assert_eq!((collect(bench, first.run, &[&artifact]).await, user(&[]).await), (Vec::new(), None));

    let entries = bench.store.audit_entries(0, u32::MAX).await.unwrap();
    audit::verify((0, audit::genesis()), &entries).unwrap();
    let told = entries.iter().filter(|entry| entry.fact.action == "run.collected");
    let told: Vec<_> = told.map(|entry| (entry.fact.subject.clone(), entry.fact.actor.clone())).collect();
    let by = |run: RunId| (run.to_string(), Actor::local("ada"));
    assert_eq!(told, [by(second.run), by(first.run)]);
}

pub async fn an_artifact_that_was_taken_up_again_stays(bench: &Bench) {
    let first = bench.running("taxi").await;
    let artifact = bench.step(&first, Made::new("statistics", ArtifactKind::STATISTICS, "s")).await;
    bench.succeed(&first).await;
    // Whoever decided that it may go did not see this run.
    let second = bench.running("taxi").await;
    bench.step(&second, made("schema", ArtifactKind::SCHEMA, "c", &[&artifact])).await;
    assert_eq!(collect(bench, first.run, &[&artifact]).await[0].artifacts, []);
    assert_eq!(bench.store.standing(&artifact.digest, &HashSet::new()).await.unwrap(), Standing::Held);
}

pub async fn what_was_collected_is_no_history(bench: &Bench) {
    let mut days = Vec::new();
    for day in ["day 1", "day 2"] {
        let claim = bench.running("taxi").await;
        let examples = Made { span: Some(day), ..Made::new("ingest", ArtifactKind::EXAMPLES, day) };
        days.push((claim.run, bench.step(&claim, examples).await));
        bench.succeed(&claim).await;
    }
    let asking = bench.running("taxi").await;
    let resolve = async |resolver: &str| {
        let query = HistoryQuery {
            pipeline: "taxi".to_string(),
            resolver: resolver.parse::<Resolver>().unwrap(),
            step: "asking".to_string(),
            own_inputs: Digest::of(b"own"),
            own_digests: Vec::new(),
            run: asking.run,
        };
        bench.store.resolve(&query).await.unwrap()
    };
    let [(_, first), (run, second)] = &days[..] else { panic!("two days") };
    let cached = async |day: &str| bench.store.cached_execution(&Digest::of(day.as_bytes())).await.unwrap();
    assert_eq!(resolve("previous examples").await, [second.clone()]);
    assert!(cached("day 2").await.is_some());
    collect(bench, *run, &[second]).await;
    assert_eq!(resolve("previous examples").await, [first.clone()]);
    assert_eq!(resolve("last 2 spans").await, [first.clone()]);
    assert!(cached("day 2").await.is_none() && cached("day 1").await.is_some());
}

pub async fn what_was_collected_can_not_be_recorded_again(bench: &Bench) {
    let first = bench.running("taxi").await;
    let artifact = bench.step(&first, Made::new("statistics", ArtifactKind::STATISTICS, "s")).await;
    bench.succeed(&first).await;
    collect(bench, first.run, &[&artifact]).await;
    let second = bench.running("taxi").await;
    let before = bench.actions().await;
    // Found a moment before it was collected: as an input, or as a result to use again.
    let mut reads = bench.execution(&second, "taxi", "schema", "c", "c");
    reads.inputs = BTreeMap::from([("statistics".to_string(), vec![artifact.id])]);
    let mut reuses = bench.execution(&second, "taxi", "statistics", "s", "s");
    reuses.state = ExecutionState::Cached {
        from: artifact.execution.unwrap(),
        from_run: first.run,
        result: bench.result(Verdict::Pass, &[artifact.clone()]),
    };
    for refused in
        [bench.store.begin_execution(&second, &reads).await, bench.store.publish_execution(&second, &reuses, &[]).await]
    {
        assert!(matches!(refused, Err(StoreError::NotFound { what: ARTIFACT, .. })), "{refused:?}");
    }
    assert_eq!(bench.store.executions(&second.run).await.unwrap(), []);
    assert_eq!(bench.actions().await, before);
    bench.step(&second, Made::new("statistics", ArtifactKind::STATISTICS, "s")).await;
}

pub async fn bytes_are_given_up_with_the_last_artifact_that_has_them(bench: &Bench) {
    let standing = async |besides: &[&Artifact]| {
        bench.store.standing(&Digest::of(b"s"), &ids(besides.iter().copied())).await.unwrap()
    };
    assert_eq!(standing(&[]).await, Standing::Unknown);
    let mut twins = Vec::new();
    for _ in 0..2 {
        let claim = bench.running("taxi").await;
        twins.push((claim.run, bench.step(&claim, Made::new("statistics", ArtifactKind::STATISTICS, "s")).await));
        bench.succeed(&claim).await;
    }
    let [(first_run, first), (second_run, second)] = &twins[..] else { panic!("two runs") };
    let given = Standing::Given { newest: second.created_at };
    assert_eq!((standing(&[]).await, standing(&[first]).await), (Standing::Held, Standing::Held));
    assert_eq!(standing(&[first, second]).await, given);
    collect(bench, *second_run, &[second]).await;
    assert_eq!((standing(&[]).await, standing(&[first]).await), (Standing::Held, given));
    collect(bench, *first_run, &[first]).await;
    assert_eq!(standing(&[]).await, given);
}

pub async fn of_two_who_collect_a_run_one_does(bench: &Bench) {
    let mut runs = Vec::new();
    for number in 0..8 {
        let claim = bench.running("taxi").await;
        let content = number.to_string();
        let artifact = bench.step(&claim, Made::new("statistics", ArtifactKind::STATISTICS, &content)).await;
        bench.succeed(&claim).await;
        runs.push(Collecting { run: claim.run, artifacts: vec![artifact.id] });
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (store, runs, at) = (bench.store.clone(), runs.clone(), bench.now());
        tasks.spawn(async move { store.collect(&runs, &Bench::person("ada"), at).await.unwrap() });
    }
    let collected = tasks.join_all().await.concat();
    assert_eq!((collected.len(), collected.iter().flat_map(|gone| &gone.artifacts).count()), (8, 8));
}
