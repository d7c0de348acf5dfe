//! Trap 9: every way to move a waiting run is known and goes through the one decision core. The list is read off the store's trait and
//! the sources, so that a new way without a rule fails here.

use crate::world::{World, policy};
use countersign_model::actor::Actor;
use countersign_model::run::{Claim, RunEnd, RunState};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Methods of the store that can move a waiting run or close its request, and the only files of the host that call them.
const MOVERS: [(&str, &[&str]); 5] = [
    ("record_decision", &["orchestrator/src/decide.rs"]),
    ("close_request", &["orchestrator/src/deadlines.rs", "orchestrator/src/permit.rs"]),
    ("open_request", &["orchestrator/src/gate.rs"]),
    ("cancel_run", &["orchestrator/src/desk.rs"]),
    ("advance_request", &["orchestrator/src/deadlines.rs"]),
];

/// Writes that need a claim on the run, which a waiting one can not have, or that touch no run.
const OTHERS: &[&str] = &[
    "register_pipeline",
    "accept_event",
    "claim_run",
    "heartbeat",
    "release_run",
    "end_run",
    "begin_execution",
    "publish_execution",
    "record_delivery",
    "record_poke",
    "begin_push",
    "complete_push",
    "settle_notice",
    "record_note",
];

/// Methods that only read.
const READS: &[&str] = &[
    "pipeline_version",
    "pipelines",
    "events",
    "run",
    "runs",
    "counts",
    "executions",
    "execution",
    "execution_log",
    "cached_execution",
    "previous_execution",
    "artifact",
    "artifacts",
    "resolve",
    "lineage",
    "request",
    "requests",
    "waiting",
    "decisions",
    "open_request_of",
    "due_requests",
    "pokes",
    "pushes",
    "live_at",
    "due_notices",
    "undelivered",
    "audit_entries",
    "audit_head",
];

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_method_of_the_store_is_known_to_move_a_waiting_run_or_not() {
    let text = std::fs::read_to_string(host().join("ports/src/metadata_store.rs")).unwrap();
    let methods: BTreeSet<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("async fn ")?.split('(').next()).collect();
    let known: BTreeSet<&str> =
        MOVERS.iter().map(|(name, _)| *name).chain(OTHERS.iter().copied()).chain(READS.iter().copied()).collect();
    assert_eq!(methods, known);
}

#[test]
fn what_moves_a_waiting_run_is_called_in_the_core_only() {
    let mut callers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut open = vec![host()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            // The store is what is called, and tests call everything.
            if path.is_dir() && !["store", "ports", "tests", "fixture", "target"].contains(&name.as_str()) {
                open.push(path);
            } else if name.ends_with(".rs") && !name.contains("test") {
                let text = std::fs::read_to_string(&path).unwrap();
                let file = path.strip_prefix(host()).unwrap().display().to_string();
                for (mover, _) in MOVERS {
                    if text.contains(&format!(".{mover}(")) {
                        callers.entry(mover).or_default().insert(file.clone());
                    }
                }
            }
        }
    }
    for (mover, allowed) in MOVERS {
        let found = callers.remove(mover).unwrap_or_default();
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        assert_eq!(found, allowed, "{mover}");
    }
}

#[tokio::test]
async fn no_worker_moves_a_run_that_waits() {
    let world = World::new();
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    assert_eq!(world.engine.claim(Some(&run)).await.unwrap(), None);
    assert_eq!(world.engine.claim(None).await.unwrap(), None);
    let worker = countersign_model::id::WorkerId::from_ulid(ulid::Ulid::from_parts(1, 1));
    for epoch in 0..3 {
        let forged = Claim { run, worker, epoch };
        let end = RunEnd::Succeeded;
        assert!(world.store.end_run(&forged, &end, request.posted_at, &[]).await.is_err());
        assert!(world.store.open_request(&forged, &request, &[]).await.is_err());
        assert!(world.store.heartbeat(&forged, std::time::Duration::from_secs(1)).await.is_err());
        let _ = world.engine.release(&forged).await;
    }
    // A second start is another run, and does not answer for this one.
    let version = world.store.pipelines().await.unwrap().remove(0);
    world.engine.start(&version, &Actor::local("ada")).await.unwrap();
    assert_eq!(world.state(&run).await, RunState::Waiting { request: request.id });
}
