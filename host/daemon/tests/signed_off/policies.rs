//! What a gate's policy asks for, as people meet it in Slack.

use crate::harness::eventually;
use crate::page::Page;
use crate::prepared::{GATE, people};
use crate::stage::{Stage, Transport};
use countersign_slack_double::submission;
use serde_json::{Value, json};

pub const BOTH: &str = "approvers = [{ role = \"owner\", count = 1 }, { role = \"data-scientist\", count = 1 }]\n\
                        approve_on = [\"slack\", \"page\", \"terminal\"]";

#[test]
fn two_roles_sign_and_the_message_counts_them() {
    let stage = Stage::open(Transport::Socket, BOTH);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 2 people");
    stage.decide("U0ADA", &message, "approve", "the numbers are good");
    let half = stage.headed(&asked, "1 of 2 signed");
    assert!(half.blocks.to_string().contains("data-scientist (0 of 1), owner (1 of 1)"), "{}", half.blocks);
    // The same person again is not the second one.
    stage.decide("U0ADA", &half, "approve", "and again");
    assert_eq!((stage.request(&asked).0.as_str(), stage.live()), ("open", None));
    stage.decide("U0BOB", &stage.messages(&asked)[0], "approve", "the data is good");
    stage.ends(&asked, "succeeded");
    let live = stage.headed(&asked, "is live").blocks.to_string();
    assert!(live.contains("the numbers are good") && live.contains("the data is good"), "{live}");
}

#[test]
fn one_rejection_with_a_reason_ends_the_run() {
    let stage = Stage::open(Transport::Http, GATE);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    let dialog = stage.open_dialog("U0ADA", &message, "reject");
    let silent = stage.send(&stage.slack.send_dialog("U0ADA", &dialog, &[("reason", " ")]));
    assert_eq!(silent.body["response_action"], "errors", "{silent:?}");
    assert!(silent.body["errors"]["reason"].as_str().expect("words").contains("needs a reason"));
    let sent = stage.send(&stage.slack.send_dialog("U0ADA", &dialog, &[("reason", "the weekend slice is worse")]));
    assert_eq!((sent.status, &sent.body), (200, &Value::Null));
    let end = stage.ends(&asked, "rejected");
    assert_eq!(end["run"]["state"]["end"]["reason"], "the weekend slice is worse");
    let rejected = stage.headed(&asked, "was rejected");
    assert!(rejected.blocks.to_string().contains("the weekend slice is worse") && stage.live().is_none());
    // A click on a copy that somebody had open is late, told to them alone, and changes nothing.
    assert_eq!(stage.send(&stage.press("U0BOB", &message, "approve")).status, 200);
    eventually("told in private", || {
        stage.slack.whispers().iter().any(|(_, words)| words.contains("already decided: rejected")).then_some(())
    });
    assert_eq!(stage.request(&asked).0, "rejected");
}

#[test]
fn a_hold_is_said_and_the_request_stays_open() {
    let stage = Stage::open(Transport::Socket, GATE);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    assert_eq!(stage.send(&stage.press("U0ADA", &message, "hold")).status, 200);
    let held = stage.headed(&asked, "is on hold");
    assert_eq!(stage.request(&asked).0, "open");
    stage.decide("U0ADA", &held, "approve", "now");
    stage.ends(&asked, "succeeded");
    stage.headed(&asked, "is live");
    let kinds: Vec<String> = stage.decided(&asked).into_iter().map(|(kind, _, _)| kind).collect();
    assert_eq!(kinds, ["hold", "approve"]);
}

#[test]
fn a_newer_candidate_takes_the_buttons_off_the_older_message() {
    let stage = Stage::open(Transport::Socket, GATE);
    let old = stage.ask();
    let stale = stage.headed(&old, "is waiting for 1 person");
    let new = stage.ask();
    let superseded = stage.headed(&old, "was superseded by a newer candidate");
    assert!(superseded.blocks.to_string().contains(&new.run), "{}", superseded.blocks);
    assert!(stage.slack.press("U0ADA", &superseded, "approve").is_none());
    // Somebody whose screen still shows the old buttons.
    for action in ["approve", "hold"] {
        assert_eq!(stage.send(&stage.press("U0ADA", &stale, action)).status, 200);
    }
    eventually("told in private, twice", || {
        let told = stage.slack.whispers();
        (told.iter().filter(|(user, words)| user == "U0ADA" && words.contains("superseded")).count() == 2).then_some(())
    });
    assert!(stage.slack.views().is_empty(), "no dialog for what is over");
    let late = |kind: &str| (kind.to_string(), "slack:T0TEAM/U0ADA".to_string(), true);
    assert_eq!(stage.decided(&old), [late("approve"), late("hold")]);
    assert_eq!(stage.decided(&new), []);
    stage.decide("U0ADA", &stage.headed(&new, "is waiting for 1 person"), "approve", "the newer one");
    stage.ends(&new, "succeeded");
    assert_eq!(stage.show(&old.run)["run"]["state"]["end"]["end"], "superseded");
}

