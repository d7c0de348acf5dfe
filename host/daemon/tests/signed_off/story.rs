//! From a message to a live model, over both transports alike.

use crate::prepared::GATE;
use crate::stage::{Asked, Stage, Transport};
use countersign_slack_double::Message;
use serde_json::Value;
use std::time::Duration;

/// What people saw and did, without what differs from run to run.
#[derive(Debug, PartialEq)]
struct Story {
    interactions: usize,
    decisions: Vec<(String, String, bool)>,
    states: Vec<&'static str>,
    dialog: Value,
    end: Value,
}

fn posted(stage: &Stage, asked: &Asked) -> Message {
    let message = stage.headed(asked, "is waiting for 1 person");
    let blocks = message.blocks.to_string();
    for action in ["open", "approve", "reject", "hold"] {
        assert!(blocks.contains(&format!("\"countersign.{action}\"")), "{action}: {blocks}");
    }
    assert!(blocks.contains(&asked.evidence[..12]), "the digest that `show` shows: {blocks}");
    assert!(blocks.contains(&format!("http://{}/requests/{}", stage.address, asked.request)), "{blocks}");
    // Whatever was written since, the entry that the message names is in the log.
    let (_, anchor) = blocks.split_once("audit log ").expect("the audit log's head");
    let anchor = anchor.split(" · ").next().expect("a head").replace('`', "");
    stage.run(&["audit", "verify", "--anchor", &anchor]).must(0);
    message
}

fn tell(transport: Transport) -> Story {
    let stage = Stage::open(transport, GATE);
    let asked = stage.ask();
    let message = posted(&stage, &asked);

    let click = stage.press("U0ADA", &message, "approve");
    let opened = stage.send(&click);
    assert_eq!(opened.status, 200);
    assert!(opened.took < Duration::from_secs(3), "acknowledged after {:?}", opened.took);
    let dialog = crate::harness::eventually("the dialog is open", || stage.slack.dialog(&click));
    assert!(stage.decided(&asked).is_empty(), "a click on approve decides nothing yet");
    let sent = stage.slack.send_dialog("U0ADA", &dialog, &[("reason", "looked at the slices")]);
    let taken = stage.send(&sent);
    // The answer has just come: the decision is in the database, signed.
    let recorded =
        stage.record.texts("SELECT kind || ' ' || actor || ' ' || reason FROM decisions WHERE envelope IS NOT NULL");
    assert_eq!(recorded, ["approve slack:T0TEAM/U0ADA looked at the slices"]);
    assert_eq!((taken.status, &taken.body), (200, &Value::Null));
    assert!(taken.took < Duration::from_secs(3), "acknowledged after {:?}", taken.took);

    let end = stage.ends(&asked, "succeeded");
    let live = stage.headed(&asked, "is live");
    assert!(stage.live().is_some() && live.blocks.to_string().contains("looked at the slices"));
    for action in ["approve", "reject", "hold"] {
        assert!(stage.slack.press("U0ADA", &live, action).is_none(), "{action} is left: {}", live.blocks);
    }
    assert_eq!((stage.messages(&asked).len(), live.ts), (1, message.ts), "one message, edited");
    assert_eq!(stage.slack.calls("chat.postMessage").len(), 1);
    let approved =
        stage.slack.calls("chat.update").iter().any(|call| call.arguments["text"].to_string().contains("is approved"));
    assert!(approved, "approved before it was live");
    assert!(stage.slack.all_calls().iter().all(|call| call.answer == "ok"), "{:?}", stage.slack.all_calls());

    Story {
        interactions: 2,
        decisions: stage.decided(&asked),
        states: vec!["waiting", "approved", "live"],
        dialog: dialog["blocks"].clone(),
        end: end["run"]["state"].clone(),
    }
}

#[test]
fn two_interactions_lead_from_a_message_to_a_live_model_over_both_transports_alike() {
    let socket = tell(Transport::Socket);
    let http = tell(Transport::Http);
    assert_eq!(socket, http);
    assert_eq!(socket.decisions, [("approve".to_string(), "slack:T0TEAM/U0ADA".to_string(), false)]);
}
