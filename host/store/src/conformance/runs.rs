//! Definitions, events and the queue.

use super::bench::{Bench, LEASE};
use countersign_model::digest::Digest;
use countersign_model::event::EventOutcome;
use countersign_model::id::RunId;
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Delivery, Proposal, RunFilter};
use countersign_ports::notifier::Message;
use std::collections::BTreeSet;
use std::time::Duration;

pub async fn definitions_are_registered_once_and_the_last_is_in_force(bench: &Bench) {
    let (first, second) = (bench.definition("taxi", "a"), bench.definition("taxi", "b"));
    let other = bench.definition("penguins", "a");
    let ada = Bench::person("ada");
    for version in [&first, &first, &second, &other] {
        bench.store.register_pipeline(version, &ada).await.unwrap();
    }
    assert_eq!(bench.store.pipelines().await.unwrap(), [other.clone(), second.clone()]);
    assert_eq!(bench.store.pipeline_version(&first.digest).await.unwrap(), Some(first.clone()));
    assert_eq!(bench.store.pipeline_version(&Digest::of(b"none")).await.unwrap(), None);
    // Somebody puts the old file back: it is in force again.
    bench.store.register_pipeline(&first, &ada).await.unwrap();
    assert_eq!(bench.store.pipelines().await.unwrap(), [other, first]);
    assert_eq!(bench.actions().await, ["pipeline.registered"; 4]);
}

pub async fn an_event_ends_in_one_run_and_a_second_like_it_is_counted(bench: &Bench) {
    let (event, run) = bench.event("taxi").await;
    assert_eq!(bench.store.accept_event(&event, Proposal::Run(&run)).await.unwrap(), EventOutcome::Run { run: run.id });
    assert_eq!(bench.run(&run.id).await, run);
    let (mut twin, twin_run) = bench.event("taxi").await;
    twin.dedupe_key.clone_from(&event.dedupe_key);
    for outcome in [Proposal::Run(&twin_run), Proposal::Skip("another is running")] {
        let seen = bench.store.accept_event(&twin, outcome).await.unwrap();
        assert_eq!(seen, EventOutcome::SeenAgain { run: Some(run.id) });
    }
    // The very same call again, as after a lost answer.
    let again = bench.store.accept_event(&event, Proposal::Run(&run)).await.unwrap();
    assert_eq!(again, EventOutcome::SeenAgain { run: Some(run.id) });
    assert_eq!(bench.store.run(&twin_run.id).await.unwrap(), None);
    let events = bench.store.events(Some("taxi"), 10).await.unwrap();
    assert_eq!(events, [(event, EventOutcome::Run { run: run.id })]);
    assert_eq!(bench.actions().await.iter().filter(|action| *action == "event.accepted").count(), 1);
}

pub async fn a_skipped_event_is_recorded_with_its_reason(bench: &Bench) {
    let (event, run) = bench.event("taxi").await;
    let outcome = bench.store.accept_event(&event, Proposal::Skip("another is running")).await.unwrap();
    assert_eq!(outcome, EventOutcome::Skipped { reason: "another is running".to_string() });
    assert_eq!(bench.store.events(None, 10).await.unwrap(), [(event.clone(), outcome)]);
    assert_eq!(bench.store.events(Some("penguins"), 10).await.unwrap(), []);
    let again = bench.store.accept_event(&event, Proposal::Run(&run)).await.unwrap();
    assert_eq!(again, EventOutcome::SeenAgain { run: None });
    assert_eq!(bench.store.run(&run.id).await.unwrap(), None);
}

pub async fn an_event_can_not_start_a_run_of_an_unknown_definition(bench: &Bench) {
    let (event, mut run) = bench.event("taxi").await;
    run.pipeline_digest = Digest::of(b"unknown");
    let refused = bench.store.accept_event(&event, Proposal::Run(&run)).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "pipeline version", .. })), "{refused:?}");
    run.state = RunState::Running;
    assert!(matches!(bench.store.accept_event(&event, Proposal::Run(&run)).await, Err(StoreError::Transition(_))));
    assert_eq!(bench.store.events(None, 10).await.unwrap(), [], "the refused event left nothing behind");
}

pub async fn of_many_equal_events_at_once_one_starts_a_run(bench: &Bench) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (mut event, run) = bench.event("taxi").await;
        event.dedupe_key = "trips.csv".to_string();
        let store = bench.store.clone();
        tasks.spawn(async move { store.accept_event(&event, Proposal::Run(&run)).await.unwrap() });
    }
    let outcomes = tasks.join_all().await;
    let runs = bench.store.runs(&RunFilter::default()).await.unwrap();
    assert_eq!(runs.len(), 1);
    let started = outcomes.iter().filter(|outcome| **outcome == EventOutcome::Run { run: runs[0].id }).count();
    let seen = outcomes.iter().filter(|outcome| **outcome == EventOutcome::SeenAgain { run: Some(runs[0].id) }).count();
    assert_eq!((started, seen), (1, 7));
}

