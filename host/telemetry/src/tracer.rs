//! The handle that spans are given to: a bounded queue in front of one task.

use crate::error::TelemetryError;
use crate::export::{self, Exporter};
use crate::span::Span;
use countersign_model::secret::Secret;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Spans that wait to be sent: some megabytes at most.
const QUEUE: usize = 4096;

/// Where traces go.
pub struct TraceOptions {
    /// The whole address, such as `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: String,
    /// Headers for it: `name=value,name=value`.
    pub headers: Option<Secret>,
    /// Tells this process from others: `service.instance.id`.
    pub instance: String,
}

/// Sends spans in the background. Cheap to clone.
#[derive(Clone)]
pub struct Tracer(Arc<Shared>);

struct Shared {
    queue: mpsc::Sender<Span>,
    /// Written once, by `close`; read by the task.
    closing: watch::Sender<bool>,
    /// Taken by `close`.
    task: Mutex<Option<JoinHandle<()>>>,
    /// Counted here and by the task.
    dropped: Arc<AtomicU64>,
}

impl Tracer {
    /// Starts the task that sends; call it inside a runtime.
    ///
    /// # Errors
    /// When the endpoint or the headers are wrong.
    pub fn new(options: TraceOptions) -> Result<Self, TelemetryError> {
        let dropped = Arc::new(AtomicU64::new(0));
        let exporter = Exporter::new(options, Arc::clone(&dropped))?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (closing, closes) = watch::channel(false);
        let task = tokio::spawn(export::run(exporter, waiting, closes));
        Ok(Self(Arc::new(Shared { queue, closing, task: Mutex::new(Some(task)), dropped })))
    }

    /// Takes a span. Never waits: when the queue is full the span is dropped and counted, which is logged once.
    pub fn span(&self, span: Span) {
        if self.0.queue.try_send(span).is_err() && self.0.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("traces: the queue is full; spans are dropped and counted from now on");
        }
    }

    /// Spans that were not sent.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Sends what waits, within that time; what is left then is lost.
    pub async fn close(&self, within: Duration) {
        self.0.closing.send_replace(true);
        let task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return };
        if tokio::time::timeout(within, &mut task).await.is_err() {
            task.abort();
            tracing::warn!(seconds = within.as_secs(), "traces: the collector did not take the last spans in time");
        }
    }
}
