//! A run as lines in the order in which things happened, each told once.

use crate::terminal::{decision, text};
use countersign_model::decision::Decision;
use countersign_model::execution::{Execution, ExecutionState};
use countersign_model::id::RunId;
use countersign_model::run::{Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::{MetadataStore, StoreError};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// Pushes of a pipeline among which a run's are looked for.
const PUSHES: u32 = 50;

/// Something that happened in a run, or that a component said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// When; what a component said has the time at which it ended.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// The step, if it is about one.
    pub step: Option<String>,
    /// `event` for what happened; `debug`, `info`, `warn`, `error`, `stdout` or `stderr` for what a component said.
    pub level: String,
    /// In words.
    pub message: String,
    /// What a component said besides.
    pub fields: BTreeMap<String, String>,
}

impl Line {
    /// For people.
    pub fn text(&self) -> String {
        let at = self.at.to_utc().format("%Y-%m-%d %H:%M:%S");
        let step = self.step.as_deref().unwrap_or("·");
        let fields: String = self.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let said = text::safe(&format!("{}{fields}", self.message)).replace('\n', "\n    ");
        format!("{at} …{} {} {step:<12} {:<6} {said}", self.run.short(), self.pipeline, self.level)
    }
}

/// What was told of a run.
#[derive(Default)]
pub struct Told(HashSet<String>);

impl Told {
    /// What is new since the last time, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new_lines(&mut self, store: &dyn MetadataStore, run: &Run) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::new();
        let about_run = |at, message: String| line(run, at, None, message);
        if self.first("accepted") {
            lines.push(about_run(run.created_at, format!("accepted, started by {}", run.started_by)));
        }
        for execution in store.executions(&run.id).await? {
            self.execution(store, run, &execution, &mut lines).await?;
        }
        for request in store.requests(Some(&run.id), None).await? {
            let about_gate = |at, message: String| line(run, at, Some(request.gate.clone()), message);
            if self.first(&format!("asked {}", request.id)) {
                let asked =
                    format!("asks for a decision on evidence {}: {}", request.evidence_digest.short(), request.id);
                lines.push(about_gate(request.posted_at, asked));
            }
            for said in store.decisions(&request.id).await? {
                if self.first(&format!("decided {}", said.id)) {
                    lines.push(about_gate(said.at, decided(&said)));
                }
            }
        }
        if let RunState::Ended { end } = &run.state
            && self.first("over")
        {
            for push in store.pushes(Some(&run.pipeline), PUSHES).await?.iter().filter(|push| push.run == run.id) {
                let live = format!("{} is live at {}", push.model.short(), push.target);
                lines.push(about_run(push.completed_at.unwrap_or(push.begun_at), live));
            }
            lines.push(about_run(run.ended_at.unwrap_or(run.created_at), ending(end)));
        }
        // Stable: what has the same time stays in the order in which it was found.
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    async fn execution(
        &mut self,
        store: &dyn MetadataStore,
        run: &Run,
        execution: &Execution,
        lines: &mut Vec<Line>,
    ) -> Result<(), StoreError> {
        let step = || Some(execution.step.clone());
        if self.first(&format!("begun {}", execution.id)) {
            let message = format!("{}, attempt {}: {}", execution.component, execution.attempt, execution.why);
            lines.push(line(run, execution.started_at, step(), message));
        }
        let (at, message) = match &execution.state {
            ExecutionState::Running => return Ok(()),
            ExecutionState::Succeeded { result } => (result.ended_at, format!("done: {}", result.summary)),
            ExecutionState::Cached { from_run, result, .. } => {
                (execution.started_at, format!("cached from {from_run}: {}", result.summary))
            }
            ExecutionState::Failed { error, ended_at } => {
                (*ended_at, format!("failed [{}]: {}", error.code, error.message))
            }
        };
        if self.first(&format!("ended {}", execution.id)) {
            for said in store.execution_log(&execution.id).await? {
                lines.push(Line { level: said.level, fields: said.fields, ..line(run, at, step(), said.message) });
            }
            lines.push(line(run, at, step(), message));
        }
        Ok(())
    }

    fn first(&mut self, what: &str) -> bool {
        self.0.insert(what.to_string())
    }
}

fn line(run: &Run, at: Timestamp, step: Option<String>, message: String) -> Line {
    let (pipeline, level) = (run.pipeline.clone(), "event".to_string());
    Line { at, run: run.id, pipeline, step, level, message, fields: BTreeMap::new() }
}

fn decided(said: &Decision) -> String {
    let late = if said.late { " (late: it changed nothing)" } else { "" };
    let reason = if said.reason.is_empty() { String::new() } else { format!(": {}", said.reason) };
    format!("{} by {}{reason}{late}", said.kind, decision::who(said))
}

fn ending(end: &RunEnd) -> String {
    match end {
        RunEnd::Succeeded => "succeeded".to_string(),
        RunEnd::Failed { step, message } => format!("failed at `{step}`: {message}"),
        RunEnd::Blocked { step, .. } => format!("blocked by `{step}`"),
        RunEnd::Rejected { by, reason } => format!("rejected by {by}: {reason}"),
        RunEnd::Superseded { by } => format!("superseded by {by}"),
        RunEnd::Replaced { by } => format!("replaced by {by}"),
        RunEnd::Expired => "expired: nobody decided in time".to_string(),
        RunEnd::Cancelled { by } => format!("cancelled by {by}"),
    }
}
