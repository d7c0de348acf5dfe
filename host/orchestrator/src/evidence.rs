//! Assembles the evidence document for a gate from the run's record and artifacts.

use crate::driver::Position;
use crate::engine::Engine;
use crate::error::{OrchestratorError, document};
use crate::overriding::ancestors;
use crate::shown;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown};
use countersign_model::execution::Execution;
use countersign_model::finding::{Finding, Severity};
use countersign_model::id::RunId;
use countersign_model::policy::SignoffPolicy;
use std::collections::BTreeMap;

/// Version of the evidence document's form.
const FORM: u32 = 2;
/// Pushes looked at for the model that was live before: one candidate may go to many targets.
const PUSHES: u32 = 100;

impl Engine {
    /// The evidence for the gate, from everything upstream of it.
    pub(crate) async fn assemble(
        &self,
        position: &Position<'_>,
        gate: &str,
        policy: &SignoffPolicy,
    ) -> Result<Evidence, OrchestratorError> {
        let upstream = ancestors(position.pipeline, gate);
        let executions: Vec<&Execution> = position
            .pipeline
            .steps
            .iter()
            .filter(|step| upstream.contains(&step.name))
            .filter_map(|step| position.finished.get(&step.name))
            .collect();
        let model = candidate(&executions).ok_or_else(|| OrchestratorError::Definition {
            run: position.run.id.to_string(),
            problem: format!("gate `{gate}` comes after no step that makes a Model: nothing is there to sign off"),
        })?;
        let live = self.live_before(&position.run.pipeline, model.digest).await?;
        let mut evidence = Evidence {
            form: FORM,
            pipeline: position.run.pipeline.clone(),
            gate: gate.to_string(),
            model: model.digest,
            baseline: live.map(|(digest, _)| digest),
            policy: policy.digest().map_err(document)?,
            artifacts: BTreeMap::new(),
            components: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            findings: BTreeMap::new(),
            changes: self.changes(&executions, live.map(|(_, run)| run)).await?,
            shown: self.shown(&executions, model, live).await?,
        };
        for execution in &executions {
            record(&mut evidence, execution);
        }
        for (step, failed) in position.left_out.iter().filter(|(step, _)| upstream.contains(*step)) {
            evidence.findings.insert(step.clone(), vec![not_run(step, failed)]);
        }
        Ok(evidence)
    }

    /// The model that is live, and the run that pushed it; the candidate itself does not count, so that the same candidate has the
    /// same evidence before and after it goes live.
    pub(crate) async fn live_before(
        &self,
        pipeline: &str,
        candidate: Digest,
    ) -> Result<Option<(Digest, RunId)>, OrchestratorError> {
        let pushes = self.parts.store.pushes(Some(pipeline), PUSHES).await?;
        Ok(pushes.into_iter().find(|push| push.model != candidate).map(|push| (push.model, push.run)))
    }

    /// What differs from the run that made the live model, step by step, in words.
    async fn changes(&self, executions: &[&Execution], live: Option<RunId>) -> Result<Vec<String>, OrchestratorError> {
        let Some(live) = live else { return Ok(Vec::new()) };
        let before = self.parts.store.executions(&live).await?;
        let mut changes = Vec::new();
        for execution in executions {
            let earlier = before.iter().rev().find(|earlier| earlier.step == execution.step);
            let differences = match earlier {
                None => vec!["is a new step".to_string()],
                Some(earlier) => execution.fingerprint.changes_since(&earlier.fingerprint),
            };
            if !differences.is_empty() {
                changes.push(format!("{}: {}", execution.step, differences.join(", ")));
            }
        }
        Ok(changes)
    }

    /// The numbers shown, read from the verified artifacts.
    async fn shown(
        &self,
        executions: &[&Execution],
        model: &Artifact,
        live: Option<(Digest, RunId)>,
    ) -> Result<Shown, OrchestratorError> {
        let mut shown = Shown::default();
        for artifact in outputs(executions).filter(|artifact| shown::reads(&artifact.kind)) {
            let path = self.parts.artifacts.open(&artifact.digest).await?;
            shown::read(&mut shown, &artifact.kind, &path)?;
        }
        shown.model_bytes = Some(self.parts.artifacts.manifest(&model.digest).await?.bytes());
        if let Some((digest, run)) = live {
            self.compare_with_live(&mut shown, executions, &digest, &run).await?;
        }
        Ok(shown)
    }
}

/// A step that people do not see because a check before it failed.
fn not_run(step: &str, failed: &str) -> Finding {
    Finding {
        kind: "not run".to_string(),
        severity: Severity::Warn,
        subject: step.to_string(),
        message: format!("`{step}` was not run: it comes after `{failed}`, which failed a check"),
        expected: None,
        seen: None,
        previous: None,
        rows: Vec::new(),
    }
}

/// Everything that these executions made, in their order.
pub(crate) fn outputs<'a>(executions: &[&'a Execution]) -> impl Iterator<Item = &'a Artifact> {
    executions.iter().filter_map(|execution| execution.state.result()).flat_map(|result| result.outputs.values())
}

fn record(evidence: &mut Evidence, execution: &Execution) {
    let Some(result) = execution.state.result() else { return };
    let step = &execution.step;
    for (port, artifact) in &result.outputs {
        evidence.artifacts.insert(format!("{step}.{port}"), artifact.digest);
    }
    let fingerprint = &execution.fingerprint;
    let component =
        format!("{} {} parameters {}", execution.component, fingerprint.component, fingerprint.parameters.short());
    evidence.components.insert(step.clone(), component);
    evidence.verdicts.insert(step.clone(), result.verdict);
    let worth: Vec<_> = result.findings.iter().filter(|finding| finding.severity > Severity::Info).cloned().collect();
    if !worth.is_empty() {
        evidence.findings.insert(step.clone(), worth);
    }
}

/// The last model made upstream.
fn candidate<'a>(executions: &[&'a Execution]) -> Option<&'a Artifact> {
    let latest: Vec<&Execution> = executions.iter().rev().copied().collect();
    outputs(&latest).find(|artifact| artifact.kind.as_str() == ArtifactKind::MODEL)
}
