//! How a call can end: an answer, an error of the component's own, a trap, or nobody waiting.

use crate::stage::{Stage, fails, shared};
use countersign_model::component::Limits;
use countersign_ports::component_runner::{ComponentRunner, StepObserver};
use std::sync::Arc;

#[tokio::test]
async fn a_good_call_answers_and_everything_it_says_is_heard() {
    let stage = Stage::new("behave");
    let outcome = stage.run().await.expect("a good call");
    assert_eq!((outcome.summary.as_str(), outcome.findings.len()), ("read 3 notes", 0));
    assert_eq!(std::fs::read_to_string(stage.output().join("note.txt")).unwrap(), "read: one, two, three");
    let lines = stage.listener.lines.lock().unwrap();
    let said: Vec<(&str, &str)> = lines.iter().map(|line| (line.level.as_str(), line.message.as_str())).collect();
    assert_eq!(said, [("info", "behaving"), ("stdout", "printed"), ("stderr", "complained")]);
    assert_eq!(lines[0].fields["notes"], "3");
    assert_eq!(*stage.listener.metrics.lock().unwrap(), [("notes".to_string(), 3.0)]);
    assert_eq!(stage.listener.progress.lock().unwrap()[0].unit, "notes");
}

#[tokio::test]
async fn the_components_own_errors_keep_their_kind() {
    fails("invalid-input", "invalid-input", &["column `fare` is empty"]).await;
    fails("refused", "refused", &["not with this model"]).await;
    fails("bug", "bug", &["my fault"]).await;
    let (_, error) = fails("transient", "transient", &["try again"]).await;
    assert!(error.transient);
}

#[tokio::test]
async fn a_panic_brings_its_words_its_line_and_a_backtrace() {
    let (_, error) = fails("panic", "trap", &["panicked at", "lib.rs:", "the sky is falling"]).await;
    assert!(error.detail.contains("wasm backtrace"), "{}", error.detail);
    assert!(error.detail.contains("misbehave"), "function names are kept: {}", error.detail);
    assert!(error.detail.contains("standard error ends with:"), "{}", error.detail);
    assert!(!error.transient);
}

#[tokio::test]
async fn other_ends_are_traps_too() {
    fails("unreachable", "trap", &["unreachable"]).await;
    fails("exit", "trap", &["ended itself with exit code 1"]).await;
    fails("divide-by-zero", "trap", &["panicked at", "out of bounds"]).await;
    fails("recurse", "trap", &["call itself without end"]).await;
}

#[tokio::test]
async fn a_mount_that_is_not_there_is_named() {
    let mut stage = Stage::new("behave");
    stage.invocation.inputs[0].paths[0] = "/nowhere/at/all".into();
    let error = stage.run().await.expect_err("nothing to mount");
    assert_eq!(error.code, "mount");
    assert!(error.message.contains("/nowhere/at/all") && error.message.contains("/in/input"), "{error:?}");
}

#[tokio::test]
async fn wrong_parameters_are_the_users() {
    let mut stage = Stage::new("behave");
    stage.invocation.parameters = serde_json::json!({ "hwo": "behave" });
    let error = stage.run().await.expect_err("unknown parameter");
    assert_eq!(error.code, "invalid-input");
    assert!(error.message.contains("hwo"), "{error:?}");
}

#[tokio::test]
async fn dropping_the_future_stops_the_component() {
    for how in ["loop-forever", "sleep-forever", "query-forever", "write-without-end"] {
        let mut stage = Stage::new(how);
        stage.invocation.limits = Limits { time_seconds: 3600, output_mib: 1 << 20, ..Limits::default() };
        let observer: Arc<dyn StepObserver> = stage.listener.clone();
        let mut call = Box::pin(shared().execute(stage.invocation.clone(), observer));
        // Runs: the call's log and its store hold the listener, besides us.
        while Arc::strong_count(&stage.listener) < 3 {
            tokio::select! {
                biased;
                ended = &mut call => panic!("{how} ended: {ended:?}"),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
        }
        drop(call);
        while Arc::strong_count(&stage.listener) > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}
