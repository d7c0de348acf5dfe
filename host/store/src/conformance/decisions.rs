//! What a decision carries, and when it counts.

use super::bench::Bench;
use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::finding::Verdict;
use countersign_model::policy::Overriding;
use countersign_ports::notifier::Message;

async fn state(bench: &Bench, request: &SignoffRequest) -> RequestState {
    bench.store.request(&request.id).await.unwrap().expect("the request is there").state
}

pub async fn requests_and_decisions_read_back_whole(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let mut request = bench.request(claim.run, "taxi", "m", 2);
    request.verdict = Verdict::Fail;
    request.progress = Progress { reminded: 3, escalated: true, overdue: false };
    request.policy.channel = Some("slack:#ml-releases".to_string());
    request.policy.remind_seconds = Some(600);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    assert_eq!(bench.store.request(&request.id).await.unwrap(), Some(request.clone()));
    let mut decision = bench.decision(&request, DecisionKind::Override, "ada");
    decision.actor = Actor::slack("T01", "U02AB");
    decision.channel = Channel::Page;
    decision.second_factor = true;
    decision.conditions =
        Conditions { canary_percent: Some(10), except_slices: ["company = Blue Ribbon".to_string()].into() };
    // What it holds is not the store's business: whoever pushes verifies it.
    decision.envelope = Some(r#"{"payload":"tampered"}"#.to_string());
    bench.store.record_decision(&decision, &[]).await.unwrap();
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), [decision.clone()]);
    let entries = bench.store.audit_entries(0, 100).await.unwrap();
    let recorded = &entries.last().expect("there are entries").fact;
    assert_eq!(recorded.action, "decision.recorded");
    assert_eq!((&recorded.detail["person"], &recorded.detail["second_factor"]), (&"ada".into(), &true.into()));
    assert_eq!(recorded.detail["conditions"], serde_json::json!(decision.conditions));
    let envelope = decision.envelope.as_ref().map(|envelope| Digest::of(envelope.as_bytes()));
    assert_eq!(recorded.detail["envelope"], serde_json::json!(envelope));
}

pub async fn one_person_with_two_accounts_counts_once(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let request = bench.request(claim.run, "taxi", "m", 2);
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    let terminal = bench.decision(&request, DecisionKind::Approve, "ada");
    let mut slack = bench.decision(&request, DecisionKind::Approve, "ada");
    slack.actor = Actor::slack("T01", "U02AB");
    for decision in [&terminal, &slack] {
        bench.store.record_decision(decision, &[]).await.unwrap();
    }
    assert_eq!(state(bench, &request).await, RequestState::Open);
    let other = bench.decision(&request, DecisionKind::Approve, "grace");
    bench.store.record_decision(&other, &[]).await.unwrap();
    assert_eq!(state(bench, &request).await, RequestState::Approved);
}

pub async fn a_failed_check_is_approved_by_overriding_only(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let mut request = bench.request(claim.run, "taxi", "m", 1);
    request.verdict = Verdict::Fail;
    let approvers = request.policy.approvers.clone();
    request.policy.overriding = Some(Overriding { approvers, on: [Channel::Page].into() });
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    let approval = bench.decision(&request, DecisionKind::Approve, "ada");
    bench.store.record_decision(&approval, &[]).await.unwrap();
    assert_eq!(state(bench, &request).await, RequestState::Open);
    let overriding = bench.decision(&request, DecisionKind::Override, "ada");
    bench.store.record_decision(&overriding, &[]).await.unwrap();
    assert_eq!(state(bench, &request).await, RequestState::Approved);
}

pub async fn a_decision_that_is_delivered_many_times_at_once_is_one(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let decision = bench.decision(&request, DecisionKind::Approve, "ada");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        // Each delivery is handled at its own moment, with a notice of its own.
        let (store, decision) = (bench.store.clone(), Decision { at: bench.tick(), ..decision.clone() });
        let notice = bench.notice(request.run, Message::DecisionRecorded { decision: decision.clone() });
        tasks.spawn(async move { store.record_decision(&decision, &[notice]).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && !answer.decision.late), "{answers:?}");
    assert_eq!(bench.store.decisions(&request.id).await.unwrap(), [answers[0].decision.clone()]);
    assert_eq!(bench.store.due_notices(10).await.unwrap().len(), 1);
    assert_eq!(bench.actions().await.iter().filter(|action| *action == "decision.recorded").count(), 1);
}

pub async fn a_gate_has_one_open_request(bench: &Bench) {
    let at = async |pipeline, gate| bench.store.open_request_of(pipeline, gate).await.unwrap();
    assert_eq!(at("taxi", "release").await, None);
    let request = bench.waiting("taxi", "m").await;
    bench.waiting("penguins", "m").await;
    assert_eq!(at("taxi", "release").await, Some(request.clone()));
    assert_eq!(at("taxi", "canary").await, None);
    let newer = bench.waiting("taxi", "m2").await;
    assert_eq!(at("taxi", "release").await, Some(newer.clone()));
    bench.approve(&newer).await;
    assert_eq!(at("taxi", "release").await, None);
}
