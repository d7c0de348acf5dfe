//! Executions, artifacts and lineage.

use super::bench::{Bench, LEASE};
use super::facts::Made;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::digest::Digest;
use countersign_model::execution::{ExecutionState, LogLine, StepError};
use countersign_model::finding::{Finding, Severity, Verdict};
use countersign_model::id::{ArtifactId, ExecutionId};
use countersign_model::lineage::Direction;
use countersign_model::run::RunEnd;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::ArtifactFilter;
use std::collections::BTreeMap;

pub async fn an_execution_reads_back_whole(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let delivery = bench.delivery(&claim, "taxi", "rows").await;
    let mut execution = bench.execution(&claim, "taxi", "ingest", "rows", "k");
    execution.inputs.insert("delivery".to_string(), vec![delivery.id, delivery.id]);
    bench.store.begin_execution(&claim, &execution).await.unwrap();
    assert_eq!(bench.store.execution(&execution.id).await.unwrap(), Some(execution.clone()));

    let output = bench.output(&execution, "examples", ArtifactKind::EXAMPLES, "parquet");
    let mut result = bench.result(Verdict::NeedsPerson, std::slice::from_ref(&output));
    result.findings.push(Finding {
        kind: "drift".to_string(),
        severity: Severity::Ask,
        subject: "fare".to_string(),
        message: "fare drifted".to_string(),
        expected: Some("7.85".to_string()),
        seen: Some("16.9".to_string()),
        previous: None,
        rows: vec![38, 112],
    });
    execution.state = ExecutionState::Succeeded { result };
    let log = [LogLine {
        level: "info".to_string(),
        message: "read".to_string(),
        fields: BTreeMap::from([("rows".to_string(), "15002".to_string())]),
    }];
    bench.store.publish_execution(&claim, &execution, &log).await.unwrap();
    assert_eq!(bench.store.execution(&execution.id).await.unwrap(), Some(execution.clone()));
    assert_eq!(bench.store.execution_log(&execution.id).await.unwrap(), log);
    assert_eq!(bench.store.artifact(&output.id).await.unwrap(), Some(output));
    let second = bench.execution(&claim, "taxi", "statistics", "x", "x");
    bench.store.begin_execution(&claim, &second).await.unwrap();
    assert_eq!(bench.store.executions(&claim.run).await.unwrap(), [execution, second.clone()]);
    assert_eq!(bench.store.execution_log(&second.id).await.unwrap(), []);
}

fn failed(bench: &Bench) -> ExecutionState {
    let error = StepError {
        code: "limit.memory".to_string(),
        message: "needs more than 1024 MiB".to_string(),
        detail: String::new(),
        transient: false,
    };
    ExecutionState::Failed { error, ended_at: bench.tick() }
}

pub async fn a_failed_execution_leaves_no_artifact(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let mut begun = bench.execution(&claim, "taxi", "train", "x", "x");
    bench.store.begin_execution(&claim, &begun).await.unwrap();
    begun.state = failed(bench);
    bench.store.publish_execution(&claim, &begun, &[]).await.unwrap();
    // One that failed before it began: its driver found an input spoilt.
    let mut never_begun = bench.execution(&claim, "taxi", "evaluate", "x", "x");
    never_begun.state = failed(bench);
    bench.store.publish_execution(&claim, &never_begun, &[]).await.unwrap();
    assert_eq!(bench.store.executions(&claim.run).await.unwrap(), [begun, never_begun]);
    assert_eq!(bench.store.artifacts(&ArtifactFilter::default()).await.unwrap(), []);
}

pub async fn nothing_is_published_twice_or_while_it_runs(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let mut execution = bench.execution(&claim, "taxi", "train", "x", "x");
    bench.store.begin_execution(&claim, &execution).await.unwrap();
    let transition = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Transition(_))), "{result:?}");
    };
    transition(bench.store.publish_execution(&claim, &execution, &[]).await);
    transition(bench.store.begin_execution(&claim, &execution).await);
    let output = bench.output(&execution, "model", ArtifactKind::MODEL, "m");
    execution.state = ExecutionState::Succeeded { result: bench.result(Verdict::Pass, &[output]) };
    bench.store.publish_execution(&claim, &execution, &[]).await.unwrap();
    let published = execution.clone();
    execution.state = failed(bench);
    transition(bench.store.publish_execution(&claim, &execution, &[]).await);
    assert_eq!(bench.store.execution(&execution.id).await.unwrap(), Some(published));
}

