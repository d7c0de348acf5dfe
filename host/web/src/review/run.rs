//! One run: its steps with what they found and made, and their logs.

use super::checks::{self, FindingLine};
use super::history::{self, NoticeLine, RequestLine};
use super::lineage::{self, Lineage, Piece};
use super::runs::{self, RunLine};
use super::sources::{ReviewError, Sources};
use super::trail::Trail;
use super::words;
use countersign_model::execution::{Execution, ExecutionState, LogLine};
use countersign_model::id::RunId;
use countersign_model::pipeline::{PipelineVersion, Work};
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Findings shown of one step.
const FINDINGS: usize = 50;
/// Last lines of a log that are shown beside its step.
const TAIL: usize = 8;
/// Last lines of a log that its own page shows.
const LOG: usize = 5000;

/// One run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunPage {
    /// The run itself.
    pub run: RunLine,
    /// Digest of the pipeline definition that it is pinned to.
    pub pipeline_digest: String,
    /// Whether it is over.
    pub ended: bool,
    /// Steps that began, in that order, then those that did not.
    pub steps: Vec<StepView>,
    /// Requests for a decision, newest first.
    pub requests: Vec<RequestLine>,
    /// Where its artifacts come from.
    pub lineage: Lineage,
    /// Messages about it that did not arrive.
    pub undelivered: Vec<NoticeLine>,
}

/// One step of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StepView {
    /// Its name.
    pub step: String,
    /// `not begun`, `running`, `succeeded`, `cached`, `failed`; for a gate `gate`.
    pub status: String,
    /// Component and version; what a gate wants.
    pub component: String,
    /// `pass`, `needs a person` or `fail`; none while it is not known.
    pub verdict: Option<String>,
    /// Which try this is.
    pub attempt: u32,
    /// Why it ran.
    pub why: String,
    /// When it began, RFC 3339.
    pub started_at: Option<String>,
    /// How long it took, in words.
    pub took: String,
    /// The run from whose work this was taken over.
    pub cached_from: Option<String>,
    /// One line of what it did.
    pub summary: String,
    /// Why it failed.
    pub error: Option<String>,
    /// A stable code of that.
    pub error_code: Option<String>,
    /// What it found, heaviest first.
    pub findings: Vec<FindingLine>,
    /// Findings that are not in this list.
    pub more_findings: usize,
    /// Numbers that it kept.
    pub metrics: Vec<(String, f64)>,
    /// What it made.
    pub made: Vec<Piece>,
    /// Lines of its log there are.
    pub log_lines: usize,
    /// The last few of them.
    pub log_tail: Vec<LogEntry>,
}

/// One line of a log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LogEntry {
    /// `debug`, `info`, `warn`, `error`, `stdout` or `stderr`.
    pub level: String,
    /// The message.
    pub message: String,
    /// Its fields: `rows=3 split=eval`.
    pub fields: String,
}

impl From<&LogLine> for LogEntry {
    fn from(line: &LogLine) -> Self {
        let fields: Vec<String> = line.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self { level: line.level.clone(), message: line.message.clone(), fields: fields.join(" ") }
    }
}

/// A step's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LogPage {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The step.
    pub step: String,
    /// Which try this is.
    pub attempt: u32,
    /// Lines there are.
    pub total: usize,
    /// The last of them.
    pub lines: Vec<LogEntry>,
}

async fn found(sources: &Sources, id: &RunId) -> Result<Run, ReviewError> {
    sources.store.run(id).await?.ok_or_else(|| ReviewError::NotFound(id.to_string()))
}

/// Loads one run.
///
/// # Errors
/// When there is no such run or the record fails.
pub async fn load_run(sources: &Sources, id: &RunId) -> Result<RunPage, ReviewError> {
    let run = found(sources, id).await?;
    let trail = Trail::load(sources, id).await?;
    let version = sources.store.pipeline_version(&run.pipeline_digest).await?;
    let now = sources.clock.now();
    let mut steps = Vec::new();
    for execution in &trail.executions {
        let log = sources.store.execution_log(&execution.id).await?;
        steps.push(step(execution, &log, &run, now));
    }
    steps.extend(not_begun(&trail, version.as_ref()));
    let requests = sources.store.requests(Some(id), None).await?;
    Ok(RunPage {
        pipeline_digest: run.pipeline_digest.to_string(),
        ended: run.state.is_ended(),
        steps,
        requests: requests.iter().map(RequestLine::from).collect(),
        lineage: lineage::lineage(&trail, &run, version.as_ref(), None),
        undelivered: history::undelivered(sources, &run).await?,
        run: runs::line(&run, now),
    })
}

