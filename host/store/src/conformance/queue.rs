//! Who is next: priorities, turns between pipelines, places, and pipelines that are paused.

use super::bench::{Bench, LEASE};
use countersign_model::digest::Digest;
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::{Overlap, Trigger, WhilePaused};
use serde_json::json;
use std::collections::BTreeMap;

pub async fn the_highest_priority_is_claimed_first(bench: &Bench) {
    let with = |priority| Trigger { priority, ..Trigger::default() };
    for (pipeline, priority) in [("low", -5), ("usual", 0), ("high", 7)] {
        bench.define(pipeline, with(priority)).await;
    }
    let low = bench.queue("low").await;
    let usual = bench.queue("usual").await;
    let first = bench.queue("high").await;
    // The priority is the run's own: it is that of the definition under which it was accepted.
    bench.define("high", with(9)).await;
    let second = bench.queue("high").await;
    for expected in [second, usual, low] {
        let claim = bench.claim().await.unwrap();
        assert_eq!((claim.run, bench.run(&claim.run).await.priority), (expected, bench.run(&expected).await.priority));
        if expected != second {
            bench.succeed(&claim).await;
        }
    }
    assert_eq!(bench.claim().await, None, "the place of the pipeline `high` is taken");
    assert_eq!((bench.status(&first).await, bench.run(&first).await.priority), ("queued", 7));
}

pub async fn pipelines_of_equal_priority_take_turns(bench: &Bench) {
    for _ in 0..6 {
        bench.queue("long").await;
    }
    for _ in 0..2 {
        bench.queue("short").await;
    }
    bench.queue("other").await;
    let mut turns = Vec::new();
    while let Some(claim) = bench.claim().await {
        turns.push(bench.run(&claim.run).await.pipeline);
        bench.tick();
        bench.succeed(&claim).await;
    }
    let expected = ["long", "short", "other", "long", "short", "long", "long", "long", "long"];
    assert_eq!(turns, expected);
}

pub async fn a_pipeline_that_allows_several_runs_no_more_at_once(bench: &Bench) {
    bench.define("taxi", Trigger { overlap: Overlap::Allow(3), ..Trigger::default() }).await;
    for _ in 0..12 {
        bench.queue("taxi").await;
        bench.queue("penguins").await;
    }
    for _ in 0..3 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let (store, worker) = (bench.store.clone(), bench.worker());
            tasks.spawn(async move { store.claim_run(&worker, None, LEASE).await.unwrap() });
        }
        let claims: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let mut running: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for claim in claims {
            running.entry(bench.run(&claim.run).await.pipeline).or_default().push(claim);
        }
        let running_of = |pipeline: &str| running.get(pipeline).map_or(0, Vec::len);
        assert_eq!((running_of("taxi"), running_of("penguins")), (3, 1));
        assert_eq!(bench.claim().await, None);
        // Places become free one by one, and are taken again one by one.
        let taxi = running.remove("taxi").unwrap();
        bench.succeed(&taxi[1]).await;
        let again = bench.claim().await;
        assert_eq!(bench.claim().await, None);
        for claim in again.iter().chain([&taxi[0], &taxi[2]]).chain(&running["penguins"]) {
            bench.succeed(claim).await;
        }
    }
}

pub async fn fewer_places_than_before_hold_new_runs_back(bench: &Bench) {
    bench.define("taxi", Trigger { overlap: Overlap::Allow(3), ..Trigger::default() }).await;
    for _ in 0..5 {
        bench.queue("taxi").await;
    }
    let claims = [bench.claim().await.unwrap(), bench.claim().await.unwrap(), bench.claim().await.unwrap()];
    bench.define("taxi", Trigger::default()).await;
    for claim in &claims {
        assert_eq!(bench.claim().await, None, "as many as may run, run");
        bench.succeed(claim).await;
    }
    bench.claim().await.unwrap();
    assert_eq!(bench.claim().await, None);
    let last = bench.in_status("queued").await[0];
    assert_eq!(bench.store.claim_run(&bench.worker(), Some(&last), LEASE).await.unwrap(), None);
    bench.define("taxi", Trigger { overlap: Overlap::Allow(2), ..Trigger::default() }).await;
    assert_eq!(bench.claim().await.unwrap().run, last);
}