pub async fn a_write_that_fails_changes_nothing(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let entries = bench.actions().await.len();
    let unknown = bench.execution(&claim, "taxi", "ingest", "x", "x");
    let nowhere = bench.output(&unknown, "out", ArtifactKind::MODEL, "never recorded");
    // An input that was never recorded.
    let mut execution = bench.execution(&claim, "taxi", "train", "x", "x");
    execution.inputs.insert("base".to_string(), vec![nowhere.id]);
    bench.store.begin_execution(&claim, &execution).await.unwrap_err();
    assert_eq!(bench.store.execution(&execution.id).await.unwrap(), None);
    // A cache hit on an artifact that was never recorded.
    let mut hit = bench.execution(&claim, "taxi", "train", "x", "x");
    let result = bench.result(Verdict::Pass, &[nowhere]);
    hit.state = ExecutionState::Cached { from: unknown.id, from_run: claim.run, result };
    bench.store.publish_execution(&claim, &hit, &[]).await.unwrap_err();
    assert_eq!(bench.store.execution(&hit.id).await.unwrap(), None);
    assert_eq!(bench.actions().await.len(), entries);
}

pub async fn the_cache_knows_successes_only_and_the_newest(bench: &Bench) {
    let key = Digest::of(b"statistics of day 1");
    let made = Made::new("statistics", ArtifactKind::STATISTICS, "statistics of day 1");
    assert_eq!(bench.store.cached_execution(&key).await.unwrap(), None);
    let claim = bench.running("taxi").await;
    let mut running = bench.execution(&claim, "taxi", "statistics", "x", "statistics of day 1");
    bench.store.begin_execution(&claim, &running).await.unwrap();
    assert_eq!(bench.store.cached_execution(&key).await.unwrap(), None);
    running.state = failed(bench);
    bench.store.publish_execution(&claim, &running, &[]).await.unwrap();
    assert_eq!(bench.store.cached_execution(&key).await.unwrap(), None);

    let first = bench.step(&claim, made).await;
    let second = bench.step(&claim, made).await;
    let mut cached = bench.execution(&claim, "taxi", "statistics", "x", "statistics of day 1");
    let result = bench.result(Verdict::Pass, std::slice::from_ref(&first));
    cached.state = ExecutionState::Cached { from: first.execution.unwrap(), from_run: first.run, result };
    bench.store.publish_execution(&claim, &cached, &[]).await.unwrap();
    let hit = bench.store.cached_execution(&key).await.unwrap().unwrap();
    assert_eq!(Some(hit.id), second.execution);
    assert_eq!(hit.state.result().unwrap().outputs["out"], second);
    assert_eq!(bench.store.cached_execution(&Digest::of(b"other")).await.unwrap(), None);
}

pub async fn the_previous_execution_is_that_of_an_earlier_run(bench: &Bench) {
    let made = |content| Made::new("train", ArtifactKind::MODEL, content);
    let first = bench.running("taxi").await;
    bench.step(&first, made("1")).await;
    let newest_of_first = bench.step(&first, made("2")).await;
    bench.succeed(&first).await;
    let second = bench.running("taxi").await;
    let mut begun = bench.execution(&second, "taxi", "train", "x", "x");
    bench.store.begin_execution(&second, &begun).await.unwrap();
    let previous = async |step: &str| bench.store.previous_execution("taxi", step, &second.run).await.unwrap();
    assert_eq!(previous("train").await.map(|execution| execution.id), newest_of_first.execution);
    assert_eq!(previous("evaluate").await, None);
    assert_eq!(bench.store.previous_execution("penguins", "train", &second.run).await.unwrap(), None);
    assert_eq!(bench.store.previous_execution("taxi", "train", &first.run).await.unwrap(), None);
    // Of three runs the newest earlier one counts, its failure too; an execution that never ended does not.
    begun.state = failed(bench);
    bench.store.publish_execution(&second, &begun, &[]).await.unwrap();
    bench.store.begin_execution(&second, &bench.execution(&second, "taxi", "train", "x", "x")).await.unwrap();
    bench.succeed(&second).await;
    let third = bench.queue("taxi").await;
    let previous = bench.store.previous_execution("taxi", "train", &third).await.unwrap();
    assert_eq!(previous, Some(begun));
}

