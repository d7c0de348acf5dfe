//! The same deed twice, two people at once, and what looks like a decision and is none.

use crate::harness::eventually;
use crate::http;
use crate::prepared::{GATE, SIGNING, TEAM_OWNERS, people};
use crate::stage::{Stage, Transport, now};
use countersign_slack_double::{TEAM, form, signature};
use serde_json::{Value, json};

#[test]
fn the_same_click_three_times_is_one_decision() {
    for transport in [Transport::Socket, Transport::Http] {
        let stage = Stage::open(transport, GATE);
        let asked = stage.ask();
        let message = stage.headed(&asked, "is waiting for 1 person");
        let hold = stage.press("U0ADA", &message, "hold");
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert_eq!(stage.send(&hold).status, 200));
            }
        });
        assert_eq!(stage.decided(&asked).len(), 1, "{transport:?}");
        let dialog = stage.open_dialog("U0ADA", &stage.headed(&asked, "is on hold"), "approve");
        let sent = stage.slack.send_dialog("U0ADA", &dialog, &[("reason", "once")]);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert_eq!(stage.send(&sent).body, Value::Null, "a repetition is no mistake"));
            }
        });
        assert_eq!(stage.decided(&asked).len(), 2, "{transport:?}");
        stage.ends(&asked, "succeeded");
        assert_eq!(stage.record.number("SELECT count(*) FROM pushes"), 1);
    }
}

#[test]
fn of_two_people_at_once_one_decides_and_the_other_is_told_who_and_when() {
    let mut stage = Stage::new(Transport::Http, GATE);
    stage.people(&(people() + TEAM_OWNERS));
    stage.account("U0CAY", json!({}));
    stage.serve();
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    let yes = stage.open_dialog("U0ADA", &message, "approve");
    let no = stage.open_dialog("U0CAY", &message, "reject");
    let (yes, no) =
        (stage.slack.send_dialog("U0ADA", &yes, &[]), stage.slack.send_dialog("U0CAY", &no, &[("reason", "no")]));
    let answers = std::thread::scope(|scope| {
        let both = [scope.spawn(|| stage.send(&yes)), scope.spawn(|| stage.send(&no))];
        both.map(|one| one.join().expect("sent"))
    });
    let told: Vec<&Value> = answers.iter().map(|taken| &taken.body).filter(|body| !body.is_null()).collect();
    assert_eq!((told.len(), &told[0]["response_action"]), (1, &json!("update")), "{answers:?}");
    let words = told[0].to_string();
    assert!(words.contains("already decided") && words.contains(" by ") && words.contains("UTC"), "{words}");
    let decided = stage.decided(&asked);
    assert_eq!(decided.iter().filter(|(_, _, late)| !late).count(), 1, "{decided:?}");
    let end = if decided.iter().any(|(kind, _, late)| kind == "approve" && !late) { "succeeded" } else { "rejected" };
    stage.ends(&asked, end);
    assert_eq!(stage.live().is_some(), end == "succeeded");
}

#[test]
fn closing_the_dialog_leaves_a_note_in_the_audit_log_and_nothing_else() {
    let stage = Stage::open(Transport::Socket, GATE);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    let dialog = stage.open_dialog("U0ADA", &message, "reject");
    let before = stage.record.size();
    assert_eq!(stage.send(&stage.slack.close_dialog("U0ADA", &dialog)).status, 200);
    let [decisions, requests, runs, audit] = before;
    assert_eq!(stage.record.size(), [decisions, requests, runs, audit + 1]);
    let newest = "SELECT action || ' ' || actor || ' ' || subject FROM audit ORDER BY sequence DESC LIMIT 1";
    assert_eq!(stage.record.texts(newest), [format!("dialog.closed slack:{TEAM}/U0ADA {}", asked.request)]);
    assert_eq!(stage.request(&asked), ("open".to_string(), Vec::new()));
}

#[test]
fn typed_words_decide_nothing() {
    for transport in [Transport::Socket, Transport::Http] {
        let stage = Stage::open(transport, GATE);
        let asked = stage.ask();
        let message = stage.headed(&asked, "is waiting for 1 person");
        let before = stage.record.size();
        for words in ["ok", "LGTM", "approve", "yes", &format!("approve {}", asked.request)] {
            for thread in [Value::Null, json!(message.ts)] {
                say(&stage, words, &thread);
            }
        }
        assert_eq!(stage.record.size(), before, "{transport:?}");
        assert_eq!(stage.request(&asked), ("open".to_string(), Vec::new()));
        // It is the button that counts.
        stage.decide("U0ADA", &message, "approve", "seen");
        stage.ends(&asked, "succeeded");
    }
}

/// Somebody types into the channel or the thread, or uses a command.
fn say(stage: &Stage, words: &str, thread: &Value) {
    let event = json!({ "type": "event_callback", "team_id": TEAM, "api_app_id": "A0APP", "event": { "type": "message",
        "channel": "C0GATES", "user": "U0ADA", "text": words, "thread_ts": thread } });
    let command = json!({ "command": "/countersign", "text": words, "user_id": "U0ADA", "team_id": TEAM });
    match stage.transport {
        Transport::Socket => {
            let open = stage.slack.sockets.open()[0];
            let sent = stage.slack.sockets.acknowledged().len();
            for (kind, payload) in [("events_api", &event), ("slash_commands", &command)] {
                let envelope = format!("typed-{sent}-{kind}");
                let frame = json!({ "envelope_id": envelope, "type": kind, "payload": payload });
                stage.slack.sockets.send(open, &frame);
                eventually("acknowledged", || stage.slack.sockets.acknowledgement(&envelope));
            }
        }
        Transport::Http => {
            let command = format!("command=%2Fcountersign&text={words}&user_id=U0ADA&team_id={TEAM}").replace(' ', "+");
            for body in [form(&event), event.to_string(), command] {
                let answer = stage.signed(&body, now().as_secs() as i64, SIGNING);
                assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
            }
        }
    }
}

#[test]
fn only_the_opaque_handle_chooses_a_request() {
    let stage = Stage::open(Transport::Http, GATE);
    let old = stage.ask();
    stage.headed(&old, "is waiting for 1 person");
    let new = stage.ask();
    let message = stage.headed(&new, "is waiting for 1 person");
    let hold = stage.press("U0ADA", &message, "hold");
    let handle = hold["actions"][0]["value"].as_str().expect("a handle");
    let (_, nonce) = handle.split_once('.').expect("request and nonce");
    let before = stage.record.size();
    for wrong in [format!("{}.{nonce}", old.request), new.request.clone(), format!("{}.", new.request), new.run.clone()]
    {
        let mut click = hold.clone();
        click["actions"][0]["value"] = wrong.into();
        click["message"]["metadata"]["event_payload"]["request"] = new.request.clone().into();
        assert_eq!(stage.send(&click).status, 200);
    }
    eventually("each is told in private", || {
        (stage.slack.whispers().iter().filter(|(_, words)| words.contains("unknown")).count() == 4).then_some(())
    });
    assert_eq!(stage.record.size(), before);
    // GET means nothing at the endpoint, whoever fetches it.
    let (body, seconds) = (form(&hold), now().as_secs() as i64);
    let signed = signature(SIGNING, seconds, &body);
    let timestamp = seconds.to_string();
    for method in ["GET", "HEAD"] {
        let headers = [("x-slack-request-timestamp", &*timestamp), ("x-slack-signature", &*signed)];
        let answer = http::send(&stage.address, &format!("{method} /slack/interactions?{body}"), &headers, b"");
        assert_eq!(answer.status, 405, "{answer:?}");
    }
    assert_eq!(stage.record.size(), before);
}
