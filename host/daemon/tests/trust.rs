//! What was signed is what is pushed: changed bytes, changed evidence, people who may not decide.

mod harness;

use harness::{Home, newest_run, show};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const DEMO: &[&str] = &["--demo"];

/// The stored file of the run's step and output.
fn stored(home: &Home, run: &Value, step: &str, output: &str, file: &str) -> PathBuf {
    let executions = run["executions"].as_array().expect("executions");
    let execution = executions.iter().find(|one| one["step"] == step).expect("the step");
    let digest = execution["state"]["result"]["outputs"][output]["digest"].as_str().expect("a digest");
    home.demo().join(format!("state/artifacts/sha256/{}/{digest}/files/{file}", &digest[..2]))
}

/// Flips one bit, as somebody with the owner's rights could.
fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).expect("the stored file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    std::fs::write(file, bytes).expect("write");
}

#[test]
fn a_flipped_bit_in_anything_that_was_signed_stops_the_push() {
    let files = [
        ("model", "model", "model.onnx"),
        ("evaluation", "evaluation", "evaluation.json"),
        ("difficulty", "difficulty", "difficulty.json"),
    ];
    for (step, output, file) in files {
        let home = Home::new();
        home.run(&["demo"]).must(4);
        let run = newest_run(&home, DEMO);
        flip(&stored(&home, &show(&home, DEMO, &run), step, output, file));
        home.run(&["--demo", "approve", &run, "--reason", "fine"]).must(4).says(file).says("earlier result unusable");
        // What people approved is gone: it is made again, and they are asked again.
        let shown = show(&home, DEMO, &run);
        let states: Vec<&Value> = shown["requests"]
            .as_array()
            .expect("requests")
            .iter()
            .map(|one| &one["request"]["state"]["status"])
            .collect();
        assert_eq!(states, ["open", "void"]);
        assert!(!home.demo().join("models/taxi-tips/current").exists());
    }
}

#[test]
fn a_damaged_result_is_not_reused_but_made_again() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let run = show(&home, DEMO, &newest_run(&home, DEMO));
    flip(&stored(&home, &run, "evaluation", "evaluation", "evaluation.json"));
    home.run(&["demo"]).says("earlier result unusable");
}

#[test]
fn who_holds_no_role_decides_nothing() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let run = newest_run(&home, DEMO);
    let settings = home.demo().join("countersign.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, text.replace("\"owner\"", "\"visitor\"")).expect("write settings");
    home.run(&["--demo", "approve", &run, "--reason", "please"]).must(4).says("holds none of the roles");
    assert!(show(&home, DEMO, &run)["requests"][0]["decisions"].as_array().expect("decisions").is_empty());
    home.run(&["--demo", "doctor"]).must(0);
}