pub async fn artifacts_are_listed_by_every_filter(bench: &Bench) {
    let taxi = bench.running("taxi").await;
    let model = bench.step(&taxi, Made::new("train", ArtifactKind::MODEL, "m")).await;
    let schema = bench.step(&taxi, Made::new("schema", ArtifactKind::SCHEMA, "s")).await;
    let penguins = bench.running("penguins").await;
    let made = Made { pipeline: "penguins", ..Made::new("train", ArtifactKind::MODEL, "m") };
    let other = bench.step(&penguins, made).await;
    let list = async |filter: ArtifactFilter| bench.store.artifacts(&filter).await.unwrap();
    let all = ArtifactFilter::default();
    let of = |pipeline: &str| ArtifactFilter { pipeline: Some(pipeline.to_string()), ..ArtifactFilter::default() };
    let models = Some(ArtifactKind::MODEL.into());
    assert_eq!(list(all.clone()).await, [other.clone(), schema.clone(), model.clone()]);
    assert_eq!(list(ArtifactFilter { limit: 1, ..all.clone() }).await, [other.clone()]);
    assert_eq!(list(of("taxi")).await, [schema.clone(), model.clone()]);
    assert_eq!(list(ArtifactFilter { kind: models.clone(), ..all.clone() }).await, [other.clone(), model.clone()]);
    assert_eq!(list(ArtifactFilter { kind: models.clone(), ..of("taxi") }).await, [model.clone()]);
    let same_bytes = ArtifactFilter { digest: Some(model.digest), ..all.clone() };
    assert_eq!(list(same_bytes.clone()).await, [other.clone(), model.clone()]);
    assert_eq!(list(ArtifactFilter { run: Some(taxi.run), ..same_bytes }).await, [model.clone()]);
    let of_run = ArtifactFilter { run: Some(taxi.run), ..all };
    assert_eq!(list(of_run.clone()).await, [schema.clone(), model.clone()]);
    assert_eq!(list(ArtifactFilter { kind: Some(ArtifactKind::SCHEMA.into()), ..of_run.clone() }).await, [schema]);
    assert_eq!(list(ArtifactFilter { pipeline: Some("penguins".to_string()), ..of_run }).await, []);
}

async fn lineage(bench: &Bench, artifact: &Artifact, direction: Direction, limit: u32) -> Vec<ArtifactId> {
    let lineage = bench.store.lineage(&artifact.id, direction, limit).await.unwrap();
    lineage.artifacts.iter().map(|artifact| artifact.id).collect()
}

