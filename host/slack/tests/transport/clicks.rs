//! What people press: one decision a deed, over both transports alike, and nothing else in a payload chooses anything.

use crate::world::{World, click, submission, until};
use countersign_model::decision::{DecisionKind, RequestState};
use countersign_model::run::RunEnd;
use countersign_ports::MetadataStore;
use countersign_slack_double::TEAM;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

fn one(kind: &str, user: &str) -> (String, String, bool) {
    (kind.to_string(), format!("slack:{TEAM}/{user}"), false)
}

#[tokio::test]
async fn approve_opens_a_dialog_and_the_dialog_decides() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.posted(&request).await;
    assert_eq!(world.send(&click("U0ADA", "approve", &request.handle(), "1.1.a")).await.0, 200);
    until("the dialog is open", || world.double.views().len() == 1).await;
    let view = world.double.views().remove(0);
    assert_eq!((&view["private_metadata"], &view["notify_on_close"]), (&json!(request.handle()), &json!(true)));
    assert_eq!(view["callback_id"], "countersign.decide.approve");
    assert!(world.decisions(&request).await.is_empty(), "a click on approve decides nothing yet");
    let sent = submission("U0ADA", "approve", &request.handle(), "V1", "looks right");
    assert_eq!(world.send(&sent).await, (200, Value::Null));
    assert_eq!(world.decisions(&request).await, [one("approve", "U0ADA")]);
    assert_eq!(world.state(&request).await, "approved");
}

#[tokio::test]
async fn the_same_click_three_times_is_one_decision() {
    let world = World::new().await;
    let request = world.request("taxi", 2).await;
    let hold = click("U0ADA", "hold", &request.handle(), "1.1.a");
    let (a, b, c) = tokio::join!(world.send(&hold), world.send(&hold), world.send(&hold));
    assert_eq!((a.0, b.0, c.0), (200, 200, 200));
    assert_eq!(world.decisions(&request).await, [one("hold", "U0ADA")]);
    let sent = submission("U0ADA", "approve", &request.handle(), "V1", "");
    for _ in 0..3 {
        assert_eq!(world.send(&sent).await, (200, Value::Null));
    }
    assert_eq!(world.decisions(&request).await, [one("hold", "U0ADA"), one("approve", "U0ADA")]);
    let approve = click("U0ADA", "approve", &request.handle(), "1.1.b");
    for _ in 0..3 {
        world.send(&approve).await;
    }
    until("the trigger was used up", || world.double.calls("views.open").len() == 3).await;
    assert_eq!((world.double.views().len(), world.double.whispers().len()), (1, 0), "one dialog, no complaint");
}

#[tokio::test]
async fn of_two_people_at_once_one_decides_and_the_other_is_told() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let yes = submission("U0ADA", "approve", &request.handle(), "V1", "yes");
    let no = submission("U0BOB", "reject", &request.handle(), "V2", "no");
    let (ada, bob) = tokio::join!(world.send(&yes), world.send(&no));
    let decisions = world.decisions(&request).await;
    assert_eq!(decisions.iter().filter(|(_, _, late)| !late).count(), 1, "{decisions:?}");
    let told: Vec<&Value> = [&ada.1, &bob.1].into_iter().filter(|answer| !answer.is_null()).collect();
    assert_eq!(told.len(), 1, "the loser's dialog says so");
    assert_eq!(told[0]["response_action"], "update");
    let words = told[0]["view"].to_string();
    assert!(words.contains("already decided") && words.contains("slack:T0TEAM/U0") && words.contains("UTC"), "{words}");
}

#[tokio::test]
async fn a_click_on_a_closed_request_is_late_told_in_private_and_corrects_the_message() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.posted(&request).await;
    let state = RequestState::Expired;
    world.store.close_request(&request.id, &state, world.bench.now(), &[]).await.unwrap();
    for (number, action) in ["approve", "reject", "hold"].into_iter().enumerate() {
        let trigger = format!("1.1.{action}");
        assert_eq!(world.send(&click("U0ADA", action, &request.handle(), &trigger)).await.0, 200);
        until("told in private", || world.double.whispers().len() == number + 1).await;
    }
    assert_eq!(world.state(&request).await, "expired");
    assert!(world.decisions(&request).await.iter().all(|(_, _, late)| *late));
    assert_eq!(world.decisions(&request).await.len(), 3);
    assert!(world.double.whispers().iter().all(|(user, words)| user == "U0ADA" && words.contains("expired")));
    until("the stale message is corrected", || world.double.messages()[0].edits > 0).await;
    assert!(!world.double.messages()[0].blocks.to_string().contains("countersign.reject"));
    assert!(world.double.views().is_empty(), "no dialog for what is over");
}

