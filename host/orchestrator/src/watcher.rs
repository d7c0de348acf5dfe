//! Lets a terminal or a log follow a run. What a watcher hears is a hint; the record is in the store.

use countersign_model::execution::Execution;
use countersign_model::id::{RequestId, RunId};
use countersign_model::push::Push;
use countersign_model::run::{Run, RunEnd};
use countersign_ports::component_runner::Progress;
use std::time::Duration;

/// Something that happens in a run.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// A worker took the run; `resumed` when it had steps already.
    Claimed {
        /// The run.
        run: Run,
        /// Names of the steps that come, in order.
        steps: Vec<String>,
        /// Steps were done before.
        resumed: bool,
    },
    /// A component starts.
    StepStarted {
        /// The run.
        run: RunId,
        /// The step.
        step: String,
        /// Why it has to run.
        why: String,
    },
    /// A component tells how far it is.
    StepProgress {
        /// The run.
        run: RunId,
        /// The step.
        step: String,
        /// How far.
        progress: Progress,
        /// Time since it started.
        elapsed: Duration,
    },
    /// A step ended: run, reused or failed.
    StepEnded {
        /// Its execution.
        execution: Box<Execution>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step is not run: it comes after one that failed a check, and people may override that at a gate further on.
    StepSkipped {
        /// The run.
        run: RunId,
        /// The step.
        step: String,
        /// Why.
        why: String,
    },
    /// A gate was passed on a decision that is there already.
    AlreadyApproved {
        /// The run.
        run: RunId,
        /// The gate.
        gate: String,
        /// The request that was approved.
        request: RequestId,
    },
    /// The run waits for people.
    Waiting {
        /// The run.
        run: RunId,
        /// The request.
        request: RequestId,
    },
    /// A model is in place.
    Pushed {
        /// The push.
        push: Push,
        /// It was there already.
        already: bool,
    },
    /// The run is over.
    Ended {
        /// The run.
        run: RunId,
        /// How.
        end: RunEnd,
    },
}

/// Hears events. Calls come from worker threads: answer fast.
pub trait Watcher: Send + Sync {
    /// Hears one.
    fn hear(&self, event: RunEvent);
}

/// Hears nothing.
pub struct Silent;

impl Watcher for Silent {
    fn hear(&self, _event: RunEvent) {}
}
