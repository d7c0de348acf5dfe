//! The daemon dies at the click, is away, or comes back newer: no decision is lost or doubled, and old buttons work.

use crate::harness::eventually;
use crate::prepared::GATE;
use crate::stage::{Stage, Transport};
use countersign_slack_double::Fault;
use serde_json::Value;
use std::net::TcpStream;
use std::time::Duration;

const RECORDED: &str = "SELECT kind FROM decisions";

#[test]
fn a_decision_that_was_acknowledged_survives_kill_9_and_its_redelivery_counts_once() {
    for transport in [Transport::Socket, Transport::Http] {
        let mut stage = Stage::open(transport, GATE);
        let asked = stage.ask();
        let message = stage.headed(&asked, "is waiting for 1 person");
        let dialog = stage.open_dialog("U0ADA", &message, "approve");
        let sent = stage.slack.send_dialog("U0ADA", &dialog, &[("reason", "before the crash")]);
        assert_eq!(stage.send(&sent).status, 200);
        stage.kill();
        assert_eq!(stage.record.texts(RECORDED), ["approve"], "durable when it was acknowledged");
        stage.serve();
        assert_eq!(stage.send(&sent).body, Value::Null, "delivered again");
        stage.ends(&asked, "succeeded");
        stage.headed(&asked, "is live");
        assert_eq!(stage.record.texts(RECORDED), ["approve"], "{transport:?}");
        assert_eq!((stage.record.number("SELECT count(*) FROM pushes"), stage.slack.messages().len()), (1, 1));
        stage.run(&["audit", "verify"]).must(0);
    }
}

#[test]
fn killed_at_any_moment_after_the_click_it_is_decided_once() {
    let mut stage = Stage::open(Transport::Socket, GATE);
    for delay in [0, 1, 2, 4, 8, 16] {
        let asked = stage.ask();
        let hold = stage.press("U0ADA", &stage.headed(&asked, "is waiting for 1 person"), "hold");
        let envelope = stage.envelope(&hold);
        std::thread::sleep(Duration::from_millis(delay));
        stage.kill();
        let recorded =
            stage.record.number(&format!("SELECT count(*) FROM decisions WHERE request = '{}'", asked.request));
        let acknowledged = stage.slack.sockets.acknowledgement(&envelope).is_some();
        assert!(!acknowledged || recorded == 1, "acknowledged and lost, {delay} ms after the click");
        stage.serve();
        stage.send(&hold);
        assert_eq!(stage.decided(&asked).len(), 1, "{delay} ms after the click");
        stage.headed(&asked, "is on hold");
        assert_eq!(stage.messages(&asked).len(), 1);
    }
    stage.run(&["audit", "verify"]).must(0);
}

#[test]
fn killed_while_a_message_is_on_its_way_it_is_found_again_and_not_posted_twice() {
    let mut stage = Stage::open(Transport::Socket, GATE);
    // The message is there, and whoever sent it dies before the answer that never comes.
    stage.slack.fail("chat.postMessage", Fault::DoneThenReset);
    let asked = stage.ask();
    eventually("the message is there", || stage.messages(&asked).pop());
    stage.kill();
    stage.serve();
    eventually("and is known", || (stage.data(&["status"])["counts"]["outbox_pending"] == 0).then_some(()));
    assert_eq!((stage.messages(&asked).len(), stage.slack.calls("chat.postMessage").len()), (1, 1));
    stage.decide("U0ADA", &stage.messages(&asked)[0], "approve", "seen");
    stage.headed(&asked, "is live");
}

#[test]
fn a_click_while_the_daemon_is_away_is_made_again_and_works() {
    let mut stage = Stage::open(Transport::Http, GATE);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    stage.stop();
    // Slack shows the person that it did not work: nobody took it.
    assert!(TcpStream::connect(&stage.address).is_err());
    let size = stage.record.size();
    stage.serve();
    assert_eq!(stage.record.number(RECORDED.replace("kind", "count(*)").as_str()), size[0]);
    stage.decide("U0ADA", &message, "approve", "second try");
    stage.ends(&asked, "succeeded");
    assert_eq!(stage.headed(&asked, "is live").ts, message.ts, "the old message, edited");
    assert_eq!(stage.slack.messages().len(), 1);
}

#[test]
fn what_a_daemon_of_the_schema_before_asked_is_posted_and_decided_after_the_upgrade() {
    let mut stage = Stage::new(Transport::Http, GATE);
    let asked = stage.ask();
    stage.record.tamper(&older());
    stage.serve();
    let message = stage.headed(&asked, "is waiting for 1 person");
    // And a button of before the next restart.
    stage.kill();
    stage.serve();
    stage.decide("U0ADA", &message, "approve", "after the upgrade");
    stage.ends(&asked, "succeeded");
    stage.headed(&asked, "is live");
    assert_eq!(stage.slack.messages().len(), 1);
    stage.run(&["audit", "verify"]).must(0);
}

/// Takes back what the second migration did.
fn older() -> String {
    let mut statements = String::new();
    for index in [
        "requests_due",
        "requests_open_since",
        "outbox_pending",
        "outbox_of_channel",
        "outbox_dead",
        "outbox_undelivered",
        "outbox_undelivered_of_run",
    ] {
        statements.push_str(&format!("DROP INDEX {index};"));
    }
    for (table, columns) in [
        ("requests", &["verdict", "nonce", "progress", "next_at"][..]),
        ("decisions", &["person", "second_factor", "conditions", "envelope"]),
        ("pushes", &["conditions"]),
    ] {
        for column in columns {
            statements.push_str(&format!("ALTER TABLE {table} DROP COLUMN {column};"));
        }
    }
    for table in ["pokes", "posts", "credentials", "used_keys"] {
        statements.push_str(&format!("DROP TABLE {table};"));
    }
    statements.push_str("CREATE INDEX outbox_due ON outbox (next_at, id) WHERE status = 'pending';");
    statements.push_str("DELETE FROM _sqlx_migrations WHERE version = 2;");
    statements
}
