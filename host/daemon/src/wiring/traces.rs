//! Follows the runs that this process carries and tells a collector of them. What a span says is read from the record, so that whoever
//! ends a run can tell of all of it, whatever process carried it before.
//!
//! Steps and pushes are told of by the process that did them, at once; the run itself, and how long people were waited for, by the one
//! that ends it. A run that a newer one displaces is told of by the process that carries the newer one.

use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::id::RunId;
use countersign_model::run::{Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_orchestrator::{RunEvent, Watcher};
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::{MetadataStore, StoreError};
use countersign_telemetry::{Tracer, push_span, run_span, signoff_span, step_span};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Runs that wait to be read from the record.
const WAITING: usize = 1024;
/// Displaced runs that are looked for.
const DISPLACED: u32 = 100;
/// How long the end of a process is put off for the last spans.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// Tells of runs; or of nothing, where the settings name no collector. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traces(Option<Teller>);

#[derive(Clone)]
struct Teller {
    tracer: Tracer,
    reading: mpsc::Sender<Reading>,
}

/// What is to be read from the record.
enum Reading {
    /// A run that is over.
    Ended(RunId),
    /// A run that may have displaced others.
    Displacing(RunId),
    /// Nothing more: answer when everything before it was read.
    Last(oneshot::Sender<()>),
}

impl Traces {
    /// Tells that tracer what `store` has on record; call it inside a runtime.
    pub fn new(tracer: Tracer, store: Arc<dyn MetadataStore>) -> Self {
        let (reading, wanted) = mpsc::channel(WAITING);
        tokio::spawn(read(wanted, tracer.clone(), store));
        Self(Some(Teller { tracer, reading }))
    }

    /// A watcher that hears everything `watcher` hears.
    pub fn beside(&self, watcher: Arc<dyn Watcher>) -> Arc<dyn Watcher> {
        match &self.0 {
            Some(teller) => Arc::new(Beside { teller: teller.clone(), watcher }),
            None => watcher,
        }
    }

    /// Spans that were not sent; none where none are sent at all.
    pub fn dropped(&self) -> Option<u64> {
        self.0.as_ref().map(|teller| teller.tracer.dropped())
    }

    /// Sends what is left, for five seconds at most. The last thing a process does.
    pub async fn close(&self) {
        let Some(teller) = &self.0 else { return };
        let read = async {
            let (done, all) = oneshot::channel();
            if teller.reading.send(Reading::Last(done)).await.is_ok() {
                // An error means that the reader is gone, and with it what it had to read.
                let _ = all.await;
            }
        };
        if tokio::time::timeout(LAST_SPANS, read).await.is_err() {
            tracing::warn!("traces: the store did not tell of the last runs in time");
        }
        teller.tracer.close(LAST_SPANS).await;
    }
}

/// Two watchers as one.
struct Beside {
    teller: Teller,
    watcher: Arc<dyn Watcher>,
}

impl Watcher for Beside {
    fn hear(&self, event: RunEvent) {
        self.teller.hear(&event);
        self.watcher.hear(event);
    }
}

impl Teller {
    fn hear(&self, event: &RunEvent) {
        match event {
            RunEvent::StepEnded { execution, .. } => {
                step_span(execution).into_iter().for_each(|span| self.tracer.span(span))
            }
            RunEvent::Pushed { push, already: false } => {
                push_span(push).into_iter().for_each(|span| self.tracer.span(span));
            }
            RunEvent::Ended { run, .. } => self.read(Reading::Ended(*run)),
            // A new run may have replaced others; one that asks people may have superseded others.
            RunEvent::Claimed { run, resumed: false, .. } => self.read(Reading::Displacing(run.id)),
            RunEvent::Waiting { run, .. } => self.read(Reading::Displacing(*run)),
            RunEvent::Claimed { resumed: true, .. }
            | RunEvent::StepStarted { .. }
            | RunEvent::StepProgress { .. }
            | RunEvent::StepSkipped { .. }
            | RunEvent::AlreadyApproved { .. }
            | RunEvent::Pushed { already: true, .. } => {}
        }
    }

    /// Never waits: a run is not delayed by those who follow it.
    fn read(&self, reading: Reading) {
        if self.reading.try_send(reading).is_err() {
            tracing::warn!("traces: too many runs end at once; some are not told of");
        }
    }
}

async fn read(mut wanted: mpsc::Receiver<Reading>, tracer: Tracer, store: Arc<dyn MetadataStore>) {
    while let Some(reading) = wanted.recv().await {
        let told = match reading {
            Reading::Ended(run) => tell(&tracer, store.as_ref(), &run).await,
            Reading::Displacing(run) => tell_displaced(&tracer, store.as_ref(), &run).await,
            Reading::Last(done) => {
                // An error means that nobody waits any more.
                let _ = done.send(());
                return;
            }
        };
        if let Err(error) = told {
            tracing::warn!(error = crate::failure::chain(&error), "traces: a run can not be read from the record");
        }
    }
}

/// Tells of a run that is over, and of how long it waited for people.
async fn tell(tracer: &Tracer, store: &dyn MetadataStore, id: &RunId) -> Result<(), StoreError> {
    let Some(run) = store.run(id).await? else { return Ok(()) };
    let Some(root) = run_span(&run) else { return Ok(()) };
    for request in store.requests(Some(id), None).await? {
        let closed_at = closed_at(store, &request, &run).await?;
        tracer.span(signoff_span(&request, closed_at));
    }
    tracer.span(root);
    Ok(())
}

/// The decision that closed it; where nobody decided, the end of the run.
async fn closed_at(store: &dyn MetadataStore, request: &SignoffRequest, run: &Run) -> Result<Timestamp, StoreError> {
    let ended_at = run.ended_at.unwrap_or(request.posted_at);
    Ok(match request.state {
        RequestState::Approved | RequestState::Rejected | RequestState::Void { .. } => {
            let decisions = store.decisions(&request.id).await?;
            decisions.iter().filter(|decision| !decision.late).map(|decision| decision.at).max().unwrap_or(ended_at)
        }
        RequestState::Open | RequestState::Superseded { .. } | RequestState::Expired | RequestState::Cancelled => {
            ended_at
        }
    })
}

/// Tells of the runs that ended because of this one.
async fn tell_displaced(tracer: &Tracer, store: &dyn MetadataStore, by: &RunId) -> Result<(), StoreError> {
    let Some(run) = store.run(by).await? else { return Ok(()) };
    for status in ["superseded", "replaced"] {
        let filter = RunFilter {
            pipeline: Some(run.pipeline.clone()),
            status: Some(status.to_string()),
            limit: DISPLACED,
            ..RunFilter::default()
        };
        for displaced in store.runs(&filter).await? {
            let RunState::Ended { end: RunEnd::Superseded { by: other } | RunEnd::Replaced { by: other } } =
                displaced.state
            else {
                continue;
            };
            if other == *by {
                tell(tracer, store, &displaced.id).await?;
            }
        }
    }
    Ok(())
}