/// Loads a step's log.
///
/// # Errors
/// When there is no such run or step, or the record fails.
pub async fn load_log(sources: &Sources, id: &RunId, step: &str) -> Result<LogPage, ReviewError> {
    let run = found(sources, id).await?;
    let tries = sources.store.executions(id).await?;
    let Some(execution) = tries.into_iter().rev().find(|execution| execution.step == step) else {
        return Err(ReviewError::NotFound(format!("step {step} of {id}")));
    };
    let log = sources.store.execution_log(&execution.id).await?;
    Ok(LogPage {
        run: id.to_string(),
        pipeline: run.pipeline,
        step: step.to_string(),
        attempt: execution.attempt,
        total: log.len(),
        lines: log[log.len().saturating_sub(LOG)..].iter().map(LogEntry::from).collect(),
    })
}

fn step(execution: &Execution, log: &[LogLine], run: &Run, now: Timestamp) -> StepView {
    let result = execution.state.result();
    let findings = result.map_or(&[][..], |result| &result.findings);
    let shown = checks::heaviest_first(findings, FINDINGS);
    let mut cached_from = None;
    let mut failure = None;
    let ended = match &execution.state {
        ExecutionState::Running => now,
        ExecutionState::Succeeded { result } => result.ended_at,
        ExecutionState::Cached { from_run, .. } => {
            cached_from = Some(from_run.to_string());
            execution.started_at
        }
        ExecutionState::Failed { error, ended_at } => {
            failure = Some(error);
            *ended_at
        }
    };
    StepView {
        step: execution.step.clone(),
        status: execution.state.status().to_string(),
        component: execution.component.clone(),
        verdict: result.map(|result| result.verdict.as_str().to_string()),
        attempt: execution.attempt,
        why: execution.why.clone(),
        started_at: Some(execution.started_at.to_string()),
        took: if cached_from.is_some() { String::new() } else { words::between(execution.started_at, ended) },
        cached_from,
        summary: result.map(|result| result.summary.clone()).unwrap_or_default(),
        error: failure.map(|error| error.message.clone()),
        error_code: failure.map(|error| error.code.clone()),
        more_findings: findings.len() - shown.len(),
        findings: shown,
        metrics: result.map(|result| result.metrics.clone().into_iter().collect()).unwrap_or_default(),
        made: result
            .map(|result| result.outputs.iter().map(|(port, made)| lineage::piece(port, made, run)).collect())
            .unwrap_or_default(),
        log_lines: log.len(),
        log_tail: log[log.len().saturating_sub(TAIL)..].iter().map(LogEntry::from).collect(),
    }
}

/// The steps of the definition that have not begun, gates among them.
fn not_begun(trail: &Trail, version: Option<&PipelineVersion>) -> Vec<StepView> {
    let steps = version.into_iter().flat_map(|version| &version.pipeline.steps);
    let missing = steps.filter(|step| trail.executions.iter().all(|execution| execution.step != step.name));
    let view = |step: &countersign_model::pipeline::Step| {
        let (status, component) = match &step.work {
            Work::Component(work) => ("not begun", work.component.clone()),
            Work::Signoff(_) => ("gate", "waits for people".to_string()),
        };
        StepView {
            step: step.name.clone(),
            status: status.to_string(),
            component,
            verdict: None,
            attempt: 0,
            why: String::new(),
            started_at: None,
            took: String::new(),
            cached_from: None,
            summary: String::new(),
            error: None,
            error_code: None,
            findings: Vec::new(),
            more_findings: 0,
            metrics: Vec::new(),
            made: Vec::new(),
            log_lines: 0,
            log_tail: Vec::new(),
        }
    };
    missing.map(view).collect()
}
