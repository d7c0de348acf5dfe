//! What the record says, as spans. Attributes are identifiers, names, digests and codes, and the message of a failed step, which every
//! page shows; never what people wrote, parameters or rows.

use crate::span::{Failure, Span, SpanId, TraceId, Value};
use countersign_model::decision::SignoffRequest;
use countersign_model::event::Cause;
use countersign_model::execution::{Execution, ExecutionState};
use countersign_model::id::RunId;
use countersign_model::push::Push;
use countersign_model::run::{Run, RunEnd, RunState};
use countersign_model::time::Timestamp;

/// Longest message that is sent.
const MESSAGE: usize = 500;

/// A span of that run's trace, directly below the run.
fn below(run: &RunId, pipeline: &str, id: SpanId, name: String, started_at: Timestamp, ended_at: Timestamp) -> Span {
    Span {
        trace: TraceId(run.to_bytes()),
        id,
        parent: Some(SpanId::of(run.to_bytes())),
        name,
        started_at,
        // Clocks of two machines may disagree.
        ended_at: ended_at.max(started_at),
        attributes: vec![
            ("countersign.pipeline", Value::from(pipeline)),
            ("countersign.run.id", Value::Text(run.to_string())),
        ],
        failure: None,
    }
}

/// A run that is over; none while it goes on.
pub fn run_span(run: &Run) -> Option<Span> {
    let RunState::Ended { end } = &run.state else { return None };
    let id = SpanId::of(run.id.to_bytes());
    let ended_at = run.ended_at.unwrap_or(run.created_at);
    let mut span = below(&run.id, &run.pipeline, id, format!("run {}", run.pipeline), run.created_at, ended_at);
    span.parent = None;
    span.attributes.push(("countersign.run.end", Value::from(end.as_str())));
    span.attributes.push(("countersign.run.cause", Value::from(cause(&run.cause))));
    span.attributes.push(("countersign.pipeline.digest", Value::Text(run.pipeline_digest.to_string())));
    if let Some(data) = &run.span {
        span.attributes.push(("countersign.span", Value::from(data.as_str())));
    }
    span.failure = ended_badly(end);
    Some(span)
}

fn cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::Person => "person",
        Cause::Cron { .. } => "cron",
        Cause::Arrival { .. } => "arrival",
        Cause::Pushed { .. } => "pushed",
        Cause::Http { .. } => "http",
        Cause::Backfill { .. } => "backfill",
    }
}

/// Only what did not work is an error. A person's no, and a newer run, are answers.
fn ended_badly(end: &RunEnd) -> Option<Failure> {
    let message = match end {
        RunEnd::Failed { step, message } => format!("{step}: {message}"),
        RunEnd::Blocked { step, .. } => format!("{step}: a check failed"),
        RunEnd::Expired => "nobody decided in time".to_string(),
        RunEnd::Succeeded
        | RunEnd::Rejected { .. }
        | RunEnd::Superseded { .. }
        | RunEnd::Replaced { .. }
        | RunEnd::Cancelled { .. } => return None,
    };
    Some(Failure { code: end.as_str().to_string(), message: cut(&message) })
}

/// An attempt at a step that ended; none while it goes on.
pub fn step_span(execution: &Execution) -> Option<Span> {
    let (ended_at, cached) = match &execution.state {
        ExecutionState::Running => return None,
        ExecutionState::Succeeded { result } => (result.ended_at, false),
        // Its result tells when the work was done, which was in another run.
        ExecutionState::Cached { .. } => (execution.started_at, true),
        ExecutionState::Failed { ended_at, .. } => (*ended_at, false),
    };
    let id = SpanId::of(execution.id.to_bytes());
    let name = format!("step {}", execution.step);
    let mut span = below(&execution.run, &execution.pipeline, id, name, execution.started_at, ended_at);
    span.attributes.extend([
        ("countersign.step", Value::from(execution.step.as_str())),
        ("countersign.component", Value::from(execution.component.as_str())),
        ("countersign.attempt", Value::Whole(i64::from(execution.attempt))),
        ("countersign.cached", Value::Flag(cached)),
    ]);
    match &execution.state {
        ExecutionState::Cached { from_run, .. } => {
            span.attributes.push(("countersign.cached.run.id", Value::Text(from_run.to_string())));
        }
        ExecutionState::Failed { error, .. } => {
            span.failure = Some(Failure { code: error.code.clone(), message: cut(&error.message) });
        }
        ExecutionState::Running | ExecutionState::Succeeded { .. } => {}
    }
    Some(span)
}

/// The time that a request waited for people, until `closed_at`.
pub fn signoff_span(request: &SignoffRequest, closed_at: Timestamp) -> Span {
    let id = SpanId::of(request.id.to_bytes());
    let name = format!("sign-off {}", request.gate);
    let mut span = below(&request.run, &request.pipeline, id, name, request.posted_at, closed_at);
    span.attributes.extend([
        ("countersign.step", Value::from(request.gate.as_str())),
        ("countersign.request.id", Value::Text(request.id.to_string())),
        ("countersign.request.state", Value::from(request.state.status())),
        ("countersign.evidence.digest", Value::Text(request.evidence_digest.to_string())),
    ]);
    span
}

/// A model that was put in place; none while that goes on.
pub fn push_span(push: &Push) -> Option<Span> {
    let id = SpanId::of(push.id.to_bytes());
    let mut span =
        below(&push.run, &push.pipeline, id, format!("push {}", push.target), push.begun_at, push.completed_at?);
    span.attributes.extend([
        ("countersign.target", Value::from(push.target.as_str())),
        ("countersign.model.digest", Value::Text(push.model.to_string())),
        ("countersign.request.id", Value::Text(push.request.to_string())),
    ]);
    Some(span)
}

fn cut(message: &str) -> String {
    message.chars().take(MESSAGE).collect()
}
