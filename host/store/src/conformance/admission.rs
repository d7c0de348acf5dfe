//! Which events start runs, judged inside the transaction that writes what became of them.

use super::bench::Bench;
use countersign_model::admission::Admission;
use countersign_model::digest::Digest;
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::{Overlap, Trigger};
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::StoreError;
use countersign_ports::metadata_store::Proposal;
use serde_json::json;

fn overlap(overlap: Overlap) -> Trigger {
    Trigger { overlap, ..Trigger::default() }
}

fn skipped(reason: &str) -> EventOutcome {
    EventOutcome::Skipped { reason: reason.to_string() }
}

pub async fn a_known_event_is_seen_again_before_it_is_judged(bench: &Bench) {
    let rules = Admission::from(&overlap(Overlap::Replace));
    let (event, run) = bench.event("taxi").await;
    for again in [false, true, true] {
        let outcome = bench.store.accept_event(&event, Proposal::Admit(&run, rules)).await.unwrap();
        let first = EventOutcome::Run { run: run.id };
        assert_eq!(outcome, if again { EventOutcome::SeenAgain { run: Some(run.id) } } else { first });
    }
    assert_eq!(bench.status(&run.id).await, "queued", "it did not replace itself");
}

pub async fn with_overlap_skip_one_run_goes_on(bench: &Bench) {
    bench.define("taxi", overlap(Overlap::Skip)).await;
    let (outcome, first) = bench.propose("taxi").await;
    assert_eq!(outcome, EventOutcome::Run { run: first.id });
    let (outcome, second) = bench.propose("taxi").await;
    assert_eq!(outcome, skipped(&format!("overlap: {} is queued", first.id)));
    assert_eq!(bench.store.run(&second.id).await.unwrap(), None);
    let claim = bench.claim().await.unwrap();
    assert_eq!(bench.propose("taxi").await.0, skipped(&format!("overlap: {} is running", first.id)));
    assert_eq!(bench.propose("penguins").await.0, EventOutcome::Run { run: bench.in_status("queued").await[0] });
    // A run that waits for people holds nothing up.
    bench.store.open_request(&claim, &bench.request(first.id, "taxi", "m", 1), &[]).await.unwrap();
    let (outcome, next) = bench.propose("taxi").await;
    assert_eq!(outcome, EventOutcome::Run { run: next.id });
    let reasons = bench.actions().await.into_iter().filter(|action| action == "event.skipped").count();
    assert_eq!(reasons, 2);
}

/// So many events at once, each with its own key; answers what became of them.
async fn at_once(bench: &Bench, pipeline: &str, trigger: &Trigger, count: usize) -> Vec<EventOutcome> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let ((event, run), rules) = (bench.event(pipeline).await, Admission::from(trigger));
        let store = bench.store.clone();
        tasks.spawn(async move { store.accept_event(&event, Proposal::Admit(&run, rules)).await.unwrap() });
    }
    tasks.join_all().await
}

fn started(outcomes: &[EventOutcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, EventOutcome::Run { .. })).count()
}

pub async fn with_overlap_skip_exactly_one_of_many_events_at_once_starts_a_run(bench: &Bench) {
    let trigger = overlap(Overlap::Skip);
    bench.define("taxi", trigger.clone()).await;
    let outcomes = at_once(bench, "taxi", &trigger, 12).await;
    assert_eq!((started(&outcomes), bench.in_status("queued").await.len()), (1, 1));
    assert_eq!(bench.store.events(Some("taxi"), 100).await.unwrap().len(), 12, "each has its outcome");
}

