//! The executor: mounts a step's inputs and outputs and calls the component in the sandbox.

use crate::driver::Plan;
use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure};
use crate::watcher::{RunEvent, Watcher};
use crate::workplace::Workplace;
use countersign_model::execution::LogLine;
use countersign_model::id::RunId;
use countersign_model::pipeline::ComponentStep;
use countersign_model::time::Timestamp;
use countersign_ports::Clock;
use countersign_ports::component_runner::{
    ComponentOutcome, InputMount, Invocation, OutputMount, Progress, StepObserver,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a component left behind.
pub(crate) struct Executed {
    pub outcome: ComponentOutcome,
    pub place: Arc<Workplace>,
    pub metrics: BTreeMap<String, f64>,
}

/// Keeps what a component says and passes progress on. Written by the sandbox's thread, read once after it ended.
pub(crate) struct Listener {
    run: RunId,
    step: String,
    started_at: Timestamp,
    clock: Arc<dyn Clock>,
    watcher: Arc<dyn Watcher>,
    place: Arc<Workplace>,
    log: Mutex<Vec<LogLine>>,
    metrics: Mutex<BTreeMap<String, f64>>,
}

impl Listener {
    pub(crate) fn take_log(&self) -> Vec<LogLine> {
        std::mem::take(&mut *unpoisoned(&self.log))
    }
}

/// A panic elsewhere while holding one of these locks leaves a vector or a map that is still whole.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StepObserver for Listener {
    fn log(&self, line: LogLine) {
        unpoisoned(&self.log).push(line);
    }

    fn progress(&self, progress: Progress) {
        let elapsed = self.clock.now().since(self.started_at);
        self.watcher.hear(RunEvent::StepProgress { run: self.run, step: self.step.clone(), progress, elapsed });
    }

    fn metric(&self, name: String, value: f64) {
        unpoisoned(&self.metrics).insert(name, value);
    }
}

impl Engine {
    pub(crate) async fn listener(&self, plan: &Plan) -> Result<Arc<Listener>, OrchestratorError> {
        let place = self.workplace(&plan.execution.id.to_string(), &plan.description).await?;
        Ok(Arc::new(Listener {
            run: plan.execution.run,
            step: plan.execution.step.clone(),
            started_at: plan.execution.started_at,
            clock: Arc::clone(&self.parts.clock),
            watcher: Arc::clone(&self.parts.watcher),
            place: Arc::new(place),
            log: Mutex::default(),
            metrics: Mutex::default(),
        }))
    }

    /// Runs the planned execution.
    pub(crate) async fn execute(
        &self,
        plan: &Plan,
        work: &ComponentStep,
        listener: &Arc<Listener>,
    ) -> Result<Executed, StepFailure> {
        let mut inputs = Vec::new();
        for (name, artifacts) in &plan.inputs {
            let port = plan.description.input(name);
            let mut paths = Vec::new();
            for artifact in artifacts {
                paths.push(self.parts.artifacts.open(&artifact.digest).await.map_err(OrchestratorError::from)?);
            }
            let kind = port.map_or(String::new(), |port| port.kind.to_string());
            inputs.push(InputMount { name: name.clone(), kind, many: port.is_some_and(|port| port.many), paths });
        }
        let invocation = Invocation {
            component: plan.component.clone(),
            parameters: work.parameters.clone(),
            inputs,
            outputs: output_mounts(plan, &listener.place),
            grant: work.grant.clone(),
            limits: work.limits.clone(),
            seed: seed(plan),
            scratch: listener.place.scratch.0.clone(),
        };
        let observer: Arc<dyn StepObserver> = Arc::clone(listener) as Arc<dyn StepObserver>;
        let outcome = self.parts.runner.execute(invocation, observer).await?;
        let metrics = std::mem::take(&mut *unpoisoned(&listener.metrics));
        Ok(Executed { outcome, place: Arc::clone(&listener.place), metrics })
    }
}

fn output_mounts(plan: &Plan, place: &Workplace) -> Vec<OutputMount> {
    let mount = |port: &countersign_model::component::Port| {
        let path = place.staged(&port.name)?;
        Some(OutputMount { name: port.name.clone(), kind: port.kind.to_string(), path })
    };
    plan.description.outputs.iter().filter_map(mount).collect()
}

/// The seed of the component's virtual randomness: the same execution fingerprint always has the same.
fn seed(plan: &Plan) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&plan.execution.cache_key.as_bytes()[..8]);
    u64::from_be_bytes(first)
}
