//! Resolvers.

use super::bench::Bench;
use super::facts::Made;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::decision::RequestState;
use countersign_model::digest::Digest;
use countersign_model::finding::Verdict;
use countersign_model::resolver::Resolver;
use countersign_model::run::{Claim, RunEnd};
use countersign_ports::metadata_store::HistoryQuery;

fn ask(claim: &Claim, resolver: &str) -> HistoryQuery {
    HistoryQuery {
        pipeline: "taxi".to_string(),
        resolver: resolver.parse::<Resolver>().unwrap(),
        step: "asking".to_string(),
        own_inputs: Digest::of(b"own"),
        own_digests: Vec::new(),
        run: claim.run,
    }
}

async fn resolve(bench: &Bench, query: &HistoryQuery) -> Vec<Artifact> {
    bench.store.resolve(query).await.unwrap()
}

fn statistics(content: &str) -> Made<'_> {
    Made::new("statistics", ArtifactKind::STATISTICS, content)
}

pub async fn previous_is_the_newest_from_a_sound_run(bench: &Bench) {
    let first = bench.running("taxi").await;
    let good = bench.step(&first, statistics("day 1")).await;
    bench.succeed(&first).await;
    // A check failed, and the run was blocked for it.
    let blocked = bench.running("taxi").await;
    bench.step(&blocked, statistics("day 2")).await;
    let failing = Made { verdict: Verdict::Fail, ..Made::new("validate", ArtifactKind::ANOMALIES, "a") };
    bench.step(&blocked, failing).await;
    let end = RunEnd::Blocked { step: "validate".to_string(), reasons: Vec::new() };
    bench.store.end_run(&blocked, &end, bench.now(), &[]).await.unwrap();
    // A check failed, and somebody cancelled before anything else.
    let cancelled = bench.running("taxi").await;
    bench.step(&cancelled, statistics("day 3")).await;
    bench.step(&cancelled, Made { content: "b", ..failing }).await;
    bench.store.cancel_run(&cancelled.run, &Bench::person("ada"), bench.tick(), &[]).await.unwrap();
    // No check failed, but the run did.
    let failed = bench.running("taxi").await;
    bench.step(&failed, statistics("day 4")).await;
    let end = RunEnd::Failed { step: "train".to_string(), message: "trap".to_string() };
    bench.store.end_run(&failed, &end, bench.now(), &[]).await.unwrap();

    let asking = bench.running("taxi").await;
    bench.step(&asking, statistics("day 5")).await;
    assert_eq!(resolve(bench, &ask(&asking, "previous statistics")).await, [good.clone()]);
    assert_eq!(resolve(bench, &ask(&asking, "previous schema")).await, []);
    // A person said no to the model, not to the data; and a run that still waits has sound data too.
    let end = RunEnd::Rejected { by: Bench::person("ada"), reason: "not better".to_string() };
    bench.store.end_run(&asking, &end, bench.now(), &[]).await.unwrap();
    let next = bench.running("taxi").await;
    let found = resolve(bench, &ask(&next, "previous statistics")).await;
    assert_eq!(found[0].digest, Digest::of(b"day 5"));
}

pub async fn previous_skips_the_steps_own_inputs(bench: &Bench) {
    let first = bench.running("taxi").await;
    let day_1 = bench.step(&first, statistics("day 1")).await;
    bench.succeed(&first).await;
    let second = bench.running("taxi").await;
    let day_2 = bench.step(&second, statistics("day 2")).await;
    bench.succeed(&second).await;
    // The third run has day 2 again; its first results are not its past.
    let third = bench.running("taxi").await;
    bench.step(&third, statistics("day 2")).await;
    let mut query = ask(&third, "previous statistics");
    query.own_digests = vec![Digest::of(b"something else"), day_2.digest];
    assert_eq!(resolve(bench, &query).await, [day_1.clone()]);
    query.own_digests.push(day_1.digest);
    assert_eq!(resolve(bench, &query).await, []);
}

