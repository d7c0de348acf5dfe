//! Walks a run through its steps, in order, from wherever the record says it is.
//!
//! Steps run one after another: the query engine and the kernels use all cores inside a step, and a linear record is easy to read.

use crate::driver::{Finished, Position};
use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure, step_error};
use crate::gate::GateAnswer;
use crate::overriding::{self, LeftOut};
use crate::watcher::RunEvent;
use crate::worker::{Stopping, WorkEnd};
use countersign_model::execution::{Execution, ExecutionState, StepResult};
use countersign_model::finding::{Severity, Verdict};
use countersign_model::pipeline::{Pipeline, Step, Work};
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_ports::StoreError;
use std::collections::BTreeSet;

/// What a step means for its run.
enum After {
    Next,
    /// The process stops.
    HandOver,
    Wait(RunState),
    End(RunEnd),
}

impl From<GateAnswer> for After {
    fn from(answer: GateAnswer) -> Self {
        match answer {
            GateAnswer::Pass => Self::Next,
            GateAnswer::Wait(request) => Self::Wait(RunState::Waiting { request }),
            GateAnswer::End(end) => Self::End(end),
        }
    }
}

/// A run on its way: everything here can be read from the record again.
struct Walk<'a> {
    claim: &'a Claim,
    stopping: &'a Stopping,
    run: &'a Run,
    pipeline: &'a Pipeline,
    finished: Finished,
    left_out: LeftOut,
    /// The end that a failed check means for a gate that is left out, whatever people say at another one.
    blocked: Option<RunEnd>,
}

impl Walk<'_> {
    fn position(&self) -> Position<'_> {
        Position {
            claim: self.claim,
            run: self.run,
            pipeline: self.pipeline,
            finished: &self.finished,
            left_out: &self.left_out,
        }
    }
}

