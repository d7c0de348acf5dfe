//! Socket Mode: acknowledged when durable, delivered again when not, and never without a socket for long.

use crate::world::{World, click, options, timing, until};
use countersign_model::secret::Secret;
use countersign_slack::{Slack, Timing};
use countersign_slack_double::{Fault, SlackDouble};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

fn listen(world: &World) -> (watch::Sender<bool>, JoinHandle<()>) {
    let (stop, stopped) = watch::channel(false);
    let (slack, desk) = (world.slack.clone(), world.desk.clone());
    (stop, tokio::spawn(async move { slack.listen(desk, stopped).await }))
}

async fn end(stop: watch::Sender<bool>, task: JoinHandle<()>) {
    stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(10), task).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn an_envelope_is_acknowledged_only_when_it_is_durable_and_decided_once() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let (stop, task) = listen(&world);
    let sockets = world.double.sockets.clone();
    until("connected", || world.slack.health().connected_sockets == 1).await;
    let hold = click("U0ADA", "hold", &request.handle(), "1.1.a");
    world.desk.broken.store(true, Ordering::SeqCst);
    sockets.deliver(0, "e1", &hold);
    until("it was tried", || world.desk.asked.load(Ordering::SeqCst) == 1).await;
    world.desk.broken.store(false, Ordering::SeqCst);
    // Something else is acknowledged, the one that failed is not.
    sockets.send(0, &json!({ "envelope_id": "e2", "type": "events_api", "payload": { "event": { "text": "LGTM" } } }));
    until("the other is acknowledged", || !sockets.acknowledged().is_empty()).await;
    assert_eq!(sockets.acknowledged(), [json!({ "envelope_id": "e2" })]);
    for _ in 0..3 {
        sockets.deliver(0, "e1", &hold);
    }
    until("redelivered and acknowledged", || sockets.acknowledged().len() == 4).await;
    assert_eq!(world.decisions(&request).await.len(), 1);
    assert_eq!(world.slack.health().payloads_ignored, 1, "typed words are ignored");
    end(stop, task).await;
    until("closed", || sockets.open().is_empty()).await;
    assert_eq!(world.slack.health().connected_sockets, 0);
}

#[tokio::test]
async fn on_a_refresh_the_new_socket_is_there_before_the_old_one_goes() {
    for reason in ["warning", "refresh_requested"] {
        let world = World::new().await;
        let request = world.request("taxi", 1).await;
        let sockets = world.double.sockets.clone();
        // The first try for the next socket fails: the old one serves on.
        let (stop, task) = listen(&world);
        until("connected", || sockets.open() == [0]).await;
        world.double.fail("apps.connections.open", Fault::Status(500));
        world.double.fail("apps.connections.open", Fault::Reset);
        sockets.disconnect(0, reason);
        until("tried in vain", || world.double.calls("apps.connections.open").len() >= 3).await;
        if sockets.opened() == 1 {
            sockets.deliver(0, "e1", &click("U0ADA", "hold", &request.handle(), "1.1.a"));
        }
        until("the next one is there and the old one is gone", || sockets.open() == [1]).await;
        sockets.deliver(1, "e1", &click("U0ADA", "hold", &request.handle(), "1.1.a"));
        until("the new one serves", || {
            sockets.acknowledged().iter().any(|acknowledged| acknowledged["envelope_id"] == "e1")
        })
        .await;
        until("decided", || world.desk.asked.load(Ordering::SeqCst) > 0).await;
        assert_eq!(world.decisions(&request).await.len(), 1, "{reason}");
        end(stop, task).await;
    }
}

#[tokio::test]
async fn a_switched_off_app_is_named_and_tried_again() {
    let world = World::new().await;
    let sockets = world.double.sockets.clone();
    let (stop, task) = listen(&world);
    until("connected", || sockets.open() == [0]).await;
    sockets.disconnect(0, "link_disabled");
    until("it is named", || {
        world.slack.health().last_error.is_some_and(|error| error.what.contains("Socket Mode is switched off"))
    })
    .await;
    until("tried again", || sockets.opened() == 2).await;
    end(stop, task).await;
}

#[tokio::test]
async fn a_socket_that_is_gone_or_silent_is_replaced() {
    let world = World::with(Duration::ZERO, Timing { idle: Duration::from_millis(1_500), ..timing() }).await;
    let sockets = world.double.sockets.clone();
    let (stop, task) = listen(&world);
    until("connected", || sockets.open() == [0]).await;
    until("a quiet line with answered pings stays", || sockets.pings() >= 20).await;
    assert_eq!(sockets.opened(), 1);
    sockets.freeze(0);
    until("half-open noticed", || sockets.opened() == 2).await;
    sockets.drop_socket(1);
    until("dropped noticed", || sockets.opened() == 3).await;
    until("counted", || world.slack.health().reconnects == 2).await;
    end(stop, task).await;
}

#[tokio::test]
async fn ten_listeners_share_the_payloads_and_an_eleventh_backs_off() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let sockets = world.double.sockets.clone();
    let mut listeners = Vec::new();
    for number in 1..=10 {
        listeners.push(listen(&world));
        until("one more", || sockets.open().len() == number).await;
    }
    listeners.push(listen(&world));
    until("the eleventh is turned away", || sockets.refused() >= 1).await;
    until("and it is said", || {
        world.slack.health().last_error.is_some_and(|error| error.what.contains("too many sockets"))
    })
    .await;
    for socket in 0..10 {
        let envelope = format!("e{socket}");
        sockets.deliver(socket, &envelope, &click("U0ADA", "hold", &request.handle(), &format!("1.1.{socket}")));
        sockets.deliver(
            (socket + 1) % 10,
            &envelope,
            &click("U0ADA", "hold", &request.handle(), &format!("1.1.{socket}")),
        );
    }
    until("all acknowledged", || sockets.acknowledged().len() == 20).await;
    assert_eq!(world.decisions(&request).await.len(), 10, "each click once, whichever sockets it came by");
    let calls = world.double.calls("apps.connections.open").len();
    assert!(calls < 200, "{calls} calls: it backs off");
    for (stop, task) in listeners {
        end(stop, task).await;
    }
}

#[tokio::test]
async fn an_envelope_of_a_hundred_kilobytes_is_taken() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let (stop, task) = listen(&world);
    let sockets = world.double.sockets.clone();
    until("connected", || sockets.open() == [0]).await;
    let mut big = click("U0ADA", "hold", &request.handle(), "1.1.a");
    big["message"] = json!({ "text": "x".repeat(100_000) });
    sockets.deliver(0, "e1", &big);
    until("acknowledged", || sockets.acknowledged().len() == 1).await;
    assert_eq!(world.decisions(&request).await.len(), 1);
    end(stop, task).await;
}

#[tokio::test]
async fn without_an_app_token_it_says_so_and_does_not_listen() {
    let world = World::new().await;
    let double = SlackDouble::start(Duration::ZERO).await;
    let mut without = options(&double, world.store.clone(), world.store.clone(), world.clock.clone());
    without.app_token = Secret::new("");
    let slack = Slack::new(without).unwrap();
    let (_stop, stopped) = watch::channel(false);
    slack.listen(world.desk.clone(), stopped).await;
    assert!(slack.health().last_error.unwrap().what.contains("slack.app_token"));
    assert!(double.all_calls().is_empty());
}
