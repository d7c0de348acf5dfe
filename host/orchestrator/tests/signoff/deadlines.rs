//! Reminders, escalation and expiry, counted from the posting.

use crate::world::{World, policy};
use countersign_model::decision::{DecisionKind, RequestState, SignoffRequest};
use countersign_model::policy::{Escalation, Expiry, ExpiryAction, SignoffPolicy};
use countersign_model::run::RunState;
use countersign_orchestrator::Routes;
use countersign_ports::notifier::Message;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn patient(then: ExpiryAction) -> SignoffPolicy {
    SignoffPolicy {
        remind_seconds: Some(4 * 3600),
        escalate: Some(Escalation { after_seconds: 24 * 3600, to: "@ml-leads".to_string() }),
        expire: Some(Expiry { after_seconds: 7 * 24 * 3600, then }),
        ..policy()
    }
}

async fn waiting(then: ExpiryAction) -> (World, SignoffRequest) {
    let world = World::with(Routes { requests: Some("slack:#releases".to_string()), ..Routes::default() });
    let run = world.run(&world.version(1, patient(then))).await;
    let request = world.waiting(&run).await;
    (world, request)
}

/// What the request's channel was told since it was asked the last time.
async fn told(world: &World) -> Vec<&'static str> {
    world.engine.deliver_notices().await.unwrap();
    let delivered: Vec<_> = std::mem::take(&mut *world.slack.delivered.lock().unwrap());
    let name = |message: &Message| match message {
        Message::SignoffRequested { .. } => "requested",
        Message::Reminder { .. } => "reminder",
        Message::Escalation { to, .. } => {
            assert_eq!(to, "@ml-leads");
            "escalation"
        }
        Message::RequestChanged { .. } => "changed",
        Message::DecisionRecorded { .. } => "decision",
        Message::RunEnded { .. } | Message::Warned { .. } | Message::Pushed { .. } => "other",
    };
    delivered.iter().map(|notice| name(&notice.message)).collect()
}

#[tokio::test]
async fn each_thing_is_due_once_and_at_its_time() {
    let (world, request) = waiting(ExpiryAction::Hold).await;
    assert_eq!(told(&world).await, ["requested"]);
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 0);
    world.clock.advance(4 * HOUR);
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 1);
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 0, "once");
    assert_eq!(told(&world).await, ["reminder"]);
    world.clock.advance(4 * HOUR - Duration::from_secs(1));
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 1);
    assert_eq!(told(&world).await, ["reminder"]);
    world.clock.advance(16 * HOUR);
    world.engine.meet_deadlines().await.unwrap();
    let mut at_once = told(&world).await;
    at_once.sort_unstable();
    assert_eq!(at_once, ["escalation", "reminder"]);
    assert_eq!(world.request(&request.id).await.state, RequestState::Open);
}

/// Trap 6: the deadline counts from the posting; downtime neither extends nor skips it, and what it swallowed is told once.
#[tokio::test]
async fn after_ten_days_of_downtime_a_held_request_is_overdue_and_still_open() {
    let (world, request) = waiting(ExpiryAction::Hold).await;
    told(&world).await;
    world.clock.advance(10 * 24 * HOUR);
    world.engine.meet_deadlines().await.unwrap();
    let mut at_once = told(&world).await;
    at_once.sort_unstable();
    assert_eq!(at_once, ["changed", "escalation", "reminder"], "sixty reminders are one");
    let overdue = world.request(&request.id).await;
    assert!(overdue.state == RequestState::Open && overdue.progress.overdue && overdue.progress.escalated);
    assert_eq!(overdue.progress.reminded, 60);
    let recorded = world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    assert!(!recorded.decision.late, "holding means that it can still be decided");
}

#[tokio::test]
async fn after_ten_days_of_downtime_a_request_that_rejects_then_is_closed_without_a_word_before() {
    let (world, request) = waiting(ExpiryAction::Reject).await;
    told(&world).await;
    world.clock.advance(7 * 24 * HOUR - Duration::from_micros(1));
    let other = world.second_engine();
    world.clock.advance(Duration::from_micros(1));
    let (one, two) = tokio::join!(world.engine.meet_deadlines(), other.meet_deadlines());
    assert_eq!(one.unwrap() + two.unwrap(), 1, "two engines do it once");
    assert_eq!(told(&world).await, ["changed"]);
    assert_eq!(world.request(&request.id).await.state, RequestState::Expired);
    assert_eq!(world.state(&request.run).await, RunState::Queued);
}

#[tokio::test]
async fn two_engines_never_remind_twice() {
    let (world, _) = waiting(ExpiryAction::Hold).await;
    told(&world).await;
    let other = world.second_engine();
    let mut reminders = 0;
    for _ in 0..12 {
        world.clock.advance(4 * HOUR);
        let (one, two) = tokio::join!(world.engine.meet_deadlines(), other.meet_deadlines());
        one.unwrap();
        two.unwrap();
        reminders += told(&world).await.iter().filter(|told| **told == "reminder").count();
    }
    assert_eq!(reminders, 12);
}

#[tokio::test]
async fn a_closed_request_has_no_deadlines() {
    let (world, request) = waiting(ExpiryAction::Reject).await;
    world.decide(&request, "ada", DecisionKind::Reject).await.unwrap();
    world.clock.advance(30 * 24 * HOUR);
    assert_eq!(world.engine.meet_deadlines().await.unwrap(), 0);
    assert_eq!(world.request(&request.id).await.state, RequestState::Rejected);
}