pub async fn previous_skips_what_the_step_made_from_the_same_inputs(bench: &Bench) {
    let schema = |content, own| Made { own, ..Made::new("schema", ArtifactKind::SCHEMA, content) };
    let first = bench.running("taxi").await;
    let inferred = bench.step(&first, schema("schema 1", "statistics 1")).await;
    bench.succeed(&first).await;
    let asks = |claim: &Claim, own: &str| HistoryQuery {
        step: "schema".to_string(),
        own_inputs: Digest::of(own.as_bytes()),
        ..ask(claim, "previous schema")
    };
    // Unchanged data: the step must not find its own first result, or it would never come from the cache.
    let second = bench.running("taxi").await;
    assert_eq!(resolve(bench, &asks(&second, "statistics 1")).await, []);
    // New data: it does find it, and passes it on.
    assert_eq!(resolve(bench, &asks(&second, "statistics 2")).await, [inferred.clone()]);
    let passed_on = bench.step(&second, schema("schema 1, passed on", "statistics 2")).await;
    bench.succeed(&second).await;
    // The new data again: its own result is skipped, the one before it is not.
    let third = bench.running("taxi").await;
    assert_eq!(resolve(bench, &asks(&third, "statistics 2")).await, [inferred]);
    // Another step has no such past.
    let other = HistoryQuery { step: "validate".to_string(), ..asks(&third, "statistics 2") };
    assert_eq!(resolve(bench, &other).await, [passed_on]);
}

pub async fn what_a_sound_run_reused_is_history_although_its_maker_failed(bench: &Bench) {
    let first = bench.running("taxi").await;
    let made = bench.step(&first, Made { span: Some("day 1"), ..statistics("day 1") }).await;
    let examples = bench.step(&first, Made { span: Some("day 1"), ..Made::new("ingest", "Examples", "e") }).await;
    let end = RunEnd::Failed { step: "train".to_string(), message: "out of memory".to_string() };
    bench.store.end_run(&first, &end, bench.now(), &[]).await.unwrap();
    let second = bench.running("taxi").await;
    assert_eq!(resolve(bench, &ask(&second, "previous statistics")).await, []);
    assert_eq!(resolve(bench, &ask(&second, "last 3 spans")).await, []);
    bench.reuse(&second, &made, &[]).await;
    bench.reuse(&second, &examples, &[]).await;
    assert_eq!(resolve(bench, &ask(&second, "previous statistics")).await, [], "this run is not its own past");
    assert_eq!(resolve(bench, &ask(&second, "last 3 spans")).await, [examples]);
    bench.succeed(&second).await;
    let third = bench.running("taxi").await;
    assert_eq!(resolve(bench, &ask(&third, "previous statistics")).await, [made]);
}

pub async fn previous_delivery_and_other_pipelines(bench: &Bench) {
    let penguins = bench.running("penguins").await;
    let made = Made { pipeline: "penguins", ..statistics("penguins") };
    bench.step(&penguins, made).await;
    bench.delivery(&penguins, "penguins", "penguins").await;
    bench.succeed(&penguins).await;
    let first = bench.running("taxi").await;
    let delivery = bench.delivery(&first, "taxi", "day 1").await;
    assert_eq!(resolve(bench, &ask(&first, "previous delivery")).await, []);
    assert_eq!(resolve(bench, &ask(&first, "previous statistics")).await, []);
    bench.succeed(&first).await;
    let second = bench.running("taxi").await;
    bench.delivery(&second, "taxi", "day 2").await;
    assert_eq!(resolve(bench, &ask(&second, "previous delivery")).await, [delivery]);
    let end = RunEnd::Blocked { step: "validate".to_string(), reasons: Vec::new() };
    bench.store.end_run(&second, &end, bench.now(), &[]).await.unwrap();
    let third = bench.running("taxi").await;
    let found = resolve(bench, &ask(&third, "previous delivery")).await;
    assert_eq!(found[0].digest, Digest::of(b"day 1"), "a blocked run's delivery is no history");
}

/// A run that trains `content` and waits at its gate.
async fn candidate(bench: &Bench, content: &str, own: &str) -> (Artifact, countersign_model::decision::SignoffRequest) {
    let claim = bench.running("taxi").await;
    let model = bench.step(&claim, Made { own, ..Made::new("train", ArtifactKind::MODEL, content) }).await;
    let request = bench.request(claim.run, "taxi", content, 1);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    (model, request)
}

