//! Envelopes and bundles, judged by the tools of others: securesystemslib and in-toto-attestation.

use crate::release::Release;
use countersign_judges::{python, run};
use std::path::Path;
use std::process::Command;

#[test]
fn strangers_verify_our_envelopes_and_refuse_changed_ones() {
    let Some(python) = python() else { return };
    let release = Release::signed();
    let directory = release.folder.path().join("bundle");
    release.bundle(&directory).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/judge_bundle.py");
    let said = run(Command::new(python).arg(script).arg(&directory).arg(directory.join("signing.pub")));
    assert_eq!(said.trim(), "2 envelopes hold, 6 changed ones are refused");
}

#[test]
fn the_readme_of_a_bundle_does_what_it_says() {
    let Some(python) = python() else { return };
    let release = Release::signed();
    let directory = release.folder.path().join("bundle");
    release.bundle(&directory).unwrap();
    let readme = std::fs::read_to_string(directory.join("README.txt")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("    "));
    let script: Vec<&str> = lines.skip_while(|line| !line.starts_with("import")).collect();
    std::fs::write(directory.join("team.pub"), release.pem()).unwrap();
    let mut command = Command::new(&python);
    let said = run(command.current_dir(&directory).arg("-c").arg(script.join("\n")));
    assert!(said.contains("'person': 'ada'") && said.contains("'person': 'bob'"), "{said}");
    std::fs::write(directory.join("team.pub"), Release::signed().pem()).unwrap();
    let refused = Command::new(&python).current_dir(&directory).arg("-c").arg(script.join("\n")).output().unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty(), "another key verifies");
}
