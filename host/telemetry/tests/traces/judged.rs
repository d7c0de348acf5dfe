//! What was sent, read by opentelemetry-proto's own classes.

use crate::collector::Collector;
use crate::story::{cached, execution, failed, push, request, result, run, second};
use countersign_model::execution::ExecutionState;
use countersign_model::run::{RunEnd, RunState};
use countersign_model::secret::Secret;
use countersign_telemetry::{Span, TraceOptions, Tracer, push_span, run_span, signoff_span, step_span};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn spans() -> [Vec<Span>; 2] {
    let succeeded = |at| ExecutionState::Succeeded { result: result(second(at)) };
    let one = [
        execution(10, "statistics", 1, second(1), cached(second(-500))),
        execution(11, "model", 1, second(2), failed(second(3))),
        execution(12, "model", 2, second(5), succeeded(29)),
    ];
    let mut other = vec![signoff_span(&request(), second(90))];
    other.extend(step_span(&execution(13, "push", 1, second(91), succeeded(94))));
    other.extend(push_span(&push()));
    other.extend(run_span(&run(RunEnd::Succeeded)));
    [one.iter().filter_map(step_span).collect(), other]
}

#[tokio::test]
async fn two_daemons_make_one_trace_that_the_official_classes_read() {
    let Some(python) = countersign_judges::python() else { return };
    let collector = Collector::start(Some(Vec::new()));
    let folder = tempfile::tempdir().unwrap();
    for (number, spans) in spans().into_iter().enumerate() {
        let tracer = Tracer::new(TraceOptions {
            endpoint: collector.endpoint.clone(),
            headers: Secret::new("authorization=Bearer%20key-1"),
            instance: format!("wrk_{number}"),
        })
        .unwrap();
        spans.into_iter().for_each(|span| tracer.span(span));
        tracer.close(Duration::from_secs(60)).await;
        let came = collector.next();
        assert!(came.head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{}", came.head);
        let head = came.head.to_lowercase();
        assert!(head.contains("\r\nauthorization: bearer key-1\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-type: application/x-protobuf\r\n"), "{head}");
        std::fs::write(folder.path().join(format!("{number}.pb")), came.body).unwrap();
    }
    assert!(collector.rest().is_empty());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/judge_traces.py");
    let said = countersign_judges::run(Command::new(python).arg(script).arg(folder.path()));
    check(&serde_json::from_str(&said).unwrap());
    for secret in ["in-the-parameters", "in-the-summary", "in-the-detail", "in-the-evidence", "in-the-nonce", "key-1"] {
        assert!(!said.contains(secret), "{secret}");
    }
}

fn check(read: &Value) {
    let run = run(RunEnd::Succeeded).id;
    assert_eq!(read["traces"].as_array().unwrap().len(), 1, "{read:#}");
    assert_eq!(read["instances"], serde_json::json!(["wrk_0", "wrk_1"]));
    assert_eq!(read["services"], serde_json::json!(["countersign"]));
    let spans = read["spans"].as_array().unwrap();
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    let [root] = named("run taxi-tips")[..] else { panic!("{read:#}") };
    assert_eq!((&root["parent"], &root["attributes"]["countersign.run.id"]), (&"".into(), &run.to_string().into()));
    let hex: String = run.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&root["trace"], &root["id"]), (&hex.clone().into(), &hex[16..].into()));
    let ids: BTreeSet<&str> = spans.iter().map(|span| span["id"].as_str().unwrap()).collect();
    assert_eq!((spans.len(), ids.len()), (7, 7));
    let nanos = |span: &Value, key: &str| span[key].as_u64().unwrap();
    for span in spans.iter().filter(|span| span["id"] != root["id"]) {
        assert_eq!((&span["trace"], &span["parent"]), (&root["trace"], &root["id"]));
        assert!(nanos(root, "start") <= nanos(span, "start") && nanos(span, "end") <= nanos(root, "end"), "{span:#}");
    }
    assert!(spans.iter().all(|span| nanos(span, "start") <= nanos(span, "end")));
    let [first, second] = named("step model")[..] else { panic!("{read:#}") };
    assert_eq!((&first["status"], &second["status"]), (&"STATUS_CODE_ERROR".into(), &"STATUS_CODE_UNSET".into()));
    assert_eq!(first["attributes"]["error.type"], "limit.memory");
    assert_eq!(first["message"], "it wanted more than 512 MiB");
    assert_eq!(
        (&first["attributes"]["countersign.attempt"], &second["attributes"]["countersign.attempt"]),
        (&1.into(), &2.into())
    );
    assert_eq!(named("step statistics")[0]["attributes"]["countersign.cached"], true);
    assert_eq!(nanos(named("sign-off review")[0], "end") - nanos(named("sign-off review")[0], "start"), 60_000_000_000);
    assert_eq!(named("push serving")[0]["attributes"]["countersign.pipeline"], "taxi-tips");
}

#[test]
fn what_is_not_over_has_no_span_and_no_time_runs_backwards() {
    assert_eq!(run_span(&countersign_model::run::Run { state: RunState::Queued, ..run(RunEnd::Succeeded) }), None);
    assert_eq!(step_span(&execution(11, "model", 1, second(2), ExecutionState::Running)), None);
    assert_eq!(push_span(&countersign_model::push::Push { completed_at: None, ..push() }), None);
    let late = step_span(&execution(11, "model", 1, second(2), failed(second(1)))).unwrap();
    assert_eq!(late.started_at, late.ended_at);
}

#[test]
fn only_what_did_not_work_is_an_error() {
    let failure = |end: RunEnd| run_span(&run(end)).unwrap().failure.map(|failure| failure.code);
    let by = countersign_model::actor::Actor::local("bob");
    assert_eq!(failure(RunEnd::Succeeded), None);
    assert_eq!(failure(RunEnd::Rejected { by, reason: "no".to_string() }), None);
    assert_eq!(failure(RunEnd::Expired).as_deref(), Some("expired"));
    let blocked = RunEnd::Blocked { step: "drift".to_string(), reasons: vec!["fare".to_string()] };
    assert_eq!(failure(blocked).as_deref(), Some("blocked"));
}
