//! Sends batches, and tries again while the collector does not answer. One warning says that it does not, one line that it does again.

use crate::error::TelemetryError;
use crate::header;
use crate::otlp::{self, ExportTraceAnswer};
use crate::span::Span;
use crate::tracer::TraceOptions;
use prost::Message as _;
use reqwest::{StatusCode, Url};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Spans of one request.
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const LINGER: Duration = Duration::from_millis(500);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const LARGEST_ANSWER: usize = 64 * 1024;
/// Pause after the first failure; it doubles with each ...
const PAUSE: Duration = Duration::from_secs(1);
/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Talks to the collector.
pub struct Exporter {
    http: reqwest::Client,
    endpoint: Url,
    instance: String,
    dropped: Arc<AtomicU64>,
    /// It was said that the collector does not answer.
    warned: bool,
}

/// What became of a request.
enum Sent {
    /// Taken; so many of its spans were not.
    Taken { rejected: u64 },
    /// Refused for good: the same again would be refused again.
    Refused(String),
    /// Not now.
    NotNow(String),
}

impl Exporter {
    /// For those options.
    pub fn new(options: TraceOptions, dropped: Arc<AtomicU64>) -> Result<Self, TelemetryError> {
        let endpoint = Url::parse(&options.endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let endpoint = endpoint.ok_or_else(|| TelemetryError::Endpoint(options.endpoint.clone()))?;
        // Fails when somebody in this process installed one before: then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .default_headers(header::read(options.headers.as_ref())?);
        if matches!(endpoint.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| TelemetryError::Client(error.without_url()))?;
        Ok(Self { http, endpoint, instance: options.instance, dropped, warned: false })
    }

    async fn send(&self, body: Vec<u8>) -> Sent {
        let request = self.http.post(self.endpoint.clone()).header("content-type", "application/x-protobuf").body(body);
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Sent::NotNow(in_full(&error.without_url())),
        };
        let status = response.status();
        if status.is_success() {
            let mut answer = Vec::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                if answer.len() + chunk.len() > LARGEST_ANSWER {
                    break;
                }
                answer.extend_from_slice(&chunk);
            }
            // A collector that answers something else has taken the spans all the same.
            let rejected = ExportTraceAnswer::decode(answer.as_slice()).ok().and_then(|answer| answer.partial_success);
            return Sent::Taken {
                rejected: rejected.map_or(0, |part| u64::try_from(part.rejected_spans).unwrap_or(0)),
            };
        }
        let said = format!("status {}", status.as_u16());
        // The codes that the protocol calls retryable.
        let again = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ];
        if again.contains(&status) { Sent::NotNow(said) } else { Sent::Refused(said) }
    }

    /// Delivers a batch, however often it takes; while closing once only.
    async fn deliver(&mut self, batch: &[Span], closing: &mut watch::Receiver<bool>) {
        let body = otlp::request(batch, &self.instance).encode_to_vec();
        let mut pause = PAUSE;
        loop {
            let (problem, lost) = match self.send(body.clone()).await {
                Sent::Taken { rejected } => {
                    if self.warned {
                        tracing::info!("traces: the collector answers again");
                        self.warned = false;
                    }
                    return self.lose(rejected, "the collector rejected spans");
                }
                Sent::Refused(problem) => (problem, true),
                Sent::NotNow(problem) => (problem, *closing.borrow()),
            };
            if !self.warned {
                // Without path and user: some services take a key there.
                let collector = self.endpoint.origin().ascii_serialization();
                tracing::warn!(collector, error = problem, "traces: the collector does not take spans");
                self.warned = true;
            }
            if lost {
                return self.lose(batch.len() as u64, "spans were not taken");
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told(closing) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Counts lost spans; says so the first time.
    fn lose(&self, spans: u64, why: &'static str) {
        if spans > 0 && self.dropped.fetch_add(spans, Ordering::Relaxed) == 0 {
            tracing::warn!(spans, "traces: {why}; they are counted from now on");
        }
    }
}

/// Sends what comes until it is told to close, and then what is there.
pub async fn run(mut exporter: Exporter, mut waiting: mpsc::Receiver<Span>, mut closing: watch::Receiver<bool>) {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            received = waiting.recv_many(&mut batch, BATCH) => if received == 0 { return },
            () = told(&mut closing) => {}
        }
        if !batch.is_empty() && batch.len() < BATCH {
            tokio::select! {
                () = tokio::time::sleep(LINGER) => {}
                () = told(&mut closing) => {}
            }
        }
        while batch.len() < BATCH
            && let Ok(span) = waiting.try_recv()
        {
            batch.push(span);
        }
        if batch.is_empty() {
            // Told to close, and nothing is left.
            return;
        }
        exporter.deliver(&batch, &mut closing).await;
        batch.clear();
    }
}

/// Waits until the tracer closes.
async fn told(closing: &mut watch::Receiver<bool>) {
    // An error means that every handle is gone, and with them whoever could close.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