pub async fn lineage_goes_both_ways(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let delivery = bench.delivery(&claim, "taxi", "rows").await;
    let examples =
        bench.step(&claim, Made { inputs: &[&delivery], ..Made::new("ingest", ArtifactKind::EXAMPLES, "e") }).await;
    let statistics = bench
        .step(&claim, Made { inputs: &[&examples], ..Made::new("statistics", ArtifactKind::STATISTICS, "s") })
        .await;
    let inputs = [&examples, &statistics];
    let model = bench.step(&claim, Made { inputs: &inputs, ..Made::new("train", ArtifactKind::MODEL, "m") }).await;
    bench.step(&claim, Made::new("elsewhere", ArtifactKind::SCHEMA, "unrelated")).await;

    assert_eq!(
        lineage(bench, &model, Direction::Upstream, 100).await,
        [model.id, examples.id, statistics.id, delivery.id]
    );
    assert_eq!(
        lineage(bench, &delivery, Direction::Downstream, 100).await,
        [delivery.id, examples.id, statistics.id, model.id]
    );
    assert_eq!(lineage(bench, &delivery, Direction::Upstream, 100).await, [delivery.id]);
    assert_eq!(lineage(bench, &model, Direction::Downstream, 100).await, [model.id]);

    let graph = bench.store.lineage(&model.id, Direction::Upstream, 100).await.unwrap();
    let steps: Vec<&str> = graph.executions.iter().map(|execution| execution.step.as_str()).collect();
    assert_eq!(steps, ["ingest", "statistics", "train"]);
    assert_eq!(graph.executions[2].component, "train 0.1.0");
    let edges = |output| graph.edges.iter().filter(|edge| edge.output == output).count();
    assert_eq!((edges(true), edges(false)), (3, 4));
    let into_training = graph.edges.iter().find(|edge| edge.artifact == statistics.id && !edge.output).unwrap();
    assert_eq!((Some(into_training.execution), into_training.port.as_str()), (model.execution, "in"));
    let down = bench.store.lineage(&delivery.id, Direction::Downstream, 100).await.unwrap();
    assert_eq!((down.executions, down.edges), (graph.executions, graph.edges));

    let unknown = bench.output(&bench.execution(&claim, "taxi", "x", "x", "x"), "out", "X", "x");
    let refused = bench.store.lineage(&unknown.id, Direction::Upstream, 10).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "artifact", .. })), "{refused:?}");
}

pub async fn lineage_folds_cached_executions_and_keeps_the_nearest(bench: &Bench) {
    let first = bench.running("taxi").await;
    let day_1 = bench.delivery(&first, "taxi", "rows").await;
    let examples =
        bench.step(&first, Made { inputs: &[&day_1], ..Made::new("ingest", ArtifactKind::EXAMPLES, "e") }).await;
    let model = bench.step(&first, Made { inputs: &[&examples], ..Made::new("train", ArtifactKind::MODEL, "m") }).await;
    bench.succeed(&first).await;
    let mut again = Vec::new();
    for _ in 0..3 {
        let claim = bench.running("taxi").await;
        let delivery = bench.delivery(&claim, "taxi", "rows").await;
        bench.reuse(&claim, &examples, &[&delivery]).await;
        bench.reuse(&claim, &model, &[&examples]).await;
        bench.succeed(&claim).await;
        again.push(delivery);
    }
    let graph = bench.store.lineage(&examples.id, Direction::Downstream, 100).await.unwrap();
    let executions: Vec<Option<ExecutionId>> = graph.executions.iter().map(|execution| Some(execution.id)).collect();
    assert_eq!(executions, [model.execution], "three reuses are not three more makers");
    // What came of a delivery is found although every step after it came from the cache.
    assert_eq!(lineage(bench, &again[2], Direction::Downstream, 100).await, [again[2].id, examples.id, model.id]);
    // What went into the model is what its maker read.
    assert_eq!(lineage(bench, &model, Direction::Upstream, 100).await, [model.id, examples.id, day_1.id]);
    assert_eq!(lineage(bench, &model, Direction::Upstream, 2).await, [model.id, examples.id]);
    assert_eq!(lineage(bench, &day_1, Direction::Downstream, 1).await, [day_1.id]);
}

pub async fn a_claim_covers_its_own_run_only(bench: &Bench) {
    let taxi = bench.running("taxi").await;
    let penguins = bench.running("penguins").await;
    let foreign = bench.execution(&penguins, "penguins", "train", "x", "x");
    let refused = bench.store.begin_execution(&taxi, &foreign).await;
    assert!(matches!(refused, Err(StoreError::LostClaim { run }) if run == penguins.run), "{refused:?}");
    let request = bench.request(penguins.run, "penguins", "m", 1);
    assert!(bench.store.open_request(&taxi, &request, &[]).await.is_err());
    assert!(bench.store.begin_push(&taxi, &bench.push(&request, "t")).await.is_err());
    bench.store.heartbeat(&penguins, LEASE).await.unwrap();
    bench.store.end_run(&penguins, &RunEnd::Expired, bench.now(), &[]).await.unwrap();
}