#[tokio::test]
async fn refusals_are_told_where_they_can_be_answered() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let handle = request.handle();
    let (status, answer) = world.send(&submission("U0ADA", "reject", &handle, "V1", "  ")).await;
    assert_eq!((status, &answer["response_action"]), (200, &json!("errors")));
    assert!(answer["errors"]["reason"].as_str().unwrap().contains("needs a reason"), "{answer}");
    let (_, answer) = world.send(&submission("U0EVE", "approve", &handle, "V2", "let me in")).await;
    assert!(answer["errors"]["reason"].as_str().unwrap().contains("owner"), "{answer}");
    let mut strange = submission("U0ADA", "approve", &handle, "V3", "fine");
    strange["view"]["state"]["values"]["canary"] = json!({ "canary": { "value": "110" } });
    assert!(world.send(&strange).await.1["errors"]["canary"].is_string());
    world.send(&click("U0EVE", "hold", &handle, "1.1.e")).await;
    until("told in private", || world.double.whispers().len() == 1).await;
    assert!(world.decisions(&request).await.is_empty());
    // The same dialog, corrected, counts.
    strange["view"]["state"]["values"]["canary"]["canary"]["value"] = "10".into();
    assert_eq!(world.send(&strange).await, (200, Value::Null));
    let decision = world.store.decisions(&request.id).await.unwrap().remove(0);
    assert_eq!((decision.reason.as_str(), decision.conditions.canary_percent), ("fine", Some(10)));
}

#[tokio::test]
async fn closing_a_dialog_leaves_a_note_and_nothing_else() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let mut closed = submission("U0ADA", "reject", &request.handle(), "V1", "");
    closed["type"] = "view_closed".into();
    assert_eq!(world.send(&closed).await.0, 200);
    assert!(world.decisions(&request).await.is_empty());
    assert_eq!(world.bench.actions().await.last().unwrap(), "dialog.closed");
    assert_eq!(world.state(&request).await, "open");
}

#[tokio::test]
async fn nothing_but_the_handle_chooses() {
    let world = World::new().await;
    let (mine, other) = (world.request("taxi", 1).await, world.request("bikes", 1).await);
    let crossed = [
        format!("{}.{}", mine.id, other.nonce),
        format!("{}.{}", other.id, mine.nonce),
        format!("{}.", mine.id),
        mine.id.to_string(),
        mine.nonce.clone(),
        mine.run.to_string(),
        format!("{}.{}", mine.run, mine.nonce),
        format!("{}x", mine.handle()),
        mine.handle().to_uppercase(),
        String::new(),
        "../../etc/passwd".to_string(),
    ];
    for (number, handle) in crossed.iter().enumerate() {
        assert_eq!(world.send(&click("U0ADA", "hold", handle, &format!("1.{number}.a"))).await.0, 200);
        let (_, answer) = world.send(&submission("U0ADA", "approve", handle, &format!("V{number}"), "yes")).await;
        assert!(answer["errors"]["reason"].as_str().unwrap().contains("unknown"), "{handle}: {answer}");
    }
    until("each is told", || world.double.whispers().len() == crossed.len()).await;
    assert!(world.double.whispers().iter().all(|(_, words)| words.contains("unknown")));
    assert_eq!(world.desk.asked.load(Ordering::SeqCst), 0, "nothing reached the desk");
    // Every other field of a payload replaced by another run's: the handle alone decides which request it is.
    let mut payload = click("U0ADA", "hold", &mine.handle(), "1.1.z");
    for field in ["run", "request", "path", "workspace", "secret"] {
        payload[field] = other.run.to_string().into();
        payload["actions"][0][field] = other.handle().into();
    }
    payload["actions"][0]["block_id"] = other.id.to_string().into();
    payload["message"] = json!({ "metadata": { "event_payload": { "request": other.id.to_string() } } });
    world.send(&payload).await;
    assert_eq!((world.decisions(&mine).await.len(), world.decisions(&other).await.len()), (1, 0));
}

