//! Runs one component step: driver, executor, publisher, and again where the error may pass.

use crate::driver::{Driven, Plan, Position};
use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure};
use crate::watcher::RunEvent;
use crate::worker::Stopping;
use countersign_model::execution::{Execution, ExecutionState, LogLine, StepError};
use countersign_model::pipeline::{ComponentStep, Step};
use countersign_model::run::Claim;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::ARTIFACT;

impl Engine {
    /// Runs one component step, trying again where the error may pass. None: the process stops, and it is not tried again here.
    pub(crate) async fn component_step(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
        stopping: &Stopping,
    ) -> Result<Option<Execution>, StepFailure> {
        let mut attempt = 1;
        let mut looked_again = false;
        loop {
            match self.attempt(position, step, work, attempt).await {
                Err(StepFailure::Step(error)) if error.transient && attempt < work.retry.attempts => {
                    tracing::warn!(run.id = %position.run.id, step = step.name, attempt, error = error.message, "step will be tried again");
                    attempt += 1;
                    stopping.sleep(work.retry.pause_before(attempt)).await;
                    if stopping.said() {
                        return Ok(None);
                    }
                }
                // Retention collected what the driver had just found. The next look finds something else, or nothing to use again.
                Err(StepFailure::Engine(OrchestratorError::Store(StoreError::NotFound { what: ARTIFACT, .. })))
                    if !looked_again =>
                {
                    looked_again = true;
                }
                ended => return ended.map(Some),
            }
        }
    }

    async fn attempt(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
        attempt: u32,
    ) -> Result<Execution, StepFailure> {
        match self.drive(position, step, work, attempt).await? {
            Driven::Reuse(execution) => {
                self.record_execution(position.claim, &execution, &[]).await?;
                self.tell_ended(&execution);
                Ok(*execution)
            }
            Driven::Run(plan) => self.run_planned(position, work, *plan).await,
        }
    }

    async fn run_planned(
        &self,
        position: &Position<'_>,
        work: &ComponentStep,
        plan: Plan,
    ) -> Result<Execution, StepFailure> {
        let begun = plan.execution.clone();
        self.parts.store.begin_execution(position.claim, &begun).await?;
        self.parts.watcher.hear(RunEvent::StepStarted {
            run: begun.run,
            step: begun.step.clone(),
            why: begun.why.clone(),
        });
        let listener = self.listener(&plan).await?;
        let executed = self.execute(&plan, work, &listener).await;
        let log = listener.take_log();
        let ended = match executed {
            Ok(executed) => self.publish(position.claim, plan, work, executed, &log).await,
            Err(failure) => Err(failure),
        };
        match ended {
            Ok(execution) => {
                self.tell_ended(&execution);
                Ok(execution)
            }
            Err(StepFailure::Engine(error)) => Err(error.into()),
            Err(StepFailure::Step(error)) => self.failed(position.claim, begun, error, &log).await,
        }
    }

    async fn failed(
        &self,
        claim: &Claim,
        mut execution: Execution,
        error: StepError,
        log: &[LogLine],
    ) -> Result<Execution, StepFailure> {
        execution.state = ExecutionState::Failed { error: error.clone(), ended_at: self.parts.clock.now() };
        self.record_execution(claim, &execution, log).await?;
        self.tell_ended(&execution);
        Err(StepFailure::Step(error))
    }

    fn tell_ended(&self, execution: &Execution) {
        let elapsed = self.parts.clock.now().since(execution.started_at);
        self.parts.watcher.hear(RunEvent::StepEnded { execution: Box::new(execution.clone()), elapsed });
    }
}
