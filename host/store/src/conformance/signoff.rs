//! Requests and decisions.

use super::bench::{Bench, LEASE};
use countersign_model::decision::{DecisionKind, RequestState};
use countersign_model::digest::Digest;
use countersign_model::policy::Standing;
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::StoreError;
use countersign_ports::notifier::Message;
use std::collections::BTreeMap;

async fn state(bench: &Bench, request: &countersign_model::decision::SignoffRequest) -> RequestState {
    bench.store.request(&request.id).await.unwrap().expect("the request is there").state
}

pub async fn a_request_waits_and_an_approval_queues_the_run(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let request = bench.request(claim.run, "taxi", "m", 1);
    let message = Message::SignoffRequested { request: request.id, evidence: request.evidence_digest };
    let notice = bench.notice(claim.run, message);
    bench.store.open_request(&claim, &request, std::slice::from_ref(&notice)).await.unwrap();
    assert_eq!(bench.store.request(&request.id).await.unwrap(), Some(request.clone()));
    assert_eq!(bench.run(&claim.run).await.state, RunState::Waiting { request: request.id });
    assert_eq!(bench.store.due_notices(10).await.unwrap(), [notice.clone()]);
    bench.clock.advance(LEASE * 1000);
    assert_eq!(bench.claim().await, None, "waiting costs one row and no lease");
    assert!(matches!(bench.store.heartbeat(&claim, LEASE).await, Err(StoreError::LostClaim { .. })));

    let decision = bench.decision(&request, DecisionKind::Approve, "ada");
    let told = bench.notice(claim.run, Message::DecisionRecorded { decision: decision.clone() });
    let recorded = bench.store.record_decision(&decision, std::slice::from_ref(&told)).await.unwrap();
    assert_eq!((recorded.decision, recorded.standing), (decision.clone(), Standing::Approved));
    assert_eq!(recorded.request.state, RequestState::Approved);
    assert_eq!(state(bench, &request).await, RequestState::Approved);
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), [decision]);
    assert_eq!(bench.store.due_notices(10).await.unwrap(), [notice, told]);
    let again = bench.claim().await.unwrap();
    assert_eq!((again.run, again.epoch), (claim.run, 2));
}

pub async fn a_quorum_needs_everybody(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let request = bench.request(claim.run, "taxi", "m", 2);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    let missing = |count| Standing::Open { held: false, missing: BTreeMap::from([("owner".to_string(), count)]) };
    for (name, standing) in [("ada", missing(1)), ("ada", missing(1)), ("grace", Standing::Approved)] {
        assert_eq!(bench.status(&claim.run).await, "waiting");
        let decision = bench.decision(&request, DecisionKind::Approve, name);
        assert_eq!(bench.store.record_decision(&decision, &[]).await.unwrap().standing, standing);
    }
    assert_eq!(bench.status(&claim.run).await, "queued");
}

pub async fn a_rejection_closes_and_a_hold_does_not(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let hold = bench.decision(&request, DecisionKind::Hold, "ada");
    let held = bench.store.record_decision(&hold, &[]).await.unwrap();
    assert!(matches!(held.standing, Standing::Open { held: true, .. }));
    assert_eq!((held.request.state, bench.status(&request.run).await), (RequestState::Open, "waiting"));
    let reject = bench.decision(&request, DecisionKind::Reject, "grace");
    let rejected = bench.store.record_decision(&reject, &[]).await.unwrap();
    assert_eq!((rejected.standing, rejected.request.state), (Standing::Rejected, RequestState::Rejected));
    assert_eq!(bench.status(&request.run).await, "queued");
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), [hold, reject]);
}

pub async fn a_late_decision_is_recorded_without_effect(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let reject = bench.decision(&request, DecisionKind::Reject, "ada");
    bench.store.record_decision(&reject, &[]).await.unwrap();
    let claim = bench.claim().await.unwrap();
    let mut late = bench.decision(&request, DecisionKind::Approve, "grace");
    let notice = bench.notice(request.run, Message::DecisionRecorded { decision: late.clone() });
    let recorded = bench.store.record_decision(&late, &[notice]).await.unwrap();
    late.late = true;
    assert_eq!((recorded.decision, recorded.standing), (late.clone(), Standing::Rejected));
    assert_eq!(recorded.request.state, RequestState::Rejected);
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), [reject, late.clone()]);
    assert_eq!(bench.status(&request.run).await, "running");
    bench.store.heartbeat(&claim, LEASE).await.unwrap();
    let told = bench.store.due_notices(10).await.unwrap();
    assert_eq!(told[0].message, Message::DecisionRecorded { decision: late }, "the message says that it was late");
}

