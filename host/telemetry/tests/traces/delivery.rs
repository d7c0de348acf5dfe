//! Collectors that are down, refuse, or never answer.

use crate::collector::Collector;
use crate::story::run;
use countersign_model::run::RunEnd;
use countersign_model::secret::Secret;
use countersign_telemetry::{Span, TelemetryError, TraceOptions, Tracer, run_span};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn tracer(endpoint: &str) -> Tracer {
    let options = TraceOptions { endpoint: endpoint.to_string(), headers: None, instance: "wrk_1".to_string() };
    Tracer::new(options).unwrap()
}

fn span() -> Span {
    run_span(&run(RunEnd::Succeeded)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_not_taken_now_is_sent_again_unchanged() {
    let collector = Collector::start(Some(vec![(503, Vec::new())]));
    let tracer = tracer(&collector.endpoint);
    tracer.span(span());
    let (first, second) = tokio::task::block_in_place(|| (collector.next(), collector.next()));
    assert_eq!(first.body, second.body);
    tracer.close(LONG).await;
    assert_eq!(tracer.dropped(), 0);
    assert!(collector.rest().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_refused_is_counted_and_the_next_one_is_sent() {
    let collector = Collector::start(Some(vec![(400, Vec::new())]));
    let tracer = tracer(&collector.endpoint);
    tracer.span(span());
    tokio::task::block_in_place(|| collector.next());
    tracer.span(Span { name: "later".to_string(), ..span() });
    tracer.close(LONG).await;
    let second = tokio::task::block_in_place(|| collector.next());
    assert!(second.body.windows(5).any(|bytes| bytes == b"later"));
    assert_eq!(tracer.dropped(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_the_collector_rejects_are_counted() {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 3 } }
    let collector = Collector::start(Some(vec![(200, vec![0x0a, 0x02, 0x08, 0x03])]));
    let tracer = tracer(&collector.endpoint);
    tracer.span(span());
    tracer.close(LONG).await;
    assert_eq!(tracer.dropped(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_delays_nobody_and_the_queue_is_bounded() {
    let collector = Collector::start(None);
    let tracer = tracer(&collector.endpoint);
    tracer.span(span());
    tokio::task::block_in_place(|| collector.next());
    // The first is under way for ever; a full queue takes 4,096 more.
    (0..5_000).for_each(|_| tracer.span(span()));
    assert_eq!(tracer.dropped(), 5_000 - 4_096);
    tracer.close(Duration::ZERO).await;
    tracer.span(span());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_does_not_keep_a_daemon_from_stopping() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let tracer = tracer(&format!("http://{address}/v1/traces"));
    tracer.span(span());
    tracer.close(LONG).await;
    assert_eq!(tracer.dropped(), 1);
}

#[tokio::test]
async fn wrong_options_are_refused_without_showing_a_key() {
    let with = |endpoint: &str, headers: &str| {
        let options =
            TraceOptions { endpoint: endpoint.to_string(), headers: Secret::new(headers), instance: String::new() };
        Tracer::new(options).err()
    };
    for endpoint in ["", "collector:4318", "grpc://collector:4317"] {
        assert!(matches!(with(endpoint, ""), Some(TelemetryError::Endpoint(_))), "{endpoint}");
    }
    let error = with("http://127.0.0.1:4318/v1/traces", "authorization").unwrap();
    assert!(!format!("{error} {error:?}").contains("authorization"));
}