impl Engine {
    /// Carries the run on until it waits or is over, or until the process stops and a step has ended.
    pub(crate) async fn carry(&self, claim: &Claim, stopping: &Stopping) -> Result<WorkEnd, OrchestratorError> {
        let store = &self.parts.store;
        let run = store
            .run(&claim.run)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "run", id: claim.run.to_string() })?;
        let Some(version) = store.pipeline_version(&run.pipeline_digest).await? else {
            let id = run.pipeline_digest.to_string();
            return Err(StoreError::NotFound { what: "pipeline version", id }.into());
        };
        let pipeline = &version.pipeline;
        let mut finished = self.recover(claim, &run).await?;
        self.parts.watcher.hear(RunEvent::Claimed {
            run: run.clone(),
            steps: pipeline.steps.iter().map(|step| step.name.clone()).collect(),
            resumed: !finished.is_empty(),
        });
        let mut made_again = BTreeSet::new();
        loop {
            let (left_out, blocked) = (LeftOut::new(), None);
            let mut walk = Walk { claim, stopping, run: &run, pipeline, finished, left_out, blocked };
            let (step, error) = match self.walk(&mut walk).await {
                Ok(end) => return Ok(end),
                Err(stopped) => stopped,
            };
            // Once for each artifact: what is damaged again at once is no matter of luck.
            if let Some(damaged) = error.damaged().filter(|damaged| made_again.insert(*damaged))
                && self.make_again(&run, pipeline, &mut walk.finished, &damaged, &error).await?
            {
                finished = walk.finished;
                continue;
            }
            if error.is_final() {
                let end = RunEnd::Failed { step: step.to_string(), message: error.to_string() };
                return self.end(&walk, end).await.map(WorkEnd::Settled);
            }
            return Err(error);
        }
    }

    /// One way through all steps. An error comes with the step that it stopped at.
    async fn walk<'a>(&self, walk: &mut Walk<'a>) -> Result<WorkEnd, (&'a str, OrchestratorError)> {
        for step in &walk.pipeline.steps {
            if walk.stopping.said() {
                return Ok(WorkEnd::HandedOver);
            }
            if let Some(failed) = walk.left_out.get(&step.name) {
                let why = format!("it comes after `{failed}`, which failed a check");
                let (run, step) = (walk.run.id, step.name.clone());
                self.parts.watcher.hear(RunEvent::StepSkipped { run, step, why });
                continue;
            }
            match self.step(walk, step).await {
                Ok(After::Next) => {}
                Ok(After::Wait(state)) => return Ok(WorkEnd::Settled(state)),
                Ok(After::HandOver) => return Ok(WorkEnd::HandedOver),
                Ok(After::End(end)) => {
                    let ended = self.end(walk, end).await.map(WorkEnd::Settled);
                    return ended.map_err(|error| (step.name.as_str(), error));
                }
                Err(error) => return Err((&step.name, error)),
            }
        }
        let end = walk.blocked.clone().unwrap_or(RunEnd::Succeeded);
        self.end(walk, end).await.map(WorkEnd::Settled).map_err(|error| ("", error))
    }

    async fn end(&self, walk: &Walk<'_>, end: RunEnd) -> Result<RunState, OrchestratorError> {
        let run = walk.run.id;
        let mut notices = self.end_notices(run, &end);
        match self.last_asked(&walk.position()).await? {
            // Its message says what became of it: an approved candidate whose push failed is not live.
            Some(request) => notices.extend(self.changed(&request)),
            None => notices.extend(self.warning(run, &walk.finished)),
        }
        self.parts.store.end_run(walk.claim, &end, self.parts.clock.now(), &notices).await?;
        self.hint_outbox();
        // The pipeline's next run may have waited for this one.
        self.hint_work();
        self.parts.watcher.hear(RunEvent::Ended { run, end: end.clone() });
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
                    self.record_execution(claim, &execution, &[]).await?;
                }
                ExecutionState::Succeeded { .. } | ExecutionState::Cached { .. } => {
                    finished.insert(execution.step.clone(), execution);
                }
                ExecutionState::Failed { .. } => {}
            }
        }
        Ok(finished)
    }

    async fn step(&self, walk: &mut Walk<'_>, step: &Step) -> Result<After, OrchestratorError> {
        let work = match &step.work {
            Work::Signoff(policy) => return self.gate(&walk.position(), step, policy).await.map(After::from),
            Work::Component(work) => work,
        };
        if !walk.finished.contains_key(&step.name) {
            match self.component_step(&walk.position(), step, work, walk.stopping).await {
                Ok(Some(execution)) => {
                    walk.finished.insert(step.name.clone(), execution);
                }
                Ok(None) => return Ok(After::HandOver),
                Err(StepFailure::Engine(error)) => return Err(error),
                Err(StepFailure::Step(error)) => {
                    let message = error.message;
                    return Ok(After::End(RunEnd::Failed { step: step.name.clone(), message }));
                }
            }
        }
        if let Some(end) = walk.finished.get(&step.name).and_then(blocked) {
            return Ok(self.after_failed_check(walk, step, end));
        }
        if work.target.is_some() {
            return self.push(&walk.position(), step, work).await.map(After::from);
        }
        Ok(After::Next)
    }

    /// A failed check ends the run, unless people may override it at a gate further on.
    fn after_failed_check(&self, walk: &mut Walk<'_>, step: &Step, end: RunEnd) -> After {
        let gates = overriding::gates(walk.pipeline, &self.parts.components, &step.name, &walk.left_out);
        if gates.is_empty() {
            return After::End(end);
        }
        for left_out in overriding::left_out(walk.pipeline, &step.name, &gates) {
            if matches!(walk.pipeline.step(left_out), Some(Step { work: Work::Signoff(_), .. })) {
                walk.blocked.get_or_insert_with(|| end.clone());
            }
            walk.left_out.entry(left_out.to_string()).or_insert_with(|| step.name.clone());
        }
        After::Next
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