pub async fn runs_are_listed_newest_first_in_pages(bench: &Bench) {
    let mut taxi: Vec<RunId> = Vec::new();
    for _ in 0..3 {
        taxi.push(bench.queue("taxi").await);
    }
    let penguins = bench.queue("penguins").await;
    let claim = bench.claim().await.unwrap();
    assert_eq!(claim.run, taxi[0]);
    let list = async |filter: RunFilter| -> Vec<RunId> {
        bench.store.runs(&filter).await.unwrap().iter().map(|run| run.id).collect()
    };
    let all = RunFilter::default();
    assert_eq!(list(all.clone()).await, [penguins, taxi[2], taxi[1], taxi[0]]);
    assert_eq!(list(RunFilter { limit: 2, ..all.clone() }).await, [penguins, taxi[2]]);
    assert_eq!(list(RunFilter { before: Some(taxi[2]), ..all.clone() }).await, [taxi[1], taxi[0]]);
    let of_taxi = RunFilter { pipeline: Some("taxi".to_string()), ..all.clone() };
    assert_eq!(list(of_taxi.clone()).await, [taxi[2], taxi[1], taxi[0]]);
    let queued = RunFilter { status: Some("queued".to_string()), ..all };
    assert_eq!(list(queued).await, [penguins, taxi[2], taxi[1]]);
    let running = RunFilter { status: Some("running".to_string()), before: Some(taxi[2]), ..of_taxi };
    assert_eq!(list(running).await, [taxi[0]]);
}

pub async fn the_oldest_queued_run_is_claimed_first(bench: &Bench) {
    assert_eq!(bench.claim().await, None);
    let (first, second) = (bench.queue("taxi").await, bench.queue("penguins").await);
    let claims = [bench.claim().await.unwrap(), bench.claim().await.unwrap()];
    assert_eq!((claims[0].run, claims[1].run), (first, second));
    assert_eq!((claims[0].epoch, bench.status(&first).await), (1, "running"));
    assert_eq!(bench.claim().await, None);
}

pub async fn a_pipeline_runs_one_run_at_a_time(bench: &Bench) {
    let (first, second) = (bench.queue("taxi").await, bench.queue("taxi").await);
    let claim = bench.claim().await.unwrap();
    assert_eq!(claim.run, first);
    assert_eq!(bench.claim().await, None);
    assert_eq!(bench.store.claim_run(&bench.worker(), Some(&second), LEASE).await.unwrap(), None);
    // A run that waits for people does not hold the others up.
    bench.store.open_request(&claim, &bench.request(first, "taxi", "m", 1), &[]).await.unwrap();
    assert_eq!(bench.claim().await.unwrap().run, second);
}

pub async fn a_long_queue_does_not_starve_another_pipeline(bench: &Bench) {
    for _ in 0..5 {
        bench.queue("taxi").await;
    }
    let penguins = bench.queue("penguins").await;
    bench.claim().await.unwrap();
    assert_eq!(bench.claim().await.unwrap().run, penguins);
}

pub async fn many_workers_at_once_never_share_a_run(bench: &Bench) {
    for index in 0..6 {
        bench.queue(&format!("pipeline-{index}")).await;
        bench.queue(&format!("pipeline-{index}")).await;
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (store, worker) = (bench.store.clone(), bench.worker());
        tasks.spawn(async move { store.claim_run(&worker, None, LEASE).await.unwrap() });
    }
    let claims: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let runs: BTreeSet<RunId> = claims.iter().map(|claim| claim.run).collect();
    assert_eq!((claims.len(), runs.len()), (6, 6));
}

pub async fn a_lease_that_ran_out_is_claimed_again_and_the_old_worker_is_fenced(bench: &Bench) {
    let old = bench.running("taxi").await;
    let waiting = bench.queue("taxi").await;
    bench.clock.advance(LEASE - Duration::from_secs(2));
    assert_eq!(bench.claim().await, None, "the lease still holds");
    bench.clock.advance(Duration::from_secs(2));
    let new = bench.claim().await.unwrap();
    assert_eq!((new.run, new.epoch), (old.run, old.epoch + 1));
    assert_eq!(bench.status(&waiting).await, "queued");

    let entries = bench.actions().await.len();
    let lost = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::LostClaim { run }) if run == old.run), "{result:?}");
    };
    let execution = bench.execution(&old, "taxi", "train", "x", "x");
    let request = bench.request(old.run, "taxi", "m", 1);
    lost(bench.store.heartbeat(&old, LEASE).await);
    lost(bench.store.release_run(&old).await);
    lost(bench.store.begin_execution(&old, &execution).await);
    lost(bench.store.open_request(&old, &request, &[]).await);
    lost(bench.store.begin_push(&old, &bench.push(&request, "models/taxi")).await.map(|_| ()));
    lost(bench.store.end_run(&old, &RunEnd::Succeeded, bench.now(), &[]).await);
    let stolen = countersign_model::run::Claim { worker: bench.worker(), ..new.clone() };
    lost(bench.store.heartbeat(&stolen, LEASE).await);
    assert_eq!(bench.actions().await.len(), entries, "what was refused left nothing behind");
    bench.succeed(&new).await;
}

