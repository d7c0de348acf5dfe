//! Who decides, when, and how often it counts.

use crate::world::{World, policy, quorum};
use countersign_model::actor::Actor;
use countersign_model::decision::{DecisionKind, RequestState};
use countersign_model::digest::Digest;
use countersign_model::id::RunId;
use countersign_model::policy::{Expiry, ExpiryAction, Refusal, SignoffPolicy, Standing};
use countersign_model::run::{RunEnd, RunState};
use countersign_orchestrator::Routes;
use countersign_ports::notifier::Message;
use countersign_ports::{Attestor as _, DecideError, Desk, DeskError, StoreError};
use std::time::Duration;

fn expiring(then: ExpiryAction) -> SignoffPolicy {
    SignoffPolicy { expire: Some(Expiry { after_seconds: 3600, then }), ..policy() }
}

#[tokio::test]
async fn an_approval_is_signed_over_every_file_and_lets_the_model_go_live() {
    let world = World::new();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    assert_eq!((request.nonce.len(), request.handle().split_once('.').unwrap().1), (32, request.nonce.as_str()));
    assert!(request.nonce.chars().all(|digit| digit.is_ascii_hexdigit()));
    let recorded = world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    assert_eq!((recorded.request.state, recorded.decision.person.as_str()), (RequestState::Approved, "ada"));
    let statement = crate::doubles::Key.open(recorded.decision.envelope.as_deref().unwrap()).unwrap();
    assert!(statement.is_of(&recorded.decision, &request));
    let names: Vec<&str> = statement.subject.iter().map(|subject| subject.name.as_str()).collect();
    for name in [
        "evidence.json",
        "policy.json",
        "approver.json",
        "train.model/model.onnx",
        "evaluate.evaluation/evaluation.json",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert_eq!(world.carry(&run).await, RunState::Ended { end: RunEnd::Succeeded });
    assert!(world.is_live("model 1"));
    let live = world.target().join("current");
    assert_eq!(std::fs::read_to_string(live.join("evidence.json")).unwrap(), request.evidence);
    assert_eq!(std::fs::read_to_string(live.join("conditions.json")).unwrap(), r#"{"overridden":false}"#);
    let paper = live.join(format!("decisions/{}.dsse.json", recorded.decision.id));
    assert_eq!(std::fs::read_to_string(paper).unwrap(), recorded.decision.envelope.unwrap());
}

/// Trap 5: a click that is delivered again, also by another process, is one decision and one statement.
#[tokio::test]
async fn a_click_delivered_three_times_is_one_decision() {
    let world = World::new();
    let two = SignoffPolicy { approvers: vec![quorum("owner", 1), quorum("scientist", 1)], ..policy() };
    let run = world.run(&world.version(1, two)).await;
    let request = world.waiting(&run).await;
    let mut input = world.input(&request, "ada", DecisionKind::Approve);
    input.once = Some("slack:trigger:1795000000.0001".to_string());
    let first = world.engine.decide(input.clone()).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let other = world.second_engine();
    let (second, third) = tokio::join!(other.decide(input.clone()), world.engine.decide(input.clone()));
    assert_eq!(second.unwrap().decision, first.decision);
    assert_eq!(third.unwrap().decision.envelope, first.decision.envelope);
    assert_eq!(world.store.decisions(&request.id).await.unwrap().len(), 1);
    assert_eq!(world.audited("decision.").await, 1);
    input.once = Some("slack:trigger:1795000000.0002".to_string());
    assert_ne!(world.engine.decide(input).await.unwrap().decision.id, first.decision.id);
    assert!(matches!(world.request(&request.id).await.state, RequestState::Open), "ada counts once");
}

/// Trap 5: whoever is second is late, whichever way round.
#[tokio::test]
async fn two_people_at_once_make_one_terminal_decision() {
    let world = World::new();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    let other = world.second_engine();
    let (yes, no) = tokio::join!(
        world.decide(&request, "ada", DecisionKind::Approve),
        other.decide(world.input(&request, "eve", DecisionKind::Reject)),
    );
    let (yes, no) = (yes.unwrap(), no.unwrap());
    assert_ne!(yes.decision.late, no.decision.late, "one of the two is late");
    let state = world.request(&request.id).await.state;
    assert_eq!(state, if no.decision.late { RequestState::Approved } else { RequestState::Rejected });
    world.carry(&run).await;
    assert_eq!(world.is_live("model 1"), no.decision.late);
}

/// Traps 5 and 8.
#[tokio::test]
async fn a_click_after_expiry_is_late_and_the_next_run_asks_afresh() {
    let world = World::new();
    let version = world.version(1, expiring(ExpiryAction::Reject));
    let run = world.run(&version).await;
    let request = world.waiting(&run).await;
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 1);
    let late = world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    assert!(late.decision.late && late.request.state == RequestState::Expired);
    assert_eq!(world.carry(&run).await, RunState::Ended { end: RunEnd::Expired });
    assert!(!world.is_live("model 1"));

    let again = world.run(&version).await;
    let fresh = world.waiting(&again).await;
    assert_eq!(fresh.evidence_digest, request.evidence_digest, "the same content is the same evidence");
    world.decide(&fresh, "ada", DecisionKind::Approve).await.unwrap();
    assert_eq!(world.carry(&again).await, RunState::Ended { end: RunEnd::Succeeded });
    assert!(world.is_live("model 1"));
}

/// Trap 5: an expiry that comes after the click changes nothing.
#[tokio::test]
async fn an_expiry_after_a_click_changes_nothing() {
    let world = World::new();
    let run = world.run(&world.version(1, expiring(ExpiryAction::Reject))).await;
    let request = world.waiting(&run).await;
    world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    world.clock.advance(Duration::from_secs(100_000));
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 0);
    assert_eq!(world.request(&request.id).await.state, RequestState::Approved);
}

