//! One run, three processes, one trace.

use crate::collector::Collector;
use crate::daemon::{Daemon, demo_killed_after, until};
use crate::harness::{Home, newest_run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

#[test]
fn a_run_that_three_processes_carried_is_one_trace() {
    let Some(python) = countersign_judges::python() else { return };
    let collector = Collector::start(Some(Vec::new()));
    let traces = [("COUNTERSIGN_TRACES_ENDPOINT", collector.endpoint.as_str())];
    let home = Home::new();
    // Killed: what it had sent by then arrives, what it had not is missing.
    demo_killed_after(&home, "✔ transform", &traces);
    let mut daemon = Daemon::start(&home, &traces);
    until(&home, "waiting");
    assert_eq!(daemon.process.terminate(), 0);
    let run = newest_run(&home, &["--demo"]);
    let mut approve = home.command(&["--demo", "approve", &run, "--reason", "in-the-reason"]);
    let approved = approve.envs(traces).output().expect("the command runs");
    assert!(approved.status.success(), "{}", String::from_utf8_lossy(&approved.stderr));
    let folder = tempfile::tempdir().expect("a folder");
    for (number, came) in collector.rest().into_iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number:02}.pb")), came.body).expect("keep the request");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/judge_traces.py");
    let said = countersign_judges::run(Command::new(python).arg(script).arg(folder.path()));
    assert!(!said.contains("in-the-reason"), "{said}");
    let read: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(read["traces"].as_array().map(Vec::len), Some(1), "{read:#}");
    assert!(read["instances"].as_array().is_some_and(|instances| instances.len() >= 2), "{read:#}");
    let spans = read["spans"].as_array().expect("spans");
    let named = |name: &str| spans.iter().find(|span| span["name"] == name);
    let root = named("run taxi-tips").expect("the run");
    assert_eq!(root["attributes"]["countersign.run.id"], run);
    assert_eq!(root["attributes"]["countersign.run.end"], "succeeded");
    for span in spans.iter().filter(|span| span["id"] != root["id"]) {
        assert_eq!(span["parent"], root["id"], "{span:#}");
        assert!(
            span["start"].as_u64() >= root["start"].as_u64() && span["end"].as_u64() <= root["end"].as_u64(),
            "{span:#}"
        );
    }
    let names: BTreeSet<&str> = spans.iter().filter_map(|span| span["name"].as_str()).collect();
    for name in ["step model", "step evaluation", "step push"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    assert!(
        names.iter().any(|name| name.starts_with("sign-off ")) && names.iter().any(|name| name.starts_with("push "))
    );
}
