//! Two years later: what was live, who signed for it, and a bundle that shows every changed byte.

use crate::prepared::{GATE, ROWS};
use crate::stage::{Stage, Transport};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Approves the newest candidate over Slack, and answers the model that is live then.
fn goes_live(stage: &Stage) -> String {
    let asked = stage.ask();
    stage.decide("U0ADA", &stage.headed(&asked, "is waiting for 1 person"), "approve", "seen");
    stage.ends(&asked, "succeeded");
    stage.headed(&asked, "is live");
    stage.record.texts("SELECT model FROM pushes ORDER BY completed_at DESC LIMIT 1").remove(0)
}

#[test]
fn a_bundle_is_valid_until_one_byte_of_it_changes() {
    let stage = Stage::open(Transport::Socket, GATE);
    goes_live(&stage);
    stage.run(&["bundle", "taxi-tips", "bundle", "--with-examples"]).must(0).says("verify bundle");
    std::fs::copy(stage.home.path().join("state/signing.pub"), stage.home.path().join("trusted.pub")).expect("the key");
    let verify = || stage.run(&["verify", "bundle", "--key", "trusted.pub"]);
    verify().must(0).says("valid: model").says("approve by ada (slack:T0TEAM/U0ADA) as ");
    let bundle = stage.home.path().join("bundle");
    let all = files(&bundle);
    assert!(all.len() > 10, "{all:?}");
    for file in all {
        let sound = std::fs::read(&file).expect("a file");
        for place in [0, sound.len() / 2, sound.len() - 1] {
            let mut bytes = sound.clone();
            bytes[place] ^= 1;
            std::fs::write(&file, bytes).expect("write");
            let found = verify();
            assert_eq!(found.code, 1, "byte {place} of {}: {}", file.display(), found.stdout);
            assert!(found.stdout.contains("NOT VALID"), "{}", found.stdout);
        }
        std::fs::write(&file, &sound).expect("write");
    }
    verify().must(0);
    // Signed with another installation's key.
    let other = Stage::new(Transport::Socket, GATE);
    std::fs::remove_dir_all(other.home.path().join("state")).expect("another installation");
    other.ask();
    std::fs::copy(other.home.path().join("state/signing.pub"), stage.home.path().join("other.pub")).expect("the key");
    stage.run(&["verify", "bundle", "--key", "other.pub"]).must(1).says("NOT VALID");
}

#[test]
fn what_was_live_at_a_time_is_told_with_who_signed_for_it() {
    let stage = Stage::open(Transport::Socket, GATE);
    let first = goes_live(&stage);
    let more: Vec<&str> = ROWS.lines().skip(1).take(300).collect();
    stage.home.write("incoming/trips-2026-11-02.csv", &format!("{ROWS}{}\n", more.join("\n")));
    let second = goes_live(&stage);
    assert_ne!(first, second);
    let instants = stage.record.texts(
        "SELECT strftime('%Y-%m-%dT%H:%M:%S', completed_at / 1000000 + seconds, 'unixepoch') || 'Z'
         FROM (SELECT completed_at, -1 AS seconds FROM pushes UNION ALL SELECT completed_at, 1 FROM pushes)
         ORDER BY completed_at, seconds",
    );
    let live = |at: &str| stage.data(&["deployed", "taxi-tips", "--at", at])["push"]["model"].clone();
    let models: Vec<Value> = instants.iter().map(|at| live(at)).collect();
    assert_eq!(
        models,
        [Value::Null, first.clone().into(), first.clone().into(), second.clone().into()],
        "{instants:?}"
    );
    stage.run(&["deployed", "taxi-tips", "--at", &instants[0]]).must(1).says("nothing of `taxi-tips` was live");
    stage.run(&["deployed", "taxi-tips", "--at", &instants[1]]).must(0).says(&first[..12]).says("slack:T0TEAM/U0ADA");
    stage.run(&["deployed", "taxi-tips"]).must(0).says(&second[..12]).says("ada");
}