/// Trap 3: what counts is the account; an empty list of approvers lets nobody decide; every refusal is in the audit log.
#[tokio::test]
async fn who_may_not_decide_is_refused_and_written_down() {
    let world = World::new();
    let nobody = SignoffPolicy { approvers: Vec::new(), ..policy() };
    let run = world.run(&world.version(1, nobody)).await;
    let request = world.waiting(&run).await;
    for (at, who) in ["ada", "eve", "dan", "stranger"].into_iter().enumerate() {
        let refused = world.decide(&request, who, DecisionKind::Reject).await;
        assert!(matches!(refused, Err(DecideError::Refused(Refusal::NoRole { .. }))));
        assert_eq!(world.audited("decision.refused").await, at + 1);
    }
    assert!(world.store.decisions(&request.id).await.unwrap().is_empty());

    let slack = Actor::slack("T01", "UADA");
    world.people.put(&slack, "ada", &["owner"]);
    let run = world.run(&world.version(2, policy())).await;
    let request = world.waiting(&run).await;
    let mut input = world.input(&request, "ada", DecisionKind::Approve);
    input.actor = slack.clone();
    let recorded = world.engine.decide(input).await.unwrap();
    assert_eq!((recorded.decision.actor.as_str(), recorded.decision.person.as_str()), ("slack:T01/UADA", "ada"));
    assert_eq!(recorded.decision.roles, ["owner"]);
}

#[tokio::test]
async fn a_person_with_two_accounts_is_one_person() {
    let world = World::new();
    let slack = Actor::slack("T01", "UADA");
    world.people.put(&slack, "ada", &["owner", "scientist"]);
    let two = SignoffPolicy { approvers: vec![quorum("owner", 1), quorum("scientist", 1)], ..policy() };
    let run = world.run(&world.version(1, two.clone())).await;
    let request = world.waiting(&run).await;
    world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    let mut input = world.input(&request, "ada", DecisionKind::Approve);
    input.actor = slack;
    let standing = world.engine.decide(input).await.unwrap().standing;
    assert!(matches!(standing, Standing::Open { missing, .. } if missing.len() == 1), "ada signs once");
    assert_eq!(world.decide(&request, "bob", DecisionKind::Approve).await.unwrap().standing, Standing::Approved);

    // Whoever started the run is that person whatever the account.
    world.people.put(&Actor::local("carl"), "ada", &[]);
    let run = world.run(&world.version(2, two)).await;
    let request = world.waiting(&run).await;
    let refused = world.decide(&request, "ada", DecisionKind::Approve).await;
    assert!(matches!(refused, Err(DecideError::Refused(Refusal::SelfApproval(_)))));
}