#[tokio::test]
async fn payloads_of_others_and_typed_words_mean_nothing() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let hold = click("U0ADA", "hold", &request.handle(), "1.1.a");
    let changed = |path: &str, value: Value| {
        let mut payload = hold.clone();
        *payload.pointer_mut(path).unwrap() = value;
        payload
    };
    let ignored = [
        changed("/api_app_id", "A0OTHER".into()),
        changed("/team/id", "T0OTHER".into()),
        changed("/team", Value::Null),
        changed("/type", "shortcut".into()),
        changed("/actions", json!([])),
        changed("/actions/0/action_id", "countersign.push".into()),
        changed("/actions/0/value", json!(7)),
        json!({ "type": "event_callback", "event": { "type": "message", "text": "LGTM, approve" } }),
        json!(["approve"]),
    ];
    for payload in &ignored {
        assert_eq!(world.send(payload).await, (200, Value::Null));
    }
    assert_eq!(world.slack.health().payloads_ignored, ignored.len() as u64);
    assert_eq!(world.send(&changed("/user/team_id", "T0OTHER".into())).await.0, 200);
    assert!(world.decisions(&request).await.is_empty(), "somebody of another workspace is another actor");
}

#[tokio::test]
async fn what_is_not_durable_is_not_acknowledged() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.desk.broken.store(true, Ordering::SeqCst);
    let hold = click("U0ADA", "hold", &request.handle(), "1.1.a");
    assert_eq!(world.send(&hold).await.0, 500);
    world.desk.broken.store(false, Ordering::SeqCst);
    assert_eq!(world.send(&hold).await.0, 200, "the same click counts when it can");
    assert_eq!(world.decisions(&request).await, [one("hold", "U0ADA")]);
}

#[tokio::test]
async fn the_same_clicks_over_both_transports_give_the_same_decisions() {
    let mut told = Vec::new();
    for socket in [false, true] {
        let world = World::new().await;
        let request = world.request("taxi", 2).await;
        let handle = request.handle();
        let payloads = [
            click("U0ADA", "hold", &handle, "1.1.a"),
            click("U0EVE", "hold", &handle, "1.1.b"),
            submission("U0ADA", "approve", &handle, "V1", "good"),
            submission("U0ADA", "approve", &handle, "V1", "good"),
            submission("U0EVE", "approve", &handle, "V2", "good"),
            submission("U0BOB", "approve", &handle, "V3", "good"),
            submission("U0ADA", "reject", &handle, "V4", "too late"),
        ];
        let (stop, stopped) = watch::channel(false);
        let (slack, desk) = (world.slack.clone(), world.desk.clone());
        let listening = tokio::spawn(async move {
            if socket {
                slack.listen(desk, stopped).await
            }
        });
        let mut answers = Vec::new();
        for (number, payload) in payloads.iter().enumerate() {
            if !socket {
                answers.push(world.send(payload).await.1["response_action"].clone());
                continue;
            }
            until("a socket is open", || !world.double.sockets.open().is_empty()).await;
            world.double.sockets.deliver(world.double.sockets.open()[0], &format!("e{number}"), payload);
            until("acknowledged", || world.double.sockets.acknowledged().len() > number).await;
            let acknowledged = world.double.sockets.acknowledged().pop().unwrap();
            assert_eq!(acknowledged["envelope_id"], format!("e{number}"));
            answers.push(acknowledged["payload"]["response_action"].clone());
        }
        let ids: Vec<_> =
            world.store.decisions(&request.id).await.unwrap().iter().map(|one| one.id.to_string()).collect();
        told.push((world.decisions(&request).await, ids, answers, world.state(&request).await));
        stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(10), listening).await.unwrap().unwrap();
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].3, "approved");
}

#[tokio::test]
async fn a_button_of_before_the_restart_still_works() {
    let mut world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.posted(&request).await;
    world.restart();
    let sent = submission("U0ADA", "reject", &request.handle(), "V1", "drift");
    assert_eq!(world.send(&sent).await, (200, Value::Null));
    let decision = world.store.decisions(&request.id).await.unwrap().remove(0);
    assert_eq!((decision.kind, world.state(&request).await), (DecisionKind::Reject, "rejected"));
    let end = world.store.run(&request.run).await.unwrap().unwrap().state;
    assert!(!matches!(end, countersign_model::run::RunState::Ended { end: RunEnd::Succeeded }));
}
