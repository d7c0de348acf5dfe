//! Delivery: order, pauses, and that one channel's trouble is not another's.

use crate::world::{World, finding, policy};
use countersign_model::decision::DecisionKind;
use countersign_model::finding::Severity;
use countersign_orchestrator::Routes;
use countersign_ports::NotifyError;
use countersign_ports::notifier::Message;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn routes() -> Routes {
    Routes {
        requests: Some("slack:#releases".to_string()),
        blocked: Some("slack:#blocked".to_string()),
        failed: Some("slack:#failed".to_string()),
        warned: Some("slack:#warned".to_string()),
    }
}

/// A world whose run waits, with three notices for its channel: the request and two holds.
async fn three_notices() -> World {
    let world = World::with(Routes { requests: Some("slack:#releases".to_string()), ..Routes::default() });
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    for who in ["ada", "eve"] {
        world.decide(&request, who, DecisionKind::Hold).await.unwrap();
    }
    world
}

fn tried(world: &World) -> u64 {
    world.slack.tried.load(Ordering::SeqCst)
}

#[tokio::test]
async fn after_a_failure_the_rest_of_the_channel_waits_and_keeps_its_order() {
    let world = three_notices().await;
    world.slack.fail(30);
    world.engine.deliver_notices().await.unwrap();
    assert_eq!(tried(&world), 1, "nothing overtakes what failed");
    assert_eq!(world.terminal.delivered.lock().unwrap().len(), 3, "the terminal does not wait for Slack");
    world.clock.advance(Duration::from_secs(29));
    world.engine.deliver_notices().await.unwrap();
    assert_eq!(tried(&world), 1, "what the receiver asks for is honoured to the second");
    world.clock.advance(Duration::from_secs(1));
    world.engine.deliver_notices().await.unwrap();
    let delivered = world.slack.delivered.lock().unwrap();
    assert!(matches!(delivered[0].message, Message::SignoffRequested { .. }));
    assert!(delivered[1..].iter().all(|notice| matches!(notice.message, Message::DecisionRecorded { .. })));
    assert_eq!(delivered.len(), 3);
    assert!(delivered.is_sorted_by_key(|notice| notice.id));
}

#[tokio::test]
async fn pauses_grow_and_nothing_is_given_up_within_a_day() {
    let world = three_notices().await;
    let mut attempts = 0;
    let mut waited = Duration::ZERO;
    while world.store.undelivered(None, 10).await.unwrap().iter().all(|one| one.next_at.is_some()) {
        world.slack.fail(0);
        let before = tried(&world);
        world.engine.deliver_notices().await.unwrap();
        attempts += tried(&world) - before;
        world.clock.advance(Duration::from_secs(60));
        waited += Duration::from_secs(60);
        assert!(waited < Duration::from_secs(3 * 24 * 3600), "given up at last");
    }
    assert!(waited >= Duration::from_secs(24 * 3600), "{waited:?}");
    assert!((200..=600).contains(&attempts), "{attempts} attempts");
    let dead = world.store.undelivered(None, 10).await.unwrap();
    assert_eq!(dead.iter().find(|one| one.next_at.is_none()).unwrap().problem.as_deref(), Some("no answer"));
}

#[tokio::test]
async fn what_can_never_be_delivered_is_recorded_and_the_rest_goes_on() {
    let world = three_notices().await;
    let never = NotifyError::Never { reason: "no such channel".to_string() };
    world.slack.failures.lock().unwrap().push_back(never);
    world.engine.deliver_notices().await.unwrap();
    assert_eq!(world.slack.delivered.lock().unwrap().len(), 2);
    let dead = world.store.undelivered(None, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].problem.as_deref()), (1, Some("no such channel")));
}

#[tokio::test]
async fn a_channel_that_pauses_with_much_to_say_does_not_hide_the_others() {
    let world = three_notices().await;
    let run = world.store.runs(&Default::default()).await.unwrap()[0].id;
    let request = world.waiting(&run).await;
    for _ in 0..60 {
        world.decide(&request, "ada", DecisionKind::Hold).await.unwrap();
    }
    world.slack.fail(3600);
    world.engine.deliver_notices().await.unwrap();
    world.decide(&request, "eve", DecisionKind::Hold).await.unwrap();
    world.engine.deliver_notices().await.unwrap();
    assert_eq!((tried(&world), world.terminal.delivered.lock().unwrap().len()), (1, 64));
}

/// What each channel was told, in order.
async fn told(world: &World) -> Vec<(String, &'static str)> {
    world.engine.deliver_notices().await.unwrap();
    let mut delivered = world.slack.delivered.lock().unwrap().clone();
    delivered.sort_by_key(|notice| notice.id);
    let name = |message: &Message| match message {
        Message::SignoffRequested { .. } => "requested",
        Message::Warned { .. } => "warned",
        Message::RunEnded { .. } => "ended",
        Message::Pushed { .. } => "pushed",
        Message::DecisionRecorded { .. } => "decision",
        Message::RequestChanged { .. } => "changed",
        Message::Reminder { .. } | Message::Escalation { .. } => "other",
    };
    delivered.iter().map(|notice| (notice.channel.clone(), name(&notice.message))).collect()
}

fn said<'a>(all: &'a [(String, &'static str)]) -> Vec<(&'a str, &'static str)> {
    all.iter().map(|(channel, what)| (channel.as_str(), *what)).collect()
}

#[tokio::test]
async fn alerts_go_where_they_are_wanted_and_warnings_once_a_run() {
    let world = World::with(routes());
    *world.runner.findings.lock().unwrap() = vec![finding(Severity::Warn), finding(Severity::Info)];
    let version = world.version(1, policy());
    let run = world.run(&version).await;
    world.decide(&world.waiting(&run).await, "ada", DecisionKind::Approve).await.unwrap();
    world.carry(&run).await;
    let (requests, warned) = ("slack:#releases", "slack:#warned");
    assert_eq!(
        said(&told(&world).await),
        [
            (requests, "requested"),
            (warned, "warned"),
            (requests, "decision"),
            (requests, "pushed"),
            (requests, "changed")
        ]
    );
    world.slack.delivered.lock().unwrap().clear();
    let again = world.engine.start(&version, &countersign_model::actor::Actor::local("carl")).await.unwrap();
    world.carry(&again).await;
    assert!(told(&world).await.is_empty(), "what came from the cache was told before");
}

#[tokio::test]
async fn a_blocked_and_a_failed_run_are_told_to_their_own_channels() {
    let world = World::with(routes());
    *world.runner.findings.lock().unwrap() = vec![finding(Severity::Block)];
    world.run(&world.version(1, policy())).await;
    assert_eq!(said(&told(&world).await), [("slack:#blocked", "ended")]);
    world.slack.delivered.lock().unwrap().clear();
    let mut version = world.version(2, policy());
    version.pipeline.steps.truncate(1);
    let countersign_model::pipeline::Work::Component(work) = &mut version.pipeline.steps[0].work else { panic!() };
    work.component_digest = countersign_model::digest::Digest::of(b"gone");
    world.run(&crate::world::versioned(version.pipeline.steps)).await;
    assert_eq!(said(&told(&world).await), [("slack:#failed", "ended")]);
}
