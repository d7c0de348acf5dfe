//! What this process counts from its start, for `/metrics`: numbers and kinds, never names of pipelines or people, because everybody may
//! read them. Lost at a restart; whoever reads them knows counters that begin anew.

mod process;
mod store;

pub use store::{MeteredLeases, MeteredStore};

use crate::wiring::web::numbers::{Family, Histogram, Kind};
use countersign_model::execution::{Execution, ExecutionState};
use countersign_model::time::Timestamp;
use countersign_ports::Clock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bounds of step durations in seconds: from a cache of small things to an hour of training.
const SECONDS: &[f64] = &[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3600.0];

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Events that were accepted, by what became of them.
    Events,
    /// Runs that this process claimed.
    Claims,
    /// Writes that were refused because another process had taken the run over.
    ClaimsLost,
    /// Signs of life that did not arrive.
    HeartbeatFailures,
    /// Runs that ended here.
    RunsEnded,
    /// Steps whose earlier result was used.
    StepsCached,
    /// Decisions that were recorded here.
    Decisions,
    /// Models that were put in place.
    Pushes,
    /// Deliveries of messages.
    Notices,
    /// Calls of the store that failed.
    StoreErrors,
}

/// How a counter is shown.
struct Shown {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    /// All values of the label: each is shown from the start.
    values: &'static [&'static str],
}

impl Counter {
    const ALL: [Self; 10] = [
        Self::Events,
        Self::Claims,
        Self::ClaimsLost,
        Self::HeartbeatFailures,
        Self::RunsEnded,
        Self::StepsCached,
        Self::Decisions,
        Self::Pushes,
        Self::Notices,
        Self::StoreErrors,
    ];

    fn shown(self) -> Shown {
        let alone = |name, help| Shown { name, help, label: "", values: &[""] };
        match self {
            Self::Events => Shown {
                name: "countersign_events_total",
                help: "Events, by what became of them.",
                label: "outcome",
                values: &["run", "skipped", "seen_again"],
            },
            Self::Claims => alone("countersign_claims_total", "Runs that this daemon claimed."),
            Self::ClaimsLost => {
                alone("countersign_claims_lost_total", "Writes refused because another daemon had taken the run over.")
            }
            Self::HeartbeatFailures => {
                alone("countersign_heartbeat_failures_total", "Signs of life of runs that did not reach the store.")
            }
            Self::RunsEnded => Shown {
                name: "countersign_runs_ended_total",
                help: "Runs that ended in this daemon, by how.",
                label: "end",
                values: &[
                    "succeeded",
                    "failed",
                    "blocked",
                    "rejected",
                    "superseded",
                    "expired",
                    "replaced",
                    "cancelled",
                ],
            },
            Self::StepsCached => alone("countersign_steps_cached_total", "Steps whose earlier result was used."),
            Self::Decisions => Shown {
                name: "countersign_decisions_total",
                help: "Decisions recorded by this daemon.",
                label: "kind",
                values: &["approve", "reject", "hold", "override"],
            },
            Self::Pushes => alone("countersign_pushes_total", "Models put in place by this daemon."),
            Self::Notices => Shown {
                name: "countersign_deliveries_total",
                help: "Tries to deliver a message, by what became of them.",
                label: "outcome",
                values: &["done", "retry", "dead"],
            },
            Self::StoreErrors => alone("countersign_store_errors_total", "Calls of the store that failed."),
        }
    }
}

/// Counts. Shared by everything that runs in the process.
pub struct Meter {
    clock: Arc<dyn Clock>,
    counts: Mutex<BTreeMap<(Counter, &'static str), u64>>,
    /// How long attempts at steps took, by how they ended.
    took: Mutex<BTreeMap<&'static str, Histogram>>,
    /// Whether this process holds a lease, by its name.
    leases: Mutex<BTreeMap<String, bool>>,
    /// When the triggers were last looked at to the end, microseconds.
    looked: AtomicI64,
}

impl Meter {
    /// Everything at zero.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let looked = AtomicI64::new(clock.now().as_micros());
        let took = ["succeeded", "failed"].map(|status| (status, Histogram::new(SECONDS))).into();
        Self { clock, counts: Mutex::default(), took: Mutex::new(took), leases: Mutex::default(), looked }
    }

    /// One more.
    pub fn count(&self, counter: Counter, value: &'static str) {
        *whole(&self.counts).entry((counter, value)).or_default() += 1;
    }

    /// A step ended.
    pub fn step(&self, execution: &Execution) {
        let (status, ended_at) = match &execution.state {
            ExecutionState::Cached { .. } => return self.count(Counter::StepsCached, ""),
            ExecutionState::Succeeded { result } => ("succeeded", result.ended_at),
            ExecutionState::Failed { ended_at, .. } => ("failed", *ended_at),
            ExecutionState::Running => return,
        };
        let seconds = ended_at.since(execution.started_at).as_secs_f64();
        whole(&self.took).entry(status).or_insert_with(|| Histogram::new(SECONDS)).add(seconds);
    }

    /// Every trigger was looked at.
    pub fn looked_at_triggers(&self) {
        self.looked.store(self.clock.now().as_micros(), Ordering::Relaxed);
    }

    /// Whether this process holds that lease now.
    pub fn holds(&self, lease: &str, held: bool) {
        whole(&self.leases).insert(lease.to_string(), held);
    }

    /// Whether another process has that lease, as far as this one knows.
    pub fn leaves_to_others(&self, lease: &str) -> bool {
        whole(&self.leases).get(lease) == Some(&false)
    }

    /// The numbers.
    pub fn numbers(&self) -> Vec<Family> {
        let counts = whole(&self.counts).clone();
        let mut families: Vec<Family> = Counter::ALL.iter().map(|counter| counted(*counter, &counts)).collect();
        let mut took =
            Family::new("countersign_step_duration_seconds", Kind::Histogram, "How long steps took that were run.");
        for (status, histogram) in whole(&self.took).iter() {
            took.samples.extend(histogram.samples(("status", status)));
        }
        families.push(took);
        let lag = self.clock.now().since(Timestamp::from_micros(self.looked.load(Ordering::Relaxed)));
        families.push(Family::alone(
            "countersign_trigger_lag_seconds",
            Kind::Gauge,
            "How long ago every trigger was looked at.",
            lag.as_secs_f64(),
        ));
        let held = Family::new(
            "countersign_lease_held",
            Kind::Gauge,
            "Whether this daemon holds a lease that only one may hold.",
        );
        let leases = whole(&self.leases);
        families.push(
            leases.iter().fold(held, |held, (name, ours)| held.with(&[("lease", name)], f64::from(u8::from(*ours)))),
        );
        families.extend(process::numbers());
        families
    }
}

fn counted(counter: Counter, counts: &BTreeMap<(Counter, &'static str), u64>) -> Family {
    let shown = counter.shown();
    let family = Family::new(shown.name, Kind::Counter, shown.help);
    shown.values.iter().fold(family, |family, value| {
        let count = counts.get(&(counter, value)).copied().unwrap_or(0) as f64;
        if shown.label.is_empty() { family.with(&[], count) } else { family.with(&[(shown.label, value)], count) }
    })
}

/// A panic elsewhere while holding one of these locks leaves a map that is still whole.
fn whole<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
