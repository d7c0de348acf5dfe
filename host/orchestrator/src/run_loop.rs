//! Walks a run through its steps, in order, from wherever the record says it is.
//!
//! Steps run one after another: the query engine and the kernels use all cores inside a step, and a linear record is easy to read.

use crate::driver::{Driven, Finished, Plan, Position};
use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure, step_error};
use crate::gate::GateAnswer;
use crate::watcher::RunEvent;
use countersign_model::execution::{Execution, ExecutionState, StepError, StepResult};
use countersign_model::finding::{Severity, Verdict};
use countersign_model::pipeline::{ComponentStep, Pipeline, Step, Work};
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_ports::StoreError;
use countersign_ports::notifier::Message;

/// What a step means for its run.
enum After {
    Next,
    Wait(RunState),
    End(RunEnd),
}

impl Engine {
    /// Carries the run on until it waits or is over.
    pub(crate) async fn carry(&self, claim: &Claim) -> Result<RunState, OrchestratorError> {
        let store = &self.parts.store;
        let run = store
            .run(&claim.run)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "run", id: claim.run.to_string() })?;
        let Some(version) = store.pipeline_version(&run.pipeline_digest).await? else {
            let id = run.pipeline_digest.to_string();
            return Err(StoreError::NotFound { what: "pipeline version", id }.into());
        };
        let mut finished = self.recover(claim, &run).await?;
        self.parts.watcher.hear(RunEvent::Claimed {
            run: run.clone(),
            steps: version.pipeline.steps.iter().map(|step| step.name.clone()).collect(),
            resumed: !finished.is_empty(),
        });
        for step in &version.pipeline.steps {
            match self.step(claim, &run, &version.pipeline, step, &mut finished).await {
                Ok(After::Next) => {}
                Ok(After::Wait(state)) => return Ok(state),
                Ok(After::End(end)) => return self.end(claim, end).await,
                Err(error) if error.is_final() => {
                    let message = error.to_string();
                    return self.end(claim, RunEnd::Failed { step: step.name.clone(), message }).await;
                }
                Err(error) => return Err(error),
            }
        }
        self.end(claim, RunEnd::Succeeded).await
    }

    async fn end(&self, claim: &Claim, end: RunEnd) -> Result<RunState, OrchestratorError> {
        let notice = self.notice(claim.run, Message::RunEnded { end: end.clone() });
        self.parts.store.end_run(claim, &end, self.parts.clock.now(), &[notice]).await?;
        self.parts.watcher.hear(RunEvent::Ended { run: claim.run, end: end.clone() });
        Ok(RunState::Ended { end })
    }

    /// The steps that ended well. An execution that a dead process left running is recorded as interrupted.
    async fn recover(&self, claim: &Claim, run: &Run) -> Result<Finished, OrchestratorError> {
        let mut finished = Finished::new();
        for mut execution in self.parts.store.executions(&run.id).await? {
            match execution.state {
                ExecutionState::Running => {
                    let error = step_error("interrupted", "the process that ran it ended; it starts again");
                    execution.state = ExecutionState::Failed { error, ended_at: self.parts.clock.now() };
                    self.record(claim, &execution, &[]).await?;
                }
                ExecutionState::Succeeded { .. } | ExecutionState::Cached { .. } => {
                    finished.insert(execution.step.clone(), execution);
                }
                ExecutionState::Failed { .. } => {}
            }
        }
        Ok(finished)
    }

    async fn step(
        &self,
        claim: &Claim,
        run: &Run,
        pipeline: &Pipeline,
        step: &Step,
        finished: &mut Finished,
    ) -> Result<After, OrchestratorError> {
        match &step.work {
            Work::Signoff(policy) => {
                let position = Position { claim, run, pipeline, finished };
                Ok(match self.gate(&position, step, policy).await? {
                    GateAnswer::Pass => After::Next,
                    GateAnswer::Wait(request) => After::Wait(RunState::Waiting { request }),
                    GateAnswer::End(end) => After::End(end),
                })
            }
            Work::Component(work) => {
                if !finished.contains_key(&step.name) {
                    let position = Position { claim, run, pipeline, finished };
                    match self.component_step(&position, step, work).await {
                        Ok(execution) => {
                            finished.insert(step.name.clone(), execution);
                        }
                        Err(StepFailure::Engine(error)) => return Err(error),
                        Err(StepFailure::Step(error)) => {
                            let message = error.message;
                            return Ok(After::End(RunEnd::Failed { step: step.name.clone(), message }));
                        }
                    }
                }
                if let Some(end) = finished.get(&step.name).and_then(blocked) {
                    return Ok(After::End(end));
                }
                if work.target.is_some() {
                    let position = Position { claim, run, pipeline, finished };
                    return self.push(&position, step, work).await.map(|reopened| match reopened {
                        None => After::Next,
                        Some(request) => After::Wait(RunState::Waiting { request }),
                    });
                }
                Ok(After::Next)
            }
        }
    }

    /// Runs one component step, trying again where the error may pass.
    async fn component_step(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
    ) -> Result<Execution, StepFailure> {
        let mut attempt = 1;
        let mut pause = self.options.retry_pause;
        loop {
            match self.attempt(position, step, work, attempt).await {
                Err(StepFailure::Step(error)) if error.transient && attempt < self.options.attempts => {
                    tracing::warn!(run.id = %position.run.id, step = step.name, attempt, error = error.message, "step will be tried again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                ended => return ended,
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
                self.record(position.claim, &execution, &[]).await?;
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
        let listener = self.listener(&plan);
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
        log: &[countersign_model::execution::LogLine],
    ) -> Result<Execution, StepFailure> {
        execution.state = ExecutionState::Failed { error: error.clone(), ended_at: self.parts.clock.now() };
        self.record(claim, &execution, log).await?;
        self.tell_ended(&execution);
        Err(StepFailure::Step(error))
    }

    fn tell_ended(&self, execution: &Execution) {
        let elapsed = self.parts.clock.now().since(execution.started_at);
        self.parts.watcher.hear(RunEvent::StepEnded { execution: Box::new(execution.clone()), elapsed });
    }
}

/// The end that a failing check means.
fn blocked(execution: &Execution) -> Option<RunEnd> {
    let result: &StepResult = execution.state.result()?;
    (result.verdict == Verdict::Fail).then(|| RunEnd::Blocked {
        step: execution.step.clone(),
        reasons: result
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Block)
            .map(|finding| finding.message.clone())
            .collect(),
    })
}
