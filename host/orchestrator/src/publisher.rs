//! The publisher: checks what a component left, moves it into the artifact store, and records it in one transaction.

use crate::driver::Plan;
use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure, step_error};
use crate::executor::Executed;
use crate::layout;
use countersign_model::artifact::Artifact;
use countersign_model::execution::{Execution, ExecutionState, LogLine, StepResult};
use countersign_model::finding::{Finding, Verdict};
use countersign_model::pipeline::ComponentStep;
use countersign_model::run::Claim;
use countersign_model::source::span_order;
use countersign_ports::{ArtifactStoreError, StoreError};
use std::collections::BTreeMap;

impl Engine {
    /// Publishes a successful execution.
    pub(crate) async fn publish(
        &self,
        claim: &Claim,
        plan: Plan,
        work: &ComponentStep,
        executed: Executed,
        log: &[LogLine],
    ) -> Result<Execution, StepFailure> {
        for port in &plan.description.outputs {
            if let Some(path) = executed.place.staged(&port.name) {
                layout::check(&port.kind, &port.name, &path)?;
            }
        }
        let span = span(&plan.inputs);
        let mut outputs = BTreeMap::new();
        for port in &plan.description.outputs {
            let Some(path) = executed.place.give(&port.name) else { continue };
            let published = self.parts.artifacts.publish(&path).await;
            let (digest, manifest) = published.map_err(|error| {
                executed.place.take_back(&port.name, path);
                unfit(error, &port.name)
            })?;
            let artifact = Artifact {
                id: self.artifact_id(),
                kind: port.kind.clone(),
                digest,
                bytes: manifest.bytes(),
                pipeline: plan.execution.pipeline.clone(),
                step: plan.execution.step.clone(),
                output: port.name.clone(),
                run: plan.execution.run,
                execution: Some(plan.execution.id),
                span: span.clone(),
                created_at: self.parts.clock.now(),
            };
            outputs.insert(port.name.clone(), artifact);
        }
        let findings: Vec<Finding> =
            executed.outcome.findings.into_iter().map(|finding| work.on.apply(finding)).collect();
        let result = StepResult {
            summary: executed.outcome.summary,
            verdict: Verdict::of(&findings),
            findings,
            metrics: executed.metrics,
            outputs,
            ended_at: self.parts.clock.now(),
        };
        let mut execution = plan.execution;
        execution.state = ExecutionState::Succeeded { result };
        self.record_execution(claim, &execution, log).await?;
        Ok(execution)
    }

    /// Records an execution that has ended, whole.
    pub(crate) async fn record_execution(
        &self,
        claim: &Claim,
        execution: &Execution,
        log: &[LogLine],
    ) -> Result<(), StoreError> {
        self.parts.store.publish_execution(claim, execution, log).await
    }
}

/// What a component left that no artifact may hold is the component's fault.
fn unfit(error: ArtifactStoreError, port: &str) -> StepFailure {
    match error {
        ArtifactStoreError::Unfit { path, problem } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            step_error("output.unfit", format!("output `{port}` can not be kept: `{name}`: {problem}")).into()
        }
        error => OrchestratorError::from(error).into(),
    }
}

/// The delivery that the outputs belong to: the newest among the inputs'.
fn span(inputs: &BTreeMap<String, Vec<Artifact>>) -> Option<String> {
    let spans = inputs.values().flatten().filter_map(|artifact| artifact.span.as_deref());
    spans.max_by(|a, b| span_order(a, b)).map(str::to_string)
}
