//! What is due at requests that wait.

use super::bench::Bench;
use countersign_model::deadline::{Due, Progress};
use countersign_model::decision::{DecisionKind, RequestState, SignoffRequest};
use countersign_model::id::RequestId;
use countersign_model::policy::{Escalation, Expiry, ExpiryAction};
use countersign_ports::StoreError;
use countersign_ports::notifier::Message;
use std::time::Duration;

/// A run that waits at a gate that reminds every so many seconds, if at all.
async fn waiting(bench: &Bench, pipeline: &str, remind_seconds: Option<u64>) -> SignoffRequest {
    let claim = bench.running(pipeline).await;
    let mut request = bench.request(claim.run, pipeline, "m", 1);
    request.policy.remind_seconds = remind_seconds;
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    request
}

async fn due(bench: &Bench, limit: u32) -> Vec<RequestId> {
    let due = bench.store.due_requests(bench.now(), limit).await.unwrap();
    due.iter().map(|request| request.id).collect()
}

async fn read(bench: &Bench, request: &SignoffRequest) -> SignoffRequest {
    bench.store.request(&request.id).await.unwrap().expect("the request is there")
}

pub async fn the_longest_due_comes_first(bench: &Bench) {
    let slow = waiting(bench, "slow", Some(600)).await;
    let fast = waiting(bench, "fast", Some(60)).await;
    let faster = waiting(bench, "faster", Some(30)).await;
    waiting(bench, "patient", None).await;
    assert_eq!(due(bench, 10).await, []);
    bench.clock.advance(Duration::from_secs(40));
    assert_eq!(due(bench, 10).await, [faster.id]);
    bench.clock.advance(Duration::from_secs(1000));
    assert_eq!(due(bench, 10).await, [faster.id, fast.id, slow.id]);
    assert_eq!(due(bench, 2).await, [faster.id, fast.id]);
    assert_eq!(bench.store.due_requests(bench.now(), 1).await.unwrap(), [faster]);
}

pub async fn each_thing_falls_due_once_and_is_audited(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let mut request = bench.request(claim.run, "taxi", "m", 1);
    request.policy.remind_seconds = Some(600);
    request.policy.escalate = Some(Escalation { after_seconds: 900, to: "@ml-leads".to_string() });
    request.policy.expire = Some(Expiry { after_seconds: 1000, then: ExpiryAction::Hold });
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    let mut seen = Vec::new();
    for wait in [600, 300, 100, 200] {
        bench.clock.advance(Duration::from_secs(wait));
        let [now_due] = &bench.store.due_requests(bench.now(), 10).await.unwrap()[..] else {
            panic!("one thing is due after {wait} seconds");
        };
        let (_, what) = now_due.next_due().expect("it is due");
        seen.push(what);
        let to = now_due.progress_after(what, bench.now());
        let notice = bench.notice(request.run, Message::Reminder { request: request.id });
        let notices = std::slice::from_ref(&notice);
        let moved = bench.store.advance_request(&request.id, &now_due.progress, &to, bench.now(), notices).await;
        assert!(moved.unwrap());
        assert_eq!(due(bench, 10).await, [], "done is done");
        assert!(bench.store.due_notices(10).await.unwrap().contains(&notice));
        assert_eq!(read(bench, &request).await, SignoffRequest { progress: to, ..request.clone() });
    }
    assert_eq!(seen, [Due::Remind, Due::Escalate, Due::Overdue, Due::Remind]);
    let actions = bench.actions().await;
    let expected = ["request.reminded", "request.escalated", "request.overdue", "request.reminded"];
    assert_eq!(actions[actions.len() - 4..], expected);
    let entry = bench.store.audit_entries(0, 100).await.unwrap().pop().expect("there are entries");
    assert_eq!((entry.fact.subject, entry.fact.actor.is_person()), (request.id.to_string(), false));
    // Overdue is not closed: a person still decides.
    let decision = bench.decision(&request, DecisionKind::Approve, "ada");
    let recorded = bench.store.record_decision(&decision, &[]).await.unwrap();
    assert_eq!((recorded.decision.late, recorded.request.state), (false, RequestState::Approved));
}

pub async fn of_two_who_advance_a_request_one_does(bench: &Bench) {
    let request = waiting(bench, "taxi", Some(60)).await;
    bench.clock.advance(Duration::from_secs(60));
    let (from, to) = (request.progress, request.progress_after(Due::Remind, bench.now()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, id, at) = (bench.store.clone(), request.id, bench.now());
        let notice = bench.notice(request.run, Message::Reminder { request: id });
        tasks.spawn(async move { store.advance_request(&id, &from, &to, at, &[notice]).await.unwrap() });
    }
    let moved = tasks.join_all().await;
    assert_eq!(moved.iter().filter(|moved| **moved).count(), 1);
    assert_eq!(bench.store.due_notices(10).await.unwrap().len(), 1, "one reminder");
    assert_eq!(bench.actions().await.iter().filter(|action| *action == "request.reminded").count(), 1);
    let unknown = bench.request(request.run, "taxi", "other", 1);
    let refused = bench.store.advance_request(&unknown.id, &from, &to, bench.now(), &[]).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "request", .. })), "{refused:?}");
}

pub async fn a_closed_request_is_never_due(bench: &Bench) {
    let mut closed = Vec::new();
    for pipeline in ["approved", "rejected", "expired", "cancelled", "superseded"] {
        closed.push(waiting(bench, pipeline, Some(60)).await);
    }
    for (request, kind) in [(&closed[0], DecisionKind::Approve), (&closed[1], DecisionKind::Reject)] {
        bench.store.record_decision(&bench.decision(request, kind, "ada"), &[]).await.unwrap();
    }
    let notice = bench.notice(closed[2].run, Message::RequestChanged { request: closed[2].id });
    let notices = std::slice::from_ref(&notice);
    bench.store.close_request(&closed[2].id, &RequestState::Expired, bench.tick(), notices).await.unwrap();
    assert_eq!(bench.store.due_notices(10).await.unwrap(), [notice]);
    bench.store.cancel_run(&closed[3].run, &Bench::person("ada"), bench.tick(), &[]).await.unwrap();
    let newer = waiting(bench, "superseded", Some(6000)).await;
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(due(bench, 10).await, []);
    let to = Progress { reminded: 1, ..Progress::default() };
    let before = bench.actions().await.len();
    for request in &closed {
        let notice = bench.notice(request.run, Message::Reminder { request: request.id });
        let moved = bench.store.advance_request(&request.id, &request.progress, &to, bench.now(), &[notice]).await;
        assert!(!moved.unwrap(), "{} is closed", request.pipeline);
        assert_eq!(read(bench, request).await.progress, Progress::default());
    }
    assert_eq!(bench.actions().await.len(), before);
    assert_eq!(bench.store.due_notices(10).await.unwrap().len(), 1, "nobody was reminded");
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(due(bench, 10).await, [newer.id]);
}