pub async fn the_latest_approved_model_follows_approvals(bench: &Bench) {
    let latest = "latest approved model";
    let (first, first_request) = candidate(bench, "m1", "examples 1").await;
    let claim = bench.approve(&first_request).await;
    assert_eq!(resolve(bench, &ask(&claim, latest)).await, [], "a run's own approval is not its past");
    bench.succeed(&claim).await;
    let (second, second_request) = candidate(bench, "m2", "examples 2").await;
    let asking = bench.running("taxi").await;
    assert_eq!(resolve(bench, &ask(&asking, latest)).await, [first.clone()]);
    bench.store.release_run(&asking).await.unwrap();

    let claim = bench.approve(&second_request).await;
    bench.succeed(&claim).await;
    let asking = bench.store.claim_run(&bench.worker(), Some(&asking.run), super::bench::LEASE).await.unwrap().unwrap();
    assert_eq!(resolve(bench, &ask(&asking, latest)).await, [second.clone()]);
    // Both skip rules fall back on the older one.
    let same_inputs =
        HistoryQuery { step: "train".to_string(), own_inputs: Digest::of(b"examples 2"), ..ask(&asking, latest) };
    assert_eq!(resolve(bench, &same_inputs).await, [first.clone()]);
    let own = HistoryQuery { own_digests: vec![second.digest], ..ask(&asking, latest) };
    assert_eq!(resolve(bench, &own).await, [first.clone()]);
    let both = HistoryQuery { own_digests: vec![first.digest], ..same_inputs };
    assert_eq!(resolve(bench, &both).await, []);
    let elsewhere = HistoryQuery { pipeline: "penguins".to_string(), ..ask(&asking, latest) };
    assert_eq!(resolve(bench, &elsewhere).await, []);
    // A permit was refused since: that approval is void.
    let void = RequestState::Void { reason: "the world changed".to_string() };
    bench.store.close_request(&second_request.id, &void, bench.tick(), &[]).await.unwrap();
    assert_eq!(resolve(bench, &ask(&asking, latest)).await, [first]);
}

pub async fn the_latest_pushed_model_follows_pushes(bench: &Bench) {
    let latest = "latest pushed model";
    let mut models = Vec::new();
    for (content, own) in [("m1", "examples 1"), ("m2", "examples 2")] {
        let (model, request) = candidate(bench, content, own).await;
        let claim = bench.approve(&request).await;
        let push = bench.push(&request, "models/taxi");
        bench.store.begin_push(&claim, &push).await.unwrap();
        let expected: Vec<Artifact> = models.last().cloned().into_iter().collect();
        assert_eq!(resolve(bench, &ask(&claim, latest)).await, expected, "one that was only begun is not live");
        bench.tick();
        bench.store.complete_push(&claim, &push, &[]).await.unwrap();
        assert_eq!(resolve(bench, &ask(&claim, latest)).await, expected, "a run's own push is not its past");
        bench.succeed(&claim).await;
        models.push(model);
    }
    let asking = bench.running("taxi").await;
    assert_eq!(resolve(bench, &ask(&asking, latest)).await, [models[1].clone()]);
    let same_inputs =
        HistoryQuery { step: "train".to_string(), own_inputs: Digest::of(b"examples 2"), ..ask(&asking, latest) };
    assert_eq!(resolve(bench, &same_inputs).await, [models[0].clone()]);
    let own = HistoryQuery { own_digests: vec![models[1].digest], ..ask(&asking, latest) };
    assert_eq!(resolve(bench, &own).await, [models[0].clone()]);
}

pub async fn the_last_spans_include_the_asking_run(bench: &Bench) {
    let examples = |content, span| Made { span: Some(span), ..Made::new("ingest", ArtifactKind::EXAMPLES, content) };
    let mut days = Vec::new();
    // Day 2 was delivered twice, and out of order: the newest of each span counts, and spans order by name.
    for (content, span) in [("2", "2026-11-02"), ("1", "2026-11-01"), ("2 again", "2026-11-02")] {
        let claim = bench.running("taxi").await;
        days.push(bench.step(&claim, examples(content, span)).await);
        bench.succeed(&claim).await;
    }
    let blocked = bench.running("taxi").await;
    bench.step(&blocked, examples("3", "2026-11-03")).await;
    let end = RunEnd::Blocked { step: "validate".to_string(), reasons: Vec::new() };
    bench.store.end_run(&blocked, &end, bench.now(), &[]).await.unwrap();
    let asking = bench.running("taxi").await;
    let own = bench.step(&asking, examples("4", "2026-11-04")).await;
    bench.step(&asking, Made::new("ingest", ArtifactKind::EXAMPLES, "without a span")).await;

    assert_eq!(resolve(bench, &ask(&asking, "last 1 spans")).await, [own.clone()]);
    assert_eq!(resolve(bench, &ask(&asking, "last 2 spans")).await, [own.clone(), days[2].clone()]);
    let all = [own, days[2].clone(), days[1].clone()];
    assert_eq!(resolve(bench, &ask(&asking, "last 7 spans")).await, all);
}