#[tokio::test]
async fn a_decision_on_other_evidence_or_another_request_is_refused() {
    let world = World::new();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    let mut input = world.input(&request, "ada", DecisionKind::Approve);
    input.evidence = Digest::of(b"other");
    let refused = world.engine.decide(input.clone()).await;
    assert!(matches!(refused, Err(DecideError::Desk(DeskError::Store(StoreError::OtherEvidence { .. })))));
    input.request = countersign_model::id::RequestId::from_ulid(ulid::Ulid::from_parts(9, 9));
    let refused = world.engine.decide(input).await;
    assert!(matches!(refused, Err(DecideError::Desk(DeskError::Store(StoreError::NotFound { .. })))));
    assert_eq!(world.request(&request.id).await.state, RequestState::Open);
}

/// Trap 12: the older candidate's message is corrected, and a click on its stale copy is late.
#[tokio::test]
async fn a_newer_candidate_supersedes_the_older() {
    let world = World::with(Routes { requests: Some("slack:#releases".to_string()), ..Routes::default() });
    let old_run = world.run(&world.version(1, policy())).await;
    let old = world.waiting(&old_run).await;
    let new_run = world.run(&world.version(2, policy())).await;
    let new = world.waiting(&new_run).await;
    assert_eq!(world.request(&old.id).await.state, RequestState::Superseded { by: new_run });
    world.engine.deliver_notices().await.unwrap();
    let told: Vec<Message> =
        world.slack.delivered.lock().unwrap().iter().map(|notice| notice.message.clone()).collect();
    let about = |request| {
        told.iter()
            .filter(|message| matches!(message, Message::RequestChanged { request: of } if *of == request))
            .count()
    };
    assert_eq!((about(old.id), about(new.id)), (1, 0));
    let late = world.decide(&old, "ada", DecisionKind::Approve).await.unwrap();
    assert!(late.decision.late);
    assert!(matches!(world.state(&old_run).await, RunState::Ended { end: RunEnd::Superseded { .. } }));
    assert!(matches!(world.state(&new_run).await, RunState::Waiting { .. }));
}

/// Trap 7: a waiting run can be stopped, its message says so, and only a person stops it.
#[tokio::test]
async fn a_waiting_run_can_be_stopped() {
    let world = World::with(Routes { requests: Some("slack:#releases".to_string()), ..Routes::default() });
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    assert!(matches!(world.engine.cancel(&run, &Actor::system("cron")).await, Err(DeskError::Impossible(_))));
    assert!(matches!(world.state(&run).await, RunState::Waiting { .. }));
    world.engine.cancel(&run, &Actor::local("dan")).await.unwrap();
    assert_eq!(world.request(&request.id).await.state, RequestState::Cancelled);
    assert!(matches!(world.state(&run).await, RunState::Ended { end: RunEnd::Cancelled { .. } }));
    world.engine.deliver_notices().await.unwrap();
    let last = world.slack.delivered.lock().unwrap().last().unwrap().message.clone();
    assert_eq!(last, Message::RequestChanged { request: request.id });
    let unknown = RunId::from_ulid(ulid::Ulid::from_parts(9, 9));
    assert!(matches!(world.engine.cancel(&unknown, &Actor::local("dan")).await, Err(DeskError::Store(_))));
}

#[tokio::test]
async fn whoever_waits_for_work_or_notices_is_told_at_once() {
    let world = World::new();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    let (work, outbox) = (world.engine.hint(), world.engine.outbox_hint());
    for hint in [&work, &outbox] {
        hint.notified().await;
    }
    world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    work.notified().await;
    outbox.notified().await;
}
