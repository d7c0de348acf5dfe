//! Manual pages, judged by mandoc.

use crate::harness::Home;
use std::path::Path;
use std::process::{Command, Output};

fn lint(page: &Path) -> Output {
    Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(page).output().expect("mandoc runs")
}

#[test]
fn every_command_has_a_page_that_mandoc_accepts() {
    let home = Home::new();
    let dir = home.path().join("man1");
    home.run(&["man", "--dir", dir.to_str().expect("text")]).must(0);
    let pages: Vec<_> = std::fs::read_dir(&dir).expect("pages").flatten().map(|entry| entry.path()).collect();
    for name in ["countersign.1", "countersign-serve.1", "countersign-logs.1", "countersign-pipeline-next.1"] {
        assert!(pages.iter().any(|page| page.ends_with(name)), "{name} in {pages:?}");
    }
    home.run(&["man"]).must(0).says(".TH countersign 1");
    if !countersign_judges::found("mandoc") {
        return;
    }
    for page in &pages {
        let said = lint(page);
        assert!(said.status.success(), "{}: {}", page.display(), String::from_utf8_lossy(&said.stdout));
    }
    let broken = home.write("broken.1", ".TH x 1\n.SH NAME\n.XX\n.SH\n");
    assert!(!lint(&broken).status.success());
}
