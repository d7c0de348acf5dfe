//! What every installation here is made from: people, a pipeline, and a state in which every step ran once.

use crate::harness::Home;
use countersign_slack_double::TEAM;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub const SIGNING: &str = "canary-signing-secret-0003";
const PIPELINE: &str = include_str!("../../../../config/pipelines/taxi-tips.toml");
pub const ROWS: &str = include_str!("../../../../config/samples/taxi/taxi_big_tipper.csv");
/// A gate that one owner can pass anywhere.
pub const GATE: &str =
    "approvers = [{ role = \"owner\", count = 1 }]\napprove_on = [\"slack\", \"page\", \"terminal\"]";

/// Another owner in Slack.
pub const TEAM_OWNERS: &str = "[people.cay]\nroles = [\"owner\"]\nslack = \"T0TEAM/U0CAY\"\n";

/// Who decides.
pub fn people() -> String {
    let person = Command::new("id").arg("-un").output().expect("who runs the tests");
    let person = String::from_utf8_lossy(&person.stdout).trim().to_string();
    format!(
        "[people.ada]\nroles = [\"owner\"]\nslack = \"{TEAM}/U0ADA\"\n\
         [people.bob]\nroles = [\"data-scientist\"]\nslack = \"{TEAM}/U0BOB\"\n\
         [people.you]\nroles = [\"owner\"]\nlocal = \"{person}\"\n"
    )
}

/// The demo's pipeline without its triggers, and with other words in its gate.
pub fn pipeline(gate: &str) -> String {
    let (head, rest) = PIPELINE.split_once("[trigger]").expect("a trigger");
    let (_, rest) = rest.split_once("[source.trips]").expect("a source");
    let (steps, rest) = rest.split_once("approvers = ").expect("a gate");
    let (_, push) = rest.split_once("[step.push]").expect("a push");
    let source = "[source.trips]".to_string() + &steps.replace("incoming/", "../incoming/");
    format!("{head}{source}{gate}\n\n[step.push]{push}")
}

/// The state of an installation in which every step ran once: later runs find their results there.
pub fn prepared() -> &'static Path {
    static PREPARED: OnceLock<PathBuf> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let home = Home::new();
        home.write("incoming/trips-2026-11-01.csv", ROWS);
        home.write("countersign.toml", "state_dir = \"state\"\n");
        let ungated = pipeline("");
        let (steps, _) = ungated.split_once("# The run stops here").expect("the gate");
        home.write("pipelines/taxi-tips.toml", steps);
        home.run(&["--config", "countersign.toml", "run", "pipelines/taxi-tips.toml"]).must(0);
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("signoff-prepared");
        let _ = std::fs::remove_dir_all(&kept);
        copy(&home.path().join("state"), &kept);
        kept
    })
}

pub fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(done.success(), "copy {} to {}", from.display(), to.display());
}
