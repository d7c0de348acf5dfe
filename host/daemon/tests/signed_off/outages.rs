//! Slack is away, slow or wrong: nobody is kept from deciding, everybody can see it, and each message arrives once.

use crate::harness::eventually;
use crate::http;
use crate::page::Page;
use crate::prepared::{GATE, people};
use crate::stage::{Asked, Stage, Transport};
use countersign_slack_double::{Fault, Trouble};
use std::time::Duration;

fn metric(stage: &Stage, name: &str) -> f64 {
    let answer = http::send(&stage.address, "GET /metrics", &[], b"");
    let line =
        answer.body.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {}", answer.body));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

/// Ada may also come to the page by link.
fn open(transport: Transport) -> Stage {
    let mut stage = Stage::new(transport, GATE);
    stage.people(&people().replace("slack = \"T0TEAM/U0ADA\"", "slack = \"T0TEAM/U0ADA\"\nlocal = \"ada\""));
    stage.serve();
    stage
}

/// The message is on its way and its trouble can be seen everywhere.
fn visible(stage: &Stage, asked: &Asked, page: &Page) {
    eventually("`status` tells of it", || {
        let status = stage.data(&["status"]);
        let failing = status["undelivered"].as_array()?.iter().find(|one| one["run"] == *asked.run)?.clone();
        (failing["channel"] == "slack:#gates" && failing["problem"].as_str()?.contains("call")).then_some(())
    });
    stage.run(&["status"]).must(0).says("✘ slack:#gates").says("tried again at");
    assert!(metric(stage, "countersign_outbox_pending") >= 1.0);
    let shown = page.get(&format!("/requests/{}", asked.request));
    assert!(shown.status == 200 && shown.body.contains("Slack did not get this"), "{}", shown.body);
}

fn survives(trouble: Trouble, transport: Transport) {
    let stage = open(transport);
    stage.slack.trouble(Some(trouble));
    let asked = stage.ask();
    let page = Page::sign_in(&stage, "ada");
    visible(&stage, &asked, &page);
    // The run goes on without Slack.
    let approved = page.approve(&asked);
    assert_eq!(approved.status, 200, "{approved:?}");
    stage.ends(&asked, "succeeded");
    assert!(stage.live().is_some() && stage.slack.messages().is_empty());
    stage.slack.trouble(None);
    let live = stage.headed(&asked, "is live");
    assert!(live.blocks.to_string().contains("seen on the page"), "{}", live.blocks);
    eventually("everything is delivered", || (metric(&stage, "countersign_outbox_pending") == 0.0).then_some(()));
    assert_eq!(stage.slack.messages().len(), 1, "one message, however often it was tried");
    assert_eq!(metric(&stage, "countersign_outbox_dead"), 0.0);
    assert_eq!(stage.data(&["status"])["undelivered"], serde_json::json!([]));
}

#[test]
fn while_slack_is_down_people_decide_on_the_page_and_the_message_arrives_once_afterwards() {
    survives(Trouble::Down, Transport::Http);
}

#[test]
fn while_slack_answers_500_people_decide_on_the_page_and_the_message_arrives_once_afterwards() {
    survives(Trouble::Status(500), Transport::Socket);
}

#[test]
fn while_slack_hangs_people_decide_on_the_page_and_the_message_arrives_once_afterwards() {
    survives(Trouble::Hang, Transport::Http);
}

#[test]
fn while_slack_breaks_off_people_decide_on_the_page_and_the_message_arrives_once_afterwards() {
    survives(Trouble::Reset, Transport::Http);
}

#[test]
fn a_socket_that_slack_dropped_is_opened_again_and_the_old_button_works() {
    let stage = open(Transport::Socket);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    stage.slack.trouble(Some(Trouble::Down));
    eventually("the socket is gone", || stage.slack.sockets.open().is_empty().then_some(()));
    eventually("and that can be seen", || (metric(&stage, "countersign_slack_connected") == 0.0).then_some(()));
    stage.slack.trouble(None);
    // Delivered over the next socket, as Slack does.
    stage.decide("U0ADA", &message, "approve", "patience");
    stage.ends(&asked, "succeeded");
    stage.headed(&asked, "is live");
    assert_eq!(stage.decided(&asked).len(), 1);
}

#[test]
fn while_slack_hangs_a_click_is_still_durable_and_acknowledged_within_three_seconds() {
    for transport in [Transport::Socket, Transport::Http] {
        let stage = open(transport);
        let asked = stage.ask();
        let dialog = stage.open_dialog("U0ADA", &stage.headed(&asked, "is waiting for 1 person"), "approve");
        stage.slack.trouble(Some(Trouble::Hang));
        let taken = stage.send(&stage.slack.send_dialog("U0ADA", &dialog, &[("reason", "seen")]));
        assert!(taken.status == 200 && taken.took < Duration::from_secs(3), "{transport:?}: {taken:?}");
        assert_eq!(stage.record.texts("SELECT kind FROM decisions"), ["approve"]);
        stage.slack.trouble(None);
        stage.headed(&asked, "is live");
    }
}

#[test]
fn a_terminal_decides_without_slack_too() {
    let stage = open(Transport::Socket);
    stage.slack.trouble(Some(Trouble::Down));
    let asked = stage.ask();
    stage.run(&["approve", &asked.run, "--reason", "seen in the terminal"]).must(0).says("is live at");
    stage.slack.trouble(None);
    stage.says(&asked, "seen in the terminal");
    assert_eq!(stage.messages(&asked).len(), 1);
}

#[test]
fn when_slack_asks_to_wait_it_is_waited_for_and_nothing_is_lost_or_doubled() {
    let stage = open(Transport::Socket);
    stage.slack.fail("chat.postMessage", Fault::RateLimit(3));
    let asked = stage.ask();
    stage.headed(&asked, "is waiting for 1 person");
    let calls = stage.slack.calls("chat.postMessage");
    let answers: Vec<&str> = calls.iter().map(|call| call.answer.as_str()).collect();
    assert_eq!(answers, ["429", "ok"]);
    assert!(calls[1].at - calls[0].at >= Duration::from_secs(3), "{:?}", calls[1].at - calls[0].at);
    // Three gates at once, one channel: a second apart, each once, none refused. The double refuses what comes sooner.
    for name in ["b", "c"] {
        let text = std::fs::read_to_string(stage.gate(GATE)).expect("the pipeline");
        let text =
            text.replace("name = \"taxi-tips\"", &format!("name = \"{name}\"")).replace("models/taxi-tips", name);
        let file = stage.home.write(&format!("others/{name}.toml"), &text);
        stage.run(&["run", file.to_str().expect("a path")]).must(4);
    }
    eventually("all are posted", || (stage.slack.messages().len() == 3).then_some(()));
    let calls = stage.slack.calls("chat.postMessage");
    assert_eq!((calls.len(), calls.iter().filter(|call| call.answer == "429").count()), (4, 1), "{calls:?}");
}

#[test]
fn an_answer_that_was_lost_leaves_one_live_message() {
    let stage = open(Transport::Socket);
    stage.slack.fail("chat.postMessage", Fault::DoneThenReset);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    stage.decide("U0ADA", &message, "approve", "seen");
    stage.ends(&asked, "succeeded");
    assert_eq!(stage.headed(&asked, "is live").ts, message.ts);
    assert_eq!((stage.slack.messages().len(), stage.slack.calls("chat.postMessage").len()), (1, 1));
    let methods: Vec<String> =
        stage.slack.all_calls().into_iter().map(|call| format!("{} {}", call.method, call.answer)).collect();
    assert!(!stage.slack.calls("conversations.history").is_empty(), "it looked before it posted again: {methods:?}");
    assert_eq!(stage.decided(&asked).len(), 1);
}

#[test]
fn a_message_that_slack_finds_too_long_is_posted_short_and_can_be_decided() {
    let stage = open(Transport::Http);
    stage.slack.fail("chat.postMessage", Fault::Refuse("msg_blocks_too_long"));
    let asked = stage.ask();
    let short = stage.says(&asked, "Slack did not take the whole message");
    stage.decide("U0ADA", &short, "approve", "seen on the page");
    stage.ends(&asked, "succeeded");
    stage.headed(&asked, "is live");
    assert_eq!(stage.slack.messages().len(), 1);
}

#[test]
fn a_picture_that_is_not_ready_delays_nothing_and_comes_later() {
    let stage = open(Transport::Socket);
    stage.slack.pictures_refused(3);
    let asked = stage.ask();
    let first = stage.slack.calls("chat.postMessage");
    let message = stage.headed(&asked, "is waiting for 1 person");
    assert!(first.iter().all(|call| !call.arguments["blocks"].to_string().contains("slack_file")));
    assert!(stage.slack.press("U0ADA", &message, "approve").is_some(), "it can be decided before the picture is there");
    let pictured = stage.says(&asked, "slack_file");
    assert!(pictured.blocks.to_string().contains("alt_text") && stage.slack.messages().len() == 1);
    stage.decide("U0ADA", &pictured, "approve", "seen");
    stage.headed(&asked, "is live");
}
