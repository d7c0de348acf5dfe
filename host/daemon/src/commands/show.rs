//! `show`: a run with its steps, findings, evidence and decisions.

use crate::args::ShowArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::lookup;
use crate::terminal::{decision, evidence, text, watch};
use crate::wiring;
use anyhow::Context as _;
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::evidence::Evidence;
use countersign_model::execution::{Execution, ExecutionState, LogLine};
use countersign_model::run::{Run, RunState};
use countersign_ports::MetadataStore;
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
struct Shown {
    run: Run,
    executions: Vec<Execution>,
    requests: Vec<Asked>,
    log: Vec<LogLine>,
}

#[derive(Serialize)]
struct Asked {
    request: SignoffRequest,
    decisions: Vec<Decision>,
}

/// Shows a run.
///
/// # Errors
/// When there is no such run or the store fails.
pub async fn run(context: &Context, arguments: &ShowArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    let run = lookup::run(store.as_ref(), &arguments.run).await?;
    let shown = gather(store.as_ref(), run, arguments.log.as_deref()).await?;
    if context.json() {
        context.print_json("run", &shown)?;
        return Ok(Exit::Done);
    }
    print(context, &shown, arguments)?;
    Ok(Exit::Done)
}

async fn gather(store: &dyn MetadataStore, run: Run, log_of: Option<&str>) -> anyhow::Result<Shown> {
    let executions = store.executions(&run.id).await?;
    let mut requests = Vec::new();
    for request in store.requests(Some(&run.id), None).await? {
        let decisions = store.decisions(&request.id).await?;
        requests.push(Asked { request, decisions });
    }
    let mut log = Vec::new();
    if let Some(step) = log_of {
        for execution in executions.iter().filter(|execution| execution.step == step) {
            log.extend(store.execution_log(&execution.id).await?);
        }
    }
    Ok(Shown { run, executions, requests, log })
}

fn print(context: &Context, shown: &Shown, arguments: &ShowArgs) -> anyhow::Result<()> {
    let run = &shown.run;
    let at = run.created_at.to_utc().format("%Y-%m-%d %H:%M:%S UTC");
    println!("{}  {}  {} · started by {} at {at}", run.pipeline, run.id, run.state.status(), run.started_by);
    for execution in &shown.executions {
        println!("{}", watch::step_line(execution, took(execution)));
        if let Some(result) = execution.state.result() {
            for artifact in result.outputs.values() {
                let size = text::bytes(artifact.bytes);
                println!("      → {} {} {} ({size})", artifact.output, artifact.id, artifact.digest.short());
            }
        }
        if let (ExecutionState::Failed { error, .. }, true) = (&execution.state, wants_log(execution, arguments)) {
            println!("{}", text::safe(&error.detail));
        }
    }
    for line in &shown.log {
        println!("      {:<6} {}", line.level, text::safe(&line.message));
    }
    for asked in shown.requests.iter().rev() {
        print_request(asked, arguments.hard)?;
    }
    match &run.state {
        RunState::Waiting { .. } => crate::settle::tell_how_to_decide(context, &run.id),
        RunState::Ended { end } => println!("{}", watch::ending(&run.id.to_string(), end)),
        RunState::Queued | RunState::Running => {}
    }
    Ok(())
}

fn wants_log(execution: &Execution, arguments: &ShowArgs) -> bool {
    arguments.log.as_deref() == Some(execution.step.as_str())
}

fn took(execution: &Execution) -> Duration {
    match &execution.state {
        ExecutionState::Succeeded { result } => result.ended_at.since(execution.started_at),
        ExecutionState::Failed { ended_at, .. } => ended_at.since(execution.started_at),
        ExecutionState::Running | ExecutionState::Cached { .. } => Duration::ZERO,
    }
}

fn print_request(asked: &Asked, hardest: bool) -> anyhow::Result<()> {
    let request = &asked.request;
    let document: Evidence = serde_json::from_str(&request.evidence).context("read the evidence")?;
    println!("{}", evidence::render(&document, &request.evidence_digest, hardest));
    println!("  sign-off `{}`: {}", request.gate, request.state.status());
    for said in &asked.decisions {
        println!("    {}", decision::line(said));
    }
    Ok(())
}
