//! What is told without being asked: runs that were blocked, that failed, that found something worth a look.

use crate::harness::eventually;
use crate::prepared::{GATE, ROWS, people};
use crate::stage::{Stage, Transport};
use countersign_slack_double::Message;

fn alert(stage: &Stage, words: &str) -> Message {
    eventually(&format!("an alert says: {words}"), || {
        let alerts = stage.slack.messages().into_iter().filter(|message| message.channel == "C0ALERTS");
        alerts
            .filter(|message| message.metadata["event_type"] == "countersign_alert")
            .find(|message| message.text.contains(words))
    })
}

/// The bundled rows with every fare times 1.8 plus 3.
fn drifted() -> String {
    let mut rows = csv::Reader::from_reader(ROWS.as_bytes());
    let header = rows.headers().expect("a header").clone();
    let fare = header.iter().position(|name| name == "fare").expect("a fare");
    let mut written = csv::Writer::from_writer(Vec::new());
    written.write_record(&header).expect("write");
    for row in rows.records() {
        let row = row.expect("a row");
        let changed = row.iter().enumerate().map(|(column, value)| match value.parse::<f64>() {
            Ok(value) if column == fare => format!("{:.2}", value * 1.8 + 3.0),
            Ok(_) | Err(_) => value.to_string(),
        });
        written.write_record(changed).expect("write");
    }
    String::from_utf8(written.into_inner().expect("rows")).expect("text")
}

#[test]
fn blocked_failed_and_warned_runs_are_told_in_a_channel_of_their_own_and_grouped() {
    let mut stage = Stage::new(Transport::Socket, GATE);
    // What came from an earlier run was told then: here nothing ran before.
    std::fs::remove_dir_all(stage.home.path().join("state")).expect("forget the state");
    let routes = ["blocked", "failed", "warned"].map(|kind| format!("{kind} = \"slack:#alerts\"\n")).concat();
    stage.people(&format!("{}[alerts]\n{routes}", people()));
    stage.serve();
    let asked = stage.ask();
    let warned = alert(&stage, "1 run found something worth a look");
    assert!(warned.blocks.to_string().contains("pickup_census_tract"), "{}", warned.blocks);
    stage.headed(&asked, "is waiting for 1 person");

    stage.home.write("incoming/trips-2026-11-02.csv", &drifted());
    stage.run(&["run", "pipelines/taxi-tips.toml"]).must(3);
    let blocked = alert(&stage, "1 run was blocked by a check");
    let said = blocked.blocks.to_string();
    for fact in ["fare", "expected", "seen", "previous", "Nothing was deployed"] {
        assert!(said.contains(fact), "{fact} is missing: {said}");
    }
    stage.run(&["run", "pipelines/taxi-tips.toml"]).must(3);
    assert_eq!(alert(&stage, "2 runs were blocked by a check").ts, blocked.ts, "one message that counts");

    stage.home.write("incoming/trips-2026-11-03.csv", "a,b\n");
    stage.run(&["run", "pipelines/taxi-tips.toml"]).must(1);
    let failed = alert(&stage, "1 run failed");
    assert!(failed.blocks.to_string().contains("header"), "{}", failed.blocks);
    let alerts: Vec<Message> =
        stage.slack.messages().into_iter().filter(|message| message.channel == "C0ALERTS").collect();
    assert_eq!(alerts.len(), 3, "one a kind: {alerts:?}");
    assert_eq!(stage.request(&asked).0, "open", "the candidate before it can still be decided");
}

#[test]
fn a_waiting_run_that_is_stopped_says_so_where_it_asked() {
    let stage = Stage::open(Transport::Http, GATE);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    stage.run(&["cancel", &asked.run]).must(0);
    let stopped = stage.headed(&asked, "was stopped");
    assert!(stage.slack.press("U0ADA", &stopped, "approve").is_none(), "{}", stopped.blocks);
    stage.send(&stage.press("U0ADA", &message, "approve"));
    eventually("told in private", || {
        stage.slack.whispers().iter().any(|(_, words)| words.contains("its run was stopped")).then_some(())
    });
    assert_eq!((stage.request(&asked).0.as_str(), stage.live()), ("cancelled", None));
}