pub async fn a_decision_on_other_evidence_is_refused(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let mut decision = bench.decision(&request, DecisionKind::Approve, "ada");
    decision.evidence_digest = Digest::of(b"what was shown yesterday");
    let entries = bench.actions().await.len();
    let notice = bench.notice(request.run, Message::DecisionRecorded { decision: decision.clone() });
    let refused = bench.store.record_decision(&decision, &[notice]).await;
    assert!(matches!(refused, Err(StoreError::OtherEvidence { .. })), "{refused:?}");
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), []);
    assert_eq!(bench.store.due_notices(10).await.unwrap(), []);
    assert_eq!((bench.actions().await.len(), state(bench, &request).await), (entries, RequestState::Open));
    let unknown = bench.request(request.run, "taxi", "other", 1);
    let nowhere = bench.decision(&unknown, DecisionKind::Approve, "ada");
    let refused = bench.store.record_decision(&nowhere, &[]).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "request", .. })), "{refused:?}");
}

pub async fn the_same_decision_twice_is_one(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let decision = bench.decision(&request, DecisionKind::Approve, "ada");
    let first = bench.store.record_decision(&decision, &[]).await.unwrap();
    let entries = bench.actions().await.len();
    let notice = bench.notice(request.run, Message::DecisionRecorded { decision: decision.clone() });
    let second = bench.store.record_decision(&decision, &[notice]).await.unwrap();
    assert_eq!(first, second, "not late: it is the one that closed the request");
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), [decision]);
    assert_eq!(bench.store.due_notices(10).await.unwrap(), []);
    assert_eq!(bench.actions().await.len(), entries);
}

pub async fn of_two_decisions_at_once_one_closes_the_request(bench: &Bench) {
    for _ in 0..8 {
        let request = bench.waiting("taxi", "m").await;
        let mut tasks = tokio::task::JoinSet::new();
        for (kind, name) in [(DecisionKind::Approve, "ada"), (DecisionKind::Reject, "grace")] {
            let (store, decision) = (bench.store.clone(), bench.decision(&request, kind, name));
            tasks.spawn(async move { store.record_decision(&decision, &[]).await.unwrap() });
        }
        let recorded = tasks.join_all().await;
        let on_time: Vec<_> = recorded.iter().filter(|recorded| !recorded.decision.late).collect();
        assert_eq!(on_time.len(), 1);
        let expected = match on_time[0].decision.kind {
            DecisionKind::Approve => RequestState::Approved,
            DecisionKind::Reject => RequestState::Rejected,
            DecisionKind::Hold | DecisionKind::Override => unreachable!("not decided here"),
        };
        assert_eq!(state(bench, &request).await, expected);
        assert_eq!(bench.store.decisions(&request.id).await.unwrap().len(), 2);
        let claim = bench.claim().await.unwrap();
        bench.succeed(&claim).await;
    }
}

pub async fn a_newer_candidate_supersedes_the_older(bench: &Bench) {
    let older = bench.waiting("taxi", "m1").await;
    let elsewhere = bench.waiting("penguins", "m1").await;
    let claim = bench.running("taxi").await;
    let mut newer = bench.request(claim.run, "taxi", "m2", 1);
    let mut other_gate = bench.request(claim.run, "taxi", "m2", 1);
    other_gate.gate = "canary".to_string();
    newer.posted_at = bench.tick();
    bench.store.open_request(&claim, &newer, &[]).await.unwrap();

    let by = claim.run;
    assert_eq!(state(bench, &older).await, RequestState::Superseded { by });
    let run = bench.run(&older.run).await;
    assert_eq!((run.state, run.ended_at), (RunState::Ended { end: RunEnd::Superseded { by } }, Some(newer.posted_at)));
    assert_eq!(state(bench, &elsewhere).await, RequestState::Open);
    assert_eq!(state(bench, &newer).await, RequestState::Open);
    let mut all = bench.store.requests(None, None).await.unwrap();
    all.retain(|request| request.state == RequestState::Open);
    assert_eq!(all, [newer.clone(), elsewhere]);
    // A click on the stale message.
    let stale = bench.decision(&older, DecisionKind::Approve, "ada");
    let recorded = bench.store.record_decision(&stale, &[]).await.unwrap();
    assert!(recorded.decision.late);
    assert_eq!(state(bench, &older).await, RequestState::Superseded { by });
    // Another gate supersedes nothing.
    let claim = bench.approve(&newer).await;
    bench.store.open_request(&claim, &other_gate, &[]).await.unwrap();
    assert_eq!(state(bench, &newer).await, RequestState::Approved);
    let actions = bench.actions().await;
    assert!(actions.contains(&"request.superseded".to_string()) && actions.contains(&"run.superseded".to_string()));
}