pub async fn a_heartbeat_keeps_the_lease(bench: &Bench) {
    let claim = bench.running("taxi").await;
    for _ in 0..3 {
        bench.clock.advance(LEASE / 2);
        bench.store.heartbeat(&claim, LEASE).await.unwrap();
        assert_eq!(bench.claim().await, None);
    }
    bench.clock.advance(LEASE);
    // Nobody took it yet: the worker that comes back late may go on.
    bench.store.heartbeat(&claim, LEASE).await.unwrap();
    assert_eq!(bench.claim().await, None);
}

pub async fn a_released_run_keeps_its_place(bench: &Bench) {
    let first = bench.running("taxi").await;
    bench.queue("taxi").await;
    bench.store.release_run(&first).await.unwrap();
    assert_eq!(bench.status(&first.run).await, "queued");
    let again = bench.claim().await.unwrap();
    assert_eq!((again.run, again.epoch), (first.run, 2));
    assert!(matches!(bench.store.release_run(&first).await, Err(StoreError::LostClaim { .. })));
}

pub async fn one_run_can_be_claimed_by_name(bench: &Bench) {
    bench.queue("taxi").await;
    let wanted = bench.queue("penguins").await;
    let claim = bench.store.claim_run(&bench.worker(), Some(&wanted), LEASE).await.unwrap().unwrap();
    assert_eq!(claim.run, wanted);
    assert_eq!(bench.store.claim_run(&bench.worker(), Some(&wanted), LEASE).await.unwrap(), None);
    bench.clock.advance(LEASE);
    let again = bench.store.claim_run(&bench.worker(), Some(&wanted), LEASE).await.unwrap().unwrap();
    assert_eq!(again.epoch, 2);
    let (_, unknown) = bench.event("taxi").await;
    assert_eq!(bench.store.claim_run(&bench.worker(), Some(&unknown.id), LEASE).await.unwrap(), None);
}

pub async fn an_ended_run_tells_of_it_and_stays_ended(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let end = RunEnd::Blocked { step: "validation".to_string(), reasons: vec!["fare drifted".to_string()] };
    let notice = bench.notice(claim.run, Message::RunEnded { end: end.clone() });
    let at = bench.tick();
    bench.store.end_run(&claim, &end, at, std::slice::from_ref(&notice)).await.unwrap();
    let run = bench.run(&claim.run).await;
    assert_eq!((run.state, run.ended_at), (RunState::Ended { end }, Some(at)));
    assert_eq!(bench.store.due_notices(10).await.unwrap(), [notice]);
    assert!(matches!(
        bench.store.end_run(&claim, &RunEnd::Succeeded, at, &[]).await,
        Err(StoreError::LostClaim { .. })
    ));
    bench.clock.advance(LEASE * 2);
    assert_eq!(bench.claim().await, None);
}

pub async fn a_run_is_cancelled_in_every_state(bench: &Bench) {
    let ada = Bench::person("ada");
    let waiting = bench.waiting("taxi", "m").await;
    let claim = bench.running("taxi").await;
    let queued = bench.queue("taxi").await;
    for run in [&waiting.run, &claim.run, &queued] {
        let at = bench.tick();
        let notice = bench.notice(*run, Message::RunEnded { end: RunEnd::Cancelled { by: ada.clone() } });
        bench.store.cancel_run(run, &ada, at, std::slice::from_ref(&notice)).await.unwrap();
        assert_eq!(bench.store.due_notices(10).await.unwrap(), [notice.clone()]);
        bench.store.settle_notice(&notice.id, &Delivery::Done).await.unwrap();
        let run = bench.run(run).await;
        let end = RunEnd::Cancelled { by: ada.clone() };
        assert_eq!((run.state, run.ended_at), (RunState::Ended { end }, Some(at)));
    }
    assert!(matches!(bench.store.heartbeat(&claim, LEASE).await, Err(StoreError::LostClaim { .. })));
    let request = bench.store.request(&waiting.id).await.unwrap().unwrap();
    assert_eq!(request.state.status(), "cancelled");
    assert!(matches!(bench.store.cancel_run(&queued, &ada, bench.tick(), &[]).await, Err(StoreError::Transition(_))));
    let (_, unknown) = bench.event("taxi").await;
    assert!(matches!(
        bench.store.cancel_run(&unknown.id, &ada, bench.tick(), &[]).await,
        Err(StoreError::NotFound { what: "run", .. })
    ));
}