#[test]
fn what_nobody_decided_in_time_is_rejected_and_may_be_asked_and_answered_again() {
    let mut stage = Stage::open(Transport::Http, &format!("{GATE}\nexpire = {{ after = \"2s\", then = \"reject\" }}"));
    let asked = stage.ask();
    let expired = stage.headed(&asked, "expired: nobody decided in time");
    assert!(stage.slack.press("U0ADA", &expired, "approve").is_none());
    stage.ends(&asked, "expired");
    let handle = format!("{}.{}", asked.request, stage.record.texts("SELECT nonce FROM requests")[0]);
    let late = stage.send(&submission("U0ADA", "approve", &handle, "V9", "sorry, I was away"));
    assert_eq!(late.body["response_action"], "update", "{late:?}");
    assert!(late.body.to_string().contains("expired") && stage.live().is_none());
    assert_eq!(stage.decided(&asked), [("approve".to_string(), "slack:T0TEAM/U0ADA".to_string(), true)]);
    assert_eq!(stage.request(&asked).0, "expired");
    // The same candidate again, with time to look: another answer takes effect.
    stage.stop();
    stage.gate(GATE);
    stage.serve();
    let again = stage.ask();
    stage.decide("U0ADA", &stage.headed(&again, "is waiting for 1 person"), "approve", "in time");
    stage.ends(&again, "succeeded");
    assert!(stage.live().is_some());
}

#[test]
fn downtime_neither_extends_a_deadline_nor_skips_it() {
    let mut stage = Stage::new(Transport::Socket, &format!("{GATE}\nexpire = {{ after = \"1s\", then = \"reject\" }}"));
    let asked = stage.ask();
    let over = || {
        stage
            .record
            .number("SELECT posted_at + 1000000 <= CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM requests")
    };
    eventually("the deadline passes while nobody looks", || (over() == 1).then_some(()));
    assert_eq!(stage.request(&asked).0, "open");
    stage.serve();
    stage.ends(&asked, "expired");
    let message = stage.headed(&asked, "expired: nobody decided in time");
    assert!(stage.slack.press("U0ADA", &message, "approve").is_none(), "{}", message.blocks);
    eventually("and once only", || (stage.data(&["status"])["counts"]["outbox_pending"] == 0).then_some(()));
    assert_eq!(stage.slack.messages().len(), 1);
}

#[test]
fn reminders_and_escalation_go_to_the_thread_and_an_overdue_request_stays_open() {
    let gate = format!(
        "{GATE}\nremind = \"2s\"\nescalate = {{ after = \"3s\", to = \"@ml-leads\" }}\nexpire = {{ after = \"4s\", then = \"hold\" }}"
    );
    let stage = Stage::new(Transport::Socket, &gate);
    stage.slack.set_groups(json!([{ "id": "S0LEADS", "handle": "ml-leads", "users": ["U0BOB"], "date_delete": 0 }]));
    let mut stage = stage;
    stage.serve();
    let asked = stage.ask();
    let overdue = stage.headed(&asked, "is overdue");
    let replies = |words: &str| {
        let replies = stage.slack.messages().into_iter().filter(|message| message.thread.as_ref() == Some(&overdue.ts));
        replies.filter(|message| message.blocks.to_string().contains(words)).count()
    };
    eventually("escalated in the thread", || (replies("<!subteam^S0LEADS>") > 0).then_some(()));
    eventually("reminded in the thread", || (replies("") >= 2).then_some(()));
    assert_eq!((replies("<!subteam^S0LEADS>"), stage.messages(&asked).len()), (1, 1));
    // No timeout ever approves, and none keeps people from approving.
    assert_eq!((stage.request(&asked).0.as_str(), stage.live()), ("open", None));
    stage.decide("U0ADA", &stage.messages(&asked)[0], "approve", "late but still");
    stage.ends(&asked, "succeeded");
}

#[test]
fn a_failed_check_is_overridden_on_the_page_only_and_shows_it_for_ever() {
    let gate = format!("{GATE}\noverride = {{ approvers = [{{ role = \"owner\", count = 1 }}], on = [\"page\"] }}");
    let stage = Stage::new(Transport::Http, &gate);
    let path = stage.gate(&gate);
    let strict =
        std::fs::read_to_string(&path).expect("the pipeline").replace("at_least = 0.6 }", "at_least = 0.999 }");
    std::fs::write(&path, strict).expect("write the pipeline");
    let rest = people().replace("slack = \"T0TEAM/U0ADA\"", "slack = \"T0TEAM/U0ADA\"\nlocal = \"ada\"");
    stage.people(&rest);
    let mut stage = stage;
    stage.serve();
    let asked = stage.ask();
    let message = stage.says(&asked, "Open and decide");
    for action in ["approve", "override"] {
        assert!(stage.slack.press("U0ADA", &message, action).is_none(), "{action}: {}", message.blocks);
    }
    // Who makes up what the message does not offer is sent to the page.
    let handle = stage.press("U0ADA", &message, "hold")["actions"][0]["value"].as_str().expect("a handle").to_string();
    for kind in ["approve", "override"] {
        let refused = stage.send(&submission("U0ADA", kind, &handle, "V9", "let it through"));
        let words = refused.body["errors"]["reason"].as_str().expect("words").to_string();
        assert!(words.contains("page") && words.contains(&asked.request), "{words}");
    }
    let page = Page::sign_in(&stage, "ada");
    assert_eq!(page.approve(&asked).status, 403);
    let why = json!({ "kind": "override", "reason": "the check is about yesterday's outage" });
    assert_eq!(page.decide(&asked, &json!({ "kind": "override" })).status, 422);
    assert_eq!(page.decide(&asked, &why).status, 200);
    stage.ends(&asked, "succeeded");
    let live = stage.headed(&asked, "is live against a failed check");
    assert!(live.blocks.to_string().contains("overrode the failed check"), "{}", live.blocks);
}
