//! Runs, newest first.

use super::sources::{ReviewError, Sources};
use super::words;
use countersign_model::run::{Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::RunFilter;
use schemars::JsonSchema;
use serde::Serialize;

/// Runs of a page, unless the filter says otherwise.
const SHOWN: u32 = 50;

/// A page of runs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunList {
    /// Of this pipeline only.
    pub pipeline: Option<String>,
    /// In this status only.
    pub status: Option<String>,
    /// Newest first.
    pub runs: Vec<RunLine>,
    /// The run before which the next page begins; none on the last page.
    pub next: Option<String>,
}

/// One run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunLine {
    /// Its identifier.
    pub id: String,
    /// The last characters of it.
    pub short: String,
    /// Its pipeline.
    pub pipeline: String,
    /// `queued`, `running`, `waiting`, `succeeded`, `failed`, `blocked`, `rejected`, `superseded`, `expired` or `cancelled`.
    pub status: String,
    /// Why it is so, in words; empty when there is no more to say.
    pub detail: String,
    /// The request that it waits for.
    pub request: Option<String>,
    /// Why it started.
    pub cause: String,
    /// Who or what started it.
    pub started_by: String,
    /// The delivery it is about.
    pub span: Option<String>,
    /// When it was accepted, RFC 3339.
    pub created_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// How long it took, or takes until now, in words.
    pub took: String,
}

/// Loads a page of runs.
///
/// # Errors
/// When the record fails.
pub async fn load_runs(sources: &Sources, filter: &RunFilter) -> Result<RunList, ReviewError> {
    let limit = if filter.limit == 0 { SHOWN } else { filter.limit.min(500) };
    let filter = RunFilter { limit: limit + 1, ..filter.clone() };
    let mut runs = sources.store.runs(&filter).await?;
    let more = runs.len() > limit as usize;
    runs.truncate(limit as usize);
    let now = sources.clock.now();
    Ok(RunList {
        pipeline: filter.pipeline,
        status: filter.status,
        next: runs.last().filter(|_| more).map(|run| run.id.to_string()),
        runs: runs.iter().map(|run| line(run, now)).collect(),
    })
}

/// One run as a line.
pub(super) fn line(run: &Run, now: Timestamp) -> RunLine {
    let request = match &run.state {
        RunState::Waiting { request } => Some(request.to_string()),
        RunState::Queued | RunState::Running | RunState::Ended { .. } => None,
    };
    RunLine {
        id: run.id.to_string(),
        short: run.id.short(),
        pipeline: run.pipeline.clone(),
        status: run.state.status().to_string(),
        detail: detail(&run.state),
        request,
        cause: words::cause(&run.cause),
        started_by: run.started_by.to_string(),
        span: run.span.clone(),
        created_at: run.created_at.to_string(),
        ended_at: run.ended_at.map(|at| at.to_string()),
        took: words::between(run.created_at, run.ended_at.unwrap_or(now)),
    }
}

fn detail(state: &RunState) -> String {
    match state {
        RunState::Queued | RunState::Running => String::new(),
        RunState::Waiting { .. } => "for people".to_string(),
        RunState::Ended { end } => match end {
            RunEnd::Succeeded | RunEnd::Expired => String::new(),
            RunEnd::Failed { step, message } => format!("{step}: {message}"),
            RunEnd::Blocked { step, reasons } => format!("{step}: {}", reasons.join("; ")),
            RunEnd::Rejected { by, reason } => format!("by {by}: {reason}"),
            RunEnd::Superseded { by } => format!("by {by}"),
            RunEnd::Replaced { by } => format!("a later run, {by}, took its place"),
            RunEnd::Cancelled { by } => format!("by {by}"),
        },
    }
}