pub async fn requests_close_without_a_person_but_never_in_favour(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let other = bench.queue("penguins").await;
    let never =
        [RequestState::Open, RequestState::Approved, RequestState::Rejected, RequestState::Superseded { by: other }];
    for state in never {
        let refused = bench.store.close_request(&request.id, &state, bench.tick(), &[]).await;
        assert!(matches!(refused, Err(StoreError::Transition(_))), "{refused:?}");
    }
    assert_eq!(state(bench, &request).await, RequestState::Open);
    bench.store.close_request(&request.id, &RequestState::Expired, bench.tick(), &[]).await.unwrap();
    assert_eq!((state(bench, &request).await, bench.status(&request.run).await), (RequestState::Expired, "queued"));
    let refused = bench.store.close_request(&request.id, &RequestState::Cancelled, bench.tick(), &[]).await;
    assert!(matches!(refused, Err(StoreError::Transition(_))), "{refused:?}");
    // A click after expiry.
    let late = bench.decision(&request, DecisionKind::Approve, "ada");
    assert!(bench.store.record_decision(&late, &[]).await.unwrap().decision.late);
    assert_eq!(state(bench, &request).await, RequestState::Expired);
}

pub async fn a_permit_refused_at_push_leaves_the_run_to_its_worker(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let claim = bench.approve(&request).await;
    let void = RequestState::Void { reason: "another model went live".to_string() };
    bench.store.close_request(&request.id, &void, bench.tick(), &[]).await.unwrap();
    assert_eq!((state(bench, &request).await, bench.status(&claim.run).await), (void, "running"));
    // The worker asks again, with fresh evidence.
    let fresh = bench.request(claim.run, "taxi", "m", 1);
    bench.store.open_request(&claim, &fresh, &[]).await.unwrap();
    assert_eq!(bench.run(&claim.run).await.state, RunState::Waiting { request: fresh.id });
    let claim = bench.approve(&fresh).await;
    bench.succeed(&claim).await;
}

pub async fn requests_are_listed_by_run_and_model(bench: &Bench) {
    let first = bench.waiting("taxi", "m1").await;
    let mut second = bench.waiting("penguins", "m2").await;
    let claim = bench.approve(&second).await;
    second.state = RequestState::Approved;
    let third = bench.request(claim.run, "penguins", "m2", 1);
    bench.store.open_request(&claim, &third, &[]).await.unwrap();
    let list = async |run, model| bench.store.requests(run, model).await.unwrap();
    let (run, model) = (Some(&second.run), Some(&second.model_digest));
    assert_eq!(list(None, None).await, [third.clone(), second.clone(), first.clone()]);
    assert_eq!(list(run, None).await, [third.clone(), second.clone()]);
    assert_eq!(list(None, model).await, [third, second.clone()]);
    assert_eq!(list(run, Some(&first.model_digest)).await, []);
}

pub async fn what_waits_is_listed_longest_waiting_first_in_pages(bench: &Bench) {
    let mut posted = Vec::new();
    for pipeline in ["taxi", "penguins", "irises", "digits"] {
        bench.tick();
        posted.push(bench.waiting(pipeline, pipeline).await);
    }
    let closed = posted.remove(1);
    bench.store.close_request(&closed.id, &RequestState::Expired, bench.tick(), &[]).await.unwrap();
    posted.sort_by_key(|request| (request.posted_at, request.id));
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = bench.store.waiting(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.posted_at, last.id));
        listed.extend(page);
    }
    assert_eq!(listed.len(), posted.len());
    for (waiting, request) in listed.iter().zip(&posted) {
        let shown = (waiting.id, waiting.run, &waiting.pipeline, &waiting.gate, &waiting.policy);
        assert_eq!(shown, (request.id, request.run, &request.pipeline, &request.gate, &request.policy));
        let shown = (waiting.evidence_digest, waiting.model_digest, waiting.verdict, waiting.posted_at);
        assert_eq!(shown, (request.evidence_digest, request.model_digest, request.verdict, request.posted_at));
    }
}
