//! Pushes, and the audit log over everything.

use super::bench::{Bench, LEASE};
use super::facts::Made;
use countersign_model::admission::Admission;
use countersign_model::artifact::ArtifactKind;
use countersign_model::audit;
use countersign_model::pipeline::{Overlap, WhilePaused};
use countersign_model::push::Push;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Proposal, PushStart};
use countersign_ports::notifier::Message;

pub async fn a_model_is_pushed_once_a_target(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let claim = bench.approve(&request).await;
    let push = bench.push(&request, "models/taxi");
    assert_eq!(bench.store.begin_push(&claim, &push).await.unwrap(), PushStart::Go(push.clone()));
    assert_eq!(bench.store.pushes(None, 10).await.unwrap(), [], "begun is not there");
    let at = bench.tick();
    let done = Push { completed_at: Some(at), ..push.clone() };
    let notice = bench.notice(claim.run, Message::Pushed { push: done.clone() });
    bench.store.complete_push(&claim, &done, std::slice::from_ref(&notice)).await.unwrap();
    assert_eq!(bench.store.pushes(None, 10).await.unwrap(), [done.clone()]);
    assert_eq!(bench.store.due_notices(10).await.unwrap(), [notice]);
    // Completing again, as after a lost answer, changes nothing.
    bench.store.complete_push(&claim, &Push { completed_at: Some(bench.tick()), ..push.clone() }, &[]).await.unwrap();
    assert_eq!(bench.store.pushes(Some("taxi"), 10).await.unwrap(), [done.clone()]);
    assert_eq!(bench.store.pushes(Some("penguins"), 10).await.unwrap(), []);
    let again = bench.push(&request, "models/taxi");
    assert_eq!(bench.store.begin_push(&claim, &again).await.unwrap(), PushStart::AlreadyThere(done.clone()));
    // Another target is another push.
    let elsewhere = bench.push(&request, "models/backup");
    assert_eq!(bench.store.begin_push(&claim, &elsewhere).await.unwrap(), PushStart::Go(elsewhere.clone()));
    bench.tick();
    bench.store.complete_push(&claim, &elsewhere, &[]).await.unwrap();
    let pushes = bench.store.pushes(None, 10).await.unwrap();
    assert_eq!((pushes[0].id, pushes[1].id), (elsewhere.id, done.id));
    assert_eq!(pushes[0].completed_at, Some(bench.now()));
    assert_eq!(bench.store.pushes(None, 1).await.unwrap().len(), 1);
    let never = bench.push(&request, "models/never");
    let refused = bench.store.complete_push(&claim, &never, &[]).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "push", .. })), "{refused:?}");
}

pub async fn a_push_that_was_cut_off_is_taken_over(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let dead = bench.approve(&request).await;
    let push = bench.push(&request, "models/taxi");
    bench.store.begin_push(&dead, &push).await.unwrap();
    // Its process dies; another one claims the run.
    bench.clock.advance(LEASE);
    let claim = bench.claim().await.unwrap();
    let resumed = match bench.store.begin_push(&claim, &bench.push(&request, "models/taxi")).await.unwrap() {
        PushStart::Go(resumed) => resumed,
        PushStart::AlreadyThere(push) => panic!("{push:?} was never completed"),
    };
    assert_eq!(resumed.id, push.id);
    let fenced = bench.store.complete_push(&dead, &push, &[]).await;
    assert!(matches!(fenced, Err(StoreError::LostClaim { .. })), "{fenced:?}");
    // Another pipeline with the same model for the same place takes it over; the first can no longer complete it.
    let other_request = bench.waiting("penguins", "m").await;
    let other = bench.approve(&other_request).await;
    let other_push = bench.push(&other_request, "models/taxi");
    let PushStart::Go(taken) = bench.store.begin_push(&other, &other_push).await.unwrap() else {
        panic!("it was never completed");
    };
    assert_eq!((taken.id, taken.run, taken.request), (push.id, other.run, other_request.id));
    let lost = bench.store.complete_push(&claim, &resumed, &[]).await;
    assert!(matches!(lost, Err(StoreError::LostClaim { .. })), "{lost:?}");
    bench.store.complete_push(&other, &taken, &[]).await.unwrap();
    assert_eq!(bench.store.pushes(None, 10).await.unwrap().len(), 1);
}