pub async fn with_overlap_replace_the_newest_ends_the_others(bench: &Bench) {
    bench.define("taxi", overlap(Overlap::Replace)).await;
    let waiting = bench.waiting("taxi", "m").await;
    let claim = bench.running("taxi").await;
    let queued = [bench.queue("taxi").await, bench.queue("taxi").await];
    let other = bench.queue("penguins").await;
    let (outcome, newest) = bench.propose("taxi").await;
    assert_eq!(outcome, EventOutcome::Run { run: newest.id });
    for old in [claim.run, queued[0], queued[1]] {
        let run = bench.run(&old).await;
        let end = RunEnd::Replaced { by: newest.id };
        assert_eq!((run.state, run.ended_at), (RunState::Ended { end }, Some(bench.now())));
    }
    assert_eq!((bench.status(&waiting.run).await, bench.status(&other).await), ("waiting", "queued"));
    let late = bench.store.end_run(&claim, &RunEnd::Succeeded, bench.now(), &[]).await;
    assert!(matches!(late, Err(StoreError::LostClaim { .. })), "{late:?}");
    // Its place is free at once.
    assert_eq!(
        bench.store.claim_run(&bench.worker(), Some(&newest.id), super::bench::LEASE).await.unwrap().unwrap().epoch,
        1
    );
    let entries = bench.store.audit_entries(0, 100).await.unwrap();
    let replaced = entries.iter().filter(|entry| entry.fact.action == "run.replaced");
    let replaced: Vec<_> =
        replaced.map(|entry| (entry.fact.subject.clone(), entry.fact.detail["by"].clone())).collect();
    let expected = [claim.run, queued[0], queued[1]].map(|old| (old.to_string(), json!(newest.id)));
    assert_eq!(replaced, expected);
    let accepted = entries.iter().rfind(|entry| entry.fact.action == "event.accepted").unwrap();
    assert_eq!(accepted.fact.detail["replaced"], json!([claim.run, queued[0], queued[1]]));
}

pub async fn with_overlap_wait_the_queue_is_limited(bench: &Bench) {
    bench.define("taxi", Trigger { queue_limit: 2, ..Trigger::default() }).await;
    bench.propose("taxi").await;
    let claim = bench.claim().await.unwrap();
    for _ in 0..2 {
        assert!(matches!(bench.propose("taxi").await.0, EventOutcome::Run { .. }));
    }
    let full = skipped("queue is full: 2 runs wait, `queue_limit` is 2");
    assert_eq!(bench.propose("taxi").await.0, full);
    assert!(matches!(bench.propose("penguins").await.0, EventOutcome::Run { .. }), "the limit is the pipeline's own");
    bench.succeed(&claim).await;
    assert_eq!(bench.propose("taxi").await.0, full, "nobody claimed one yet");
    bench.claim().await.unwrap();
    bench.claim().await.unwrap();
    assert!(matches!(bench.propose("taxi").await.0, EventOutcome::Run { .. }));
}

pub async fn of_many_events_at_once_no_more_than_the_limit_are_queued(bench: &Bench) {
    let trigger = Trigger { queue_limit: 5, ..overlap(Overlap::Allow(2)) };
    bench.define("taxi", trigger.clone()).await;
    let outcomes = at_once(bench, "taxi", &trigger, 12).await;
    assert_eq!((started(&outcomes), bench.in_status("queued").await.len()), (5, 5));
}

pub async fn what_a_person_asks_for_runs_whatever_goes_on(bench: &Bench) {
    bench.define("taxi", Trigger { queue_limit: 1, ..overlap(Overlap::Skip) }).await;
    bench.pause("taxi").await;
    let runs = [bench.queue("taxi").await, bench.queue("taxi").await];
    assert_eq!(bench.in_status("queued").await, [runs[1], runs[0]]);
}

pub async fn a_refused_event_replaces_nothing(bench: &Bench) {
    let rules = Admission::from(&overlap(Overlap::Replace));
    let claim = bench.running("taxi").await;
    let (event, mut run) = bench.event("taxi").await;
    run.pipeline_digest = Digest::of(b"unknown");
    let refused = bench.store.accept_event(&event, Proposal::Admit(&run, rules)).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "pipeline version", .. })), "{refused:?}");
    bench.succeed(&claim).await;
}
