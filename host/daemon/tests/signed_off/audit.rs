//! Somebody with the owner's rights changes the audit log: the first entry that does not fit is named, and what Slack was shown finds
//! a tail that was cut off.

use crate::harness::Ran;
use crate::prepared::GATE;
use crate::record::Record;
use crate::stage::{Stage, Transport};
use std::process::Command;

/// A copy of the state, spoiled.
fn spoiled(stage: &Stage, statements: &str, arguments: &[&str]) -> Ran {
    let copy = stage.home.path().join("spoiled");
    let _ = std::fs::remove_dir_all(&copy);
    let done = Command::new("cp").arg("-a").arg(stage.home.path().join("state")).arg(&copy).status();
    assert!(done.expect("cp runs").success());
    Record::new(&copy.join("metadata.db"), stage.runtime()).tamper(statements);
    let mut verify = stage.home.command(&[&["--config", "countersign.toml"], arguments].concat());
    Ran::of(&verify.env("COUNTERSIGN_STATE_DIR", copy).output().expect("the binary runs"))
}

#[test]
fn the_first_bad_entry_is_named_and_a_cut_tail_is_found_by_what_slack_was_shown() {
    let mut stage = Stage::open(Transport::Socket, GATE);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    stage.decide("U0ADA", &message, "reject", "not this week");
    let rejected = stage.headed(&asked, "was rejected").blocks.to_string();
    stage.ends(&asked, "rejected");
    stage.stop();
    let (_, head) = rejected.split_once("audit log ").expect("the head of the audit log");
    let anchor = head.split(" · ").next().expect("a head").replace('`', "");
    stage.run(&["audit", "verify", "--anchor", &anchor]).must(0).says("every one fits");

    let verify = ["audit", "verify"];
    spoiled(&stage, "UPDATE audit SET actor = 'slack:T0TEAM/U0EVE' WHERE sequence = 10", &verify)
        .must(1)
        .says("entry 10 was changed");
    spoiled(&stage, "UPDATE audit SET at = at + 1 WHERE action = 'decision.recorded'", &verify)
        .must(1)
        .says("was changed");
    spoiled(&stage, "DELETE FROM audit WHERE sequence = 10", &verify).must(1).says("entry 11 is not the next one");
    let swap =
        "UPDATE audit SET sequence = -10 WHERE sequence = 10; UPDATE audit SET sequence = 10 WHERE sequence = 11;
                UPDATE audit SET sequence = 11 WHERE sequence = -10";
    spoiled(&stage, swap, &verify).must(1).says("entry 10");
    spoiled(&stage, "DELETE FROM audit WHERE sequence = 1", &verify).must(1).says("entry 2");

    let (number, _) = anchor.trim_start_matches('#').split_once(' ').expect("number and hash");
    let cut = format!("DELETE FROM audit WHERE sequence >= {number}");
    spoiled(&stage, &cut, &verify).must(0);
    let anchored = ["audit", "verify", "--anchor", &anchor];
    spoiled(&stage, &cut, &anchored).must(1).says(&format!("entry {number}")).says("cut off");
    // It grew again since.
    let regrown = format!(
        "DELETE FROM audit WHERE sequence > {number}; UPDATE audit SET hash = '{}' WHERE sequence = {number}",
        "ab".repeat(32)
    );
    spoiled(&stage, &regrown, &anchored).must(1);
    stage.run(&["--output", "json", "audit", "verify", "--anchor", &anchor]).must(0);
}