pub async fn a_run_is_not_stopped_while_its_model_is_being_placed(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let claim = bench.approve(&request).await;
    let push = bench.push(&request, "models/taxi");
    bench.store.begin_push(&claim, &push).await.unwrap();
    let ada = Bench::person("ada");
    let refused = bench.store.cancel_run(&claim.run, &ada, bench.now(), &[]).await;
    assert!(matches!(refused, Err(StoreError::Transition(_))), "{refused:?}");
    let (event, run) = bench.event("taxi").await;
    let replace = Admission { overlap: Overlap::Replace, while_paused: WhilePaused::Hold, most_queued: 10 };
    bench.store.accept_event(&event, Proposal::Admit(&run, replace)).await.unwrap();
    assert_eq!(bench.status(&claim.run).await, "running", "nor is it replaced");
    // Its worker is gone: whoever is asked may stop it.
    bench.clock.advance(LEASE);
    bench.store.cancel_run(&claim.run, &ada, bench.now(), &[]).await.unwrap();
    assert_eq!(bench.status(&claim.run).await, "cancelled");
}

pub async fn what_was_live_then_is_found(bench: &Bench) {
    let mut pushes = Vec::new();
    for model in ["m1", "m2"] {
        let request = bench.waiting("taxi", model).await;
        let claim = bench.approve(&request).await;
        let push = bench.push(&request, "models/taxi");
        bench.store.begin_push(&claim, &push).await.unwrap();
        let done = Push { completed_at: Some(bench.tick()), ..push };
        bench.store.complete_push(&claim, &done, &[]).await.unwrap();
        bench.succeed(&claim).await;
        pushes.push(done);
        bench.clock.advance(LEASE);
    }
    let begun = bench.waiting("taxi", "m3").await;
    let claim = bench.approve(&begun).await;
    bench.store.begin_push(&claim, &bench.push(&begun, "models/taxi")).await.unwrap();
    let at = async |instant| bench.store.live_at("taxi", instant).await.unwrap();
    let completed = |push: &Push| push.completed_at.expect("it is completed");
    let just_before = |push: &Push| Timestamp::from_micros(completed(push).as_micros() - 1);
    assert_eq!(at(just_before(&pushes[0])).await, None);
    assert_eq!(at(completed(&pushes[0])).await.as_ref(), Some(&pushes[0]));
    assert_eq!(at(just_before(&pushes[1])).await.as_ref(), Some(&pushes[0]));
    assert_eq!(at(completed(&pushes[1])).await.as_ref(), Some(&pushes[1]));
    assert_eq!(at(bench.now()).await.as_ref(), Some(&pushes[1]), "what was only begun is not live");
    assert_eq!(bench.store.live_at("penguins", bench.now()).await.unwrap(), None);
}

pub async fn every_state_change_is_audited_and_the_chain_holds(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let delivery = bench.delivery(&claim, "taxi", "rows").await;
    bench.step(&claim, Made { inputs: &[&delivery], ..Made::new("train", ArtifactKind::MODEL, "m") }).await;
    let request = bench.request(claim.run, "taxi", "m", 1);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    let claim = bench.approve(&request).await;
    let push = bench.push(&request, "models/taxi");
    bench.store.begin_push(&claim, &push).await.unwrap();
    bench.store.complete_push(&claim, &push, &[]).await.unwrap();
    bench.store.heartbeat(&claim, LEASE).await.unwrap();
    bench.succeed(&claim).await;

    let expected = [
        "pipeline.registered",
        "event.accepted",
        "run.claimed",
        "delivery.recorded",
        "execution.begun",
        "execution.published",
        "request.opened",
        "decision.recorded",
        "request.approved",
        "run.resumed",
        "run.claimed",
        "push.begun",
        "push.completed",
        "run.ended",
    ];
    assert_eq!(bench.actions().await, expected);
    let entries = bench.store.audit_entries(0, 100).await.unwrap();
    let (last, _) = audit::verify((0, audit::genesis()), &entries).unwrap();
    assert_eq!(last, 14);
    let page = bench.store.audit_entries(5, 3).await.unwrap();
    assert_eq!(page, entries[5..8]);
    let decided = &entries[7].fact;
    assert_eq!(decided.actor, Bench::person("ada"));
    assert_eq!(decided.detail["evidence"], serde_json::json!(request.evidence_digest));
    assert_eq!(decided.detail["kind"], "approve");
    assert_eq!(decided.detail["roles"], serde_json::json!(["owner"]));
    let published = &entries[5].fact;
    assert_eq!(published.detail["outputs"]["out"], serde_json::json!(request.model_digest));
    assert!(published.actor.as_str().starts_with("system:wrk_") && !published.actor.is_person());
    let pushed = &entries[12].fact;
    assert_eq!(pushed.detail["conditions"], serde_json::json!(push.conditions));
    assert_eq!((&pushed.detail["target"], &pushed.subject), (&serde_json::json!("models/taxi"), &push.id.to_string()));
}