pub async fn a_paused_pipeline_holds_its_queue(bench: &Bench) {
    assert!(bench.pause("taxi").await);
    let (outcome, held) = bench.propose("taxi").await;
    assert_eq!(outcome, EventOutcome::Run { run: held.id }, "none is dropped");
    let next = bench.queue("taxi").await;
    assert_eq!(bench.claim().await, None);
    let penguins = bench.queue("penguins").await;
    assert_eq!(bench.claim().await.unwrap().run, penguins);
    // A person may ask for one of them.
    let asked = bench.store.claim_run(&bench.worker(), Some(&next), LEASE).await.unwrap().unwrap();
    assert_eq!(asked.run, next);
    bench.succeed(&asked).await;
    assert_eq!(bench.claim().await, None);
    assert!(bench.unpause("taxi").await);
    assert_eq!(bench.claim().await.unwrap().run, held.id);
}

pub async fn a_paused_pipeline_that_skips_records_why(bench: &Bench) {
    bench.define("taxi", Trigger { while_paused: WhilePaused::Skip, ..Trigger::default() }).await;
    bench.pause("taxi").await;
    let (outcome, _) = bench.propose("taxi").await;
    assert!(matches!(&outcome, EventOutcome::Skipped { reason } if reason.starts_with("paused: ")), "{outcome:?}");
    assert_eq!(bench.store.events(Some("taxi"), 10).await.unwrap()[0].1, outcome);
    bench.unpause("taxi").await;
    assert!(matches!(bench.propose("taxi").await.0, EventOutcome::Run { .. }));
}

pub async fn a_run_that_was_claimed_before_goes_on_in_a_paused_pipeline(bench: &Bench) {
    let waiting = bench.waiting("taxi", "m").await;
    let claim = bench.running("taxi").await;
    let held = bench.queue("taxi").await;
    bench.pause("taxi").await;
    // Given back by a daemon that stops.
    bench.store.release_run(&claim).await.unwrap();
    let again = bench.claim().await.unwrap();
    assert_eq!((again.run, again.epoch), (claim.run, 2));
    // Left by one that died.
    bench.clock.advance(LEASE);
    let third = bench.claim().await.unwrap();
    assert_eq!((third.run, third.epoch), (claim.run, 3));
    bench.succeed(&third).await;
    // Decided, behind one that is held.
    let decision = bench.decision(&waiting, countersign_model::decision::DecisionKind::Approve, "ada");
    bench.store.record_decision(&decision, &[]).await.unwrap();
    let resumed = bench.claim().await.unwrap();
    assert_eq!(resumed.run, waiting.run);
    bench.succeed(&resumed).await;
    assert_eq!(bench.claim().await, None);
    assert_eq!(bench.status(&held).await, "queued");
}

pub async fn pausing_is_recorded_once_with_who_and_when(bench: &Bench) {
    assert_eq!(bench.store.paused().await.unwrap(), []);
    assert!(bench.pause("taxi").await);
    let first = bench.store.paused().await.unwrap();
    assert_eq!((first.len(), first[0].at, &first[0].by), (1, bench.now(), &Bench::person("ada")));
    assert!(!bench.pause("taxi").await, "it is paused already");
    assert_eq!(bench.store.paused().await.unwrap(), first);
    bench.pause("mnist").await;
    let names: Vec<_> = bench.store.paused().await.unwrap().into_iter().map(|paused| paused.pipeline).collect();
    assert_eq!(names, ["mnist", "taxi"]);
    assert!(bench.unpause("taxi").await);
    assert!(!bench.unpause("taxi").await, "it goes on already");
    let entries = bench.store.audit_entries(0, 10).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.fact.action.as_str(), entry.fact.subject.as_str())).collect();
    assert_eq!(told, [("pipeline.paused", "taxi"), ("pipeline.paused", "mnist"), ("pipeline.unpaused", "taxi")]);
    assert_eq!(entries[0].fact.detail, json!({ "reason": Digest::of(first[0].reason.as_bytes()) }), "as a digest only");
}
