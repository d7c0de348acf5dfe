//! Carries one run in this process until it waits or is over, and what its starter is told then.

use crate::context::Context;
use crate::exit::Exit;
use crate::service;
use crate::terminal::{evidence, prompt};
use crate::wiring::Installation;
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Channel, DecisionKind, SignoffRequest};
use countersign_model::evidence::Evidence;
use countersign_model::id::{RequestId, RunId};
use countersign_model::policy::Standing;
use countersign_model::run::{Run, RunState};
use countersign_orchestrator::WorkEnd;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::{DecideError, DecisionInput, Desk as _};
use serde::Serialize;
use std::time::Duration;

/// How often a run that another process carries is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// Carries the run until it waits or is over. Another process may carry it instead: then this one waits for it.
///
/// # Errors
/// When the stores fail.
pub async fn carry(installation: &Installation, run: &RunId) -> anyhow::Result<RunState> {
    loop {
        if let Some(claim) = installation.engine.claim(Some(run)).await? {
            let worked = tokio::select! {
                worked = installation.engine.work(&claim) => worked,
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted.context("listen for interrupts")?;
                    installation.engine.release(&claim).await?;
                    anyhow::bail!("stopped; `countersign resume {run}` goes on where it was");
                }
            };
            match worked {
                Ok(WorkEnd::Settled(state)) => return Ok(state),
                Ok(WorkEnd::Lost | WorkEnd::HandedOver) => {}
                Err(error) => {
                    installation.engine.release(&claim).await?;
                    return Err(error.into());
                }
            }
        }
        let found = installation.stores.metadata.run(run).await?.with_context(|| format!("run {run} is gone"))?;
        match found.state {
            RunState::Queued => {
                finish_interrupted(installation, &found).await?;
                tokio::time::sleep(GLANCE).await;
            }
            RunState::Running => tokio::time::sleep(GLANCE).await,
            state @ (RunState::Waiting { .. } | RunState::Ended { .. }) => return Ok(state),
        }
    }
}

/// A queued run waits for the one of its pipeline that is running. When the process that carried that one is gone, and its lease
/// with it, it is finished here first.
async fn finish_interrupted(installation: &Installation, waiting: &Run) -> anyhow::Result<()> {
    let filter = RunFilter {
        pipeline: Some(waiting.pipeline.clone()),
        status: Some(RunState::Running.status().to_string()),
        ..RunFilter::default()
    };
    for running in installation.stores.metadata.runs(&filter).await? {
        if let Some(claim) = installation.engine.claim(Some(&running.id)).await? {
            installation.engine.work(&claim).await?;
        }
    }
    Ok(())
}

/// Carries the run; at a gate shows the evidence and asks whoever sits there.
///
/// # Errors
/// When the stores fail.
pub async fn carry_and_ask(
    context: &Context,
    installation: &Installation,
    run: &RunId,
    actor: &Actor,
) -> anyhow::Result<Exit> {
    let exit = ask_until_settled(context, installation, run, actor).await;
    installation.traces.close().await;
    exit
}

async fn ask_until_settled(
    context: &Context,
    installation: &Installation,
    run: &RunId,
    actor: &Actor,
) -> anyhow::Result<Exit> {
    loop {
        let state = carry(installation, run).await?;
        let RunState::Waiting { request } = &state else { return finish(context, run, &state) };
        if context.json() {
            return finish(context, run, &state);
        }
        let request = waiting_request(installation, request).await?;
        let document: Evidence = serde_json::from_str(&request.evidence).context("read the evidence")?;
        println!("{}", evidence::render(&document, &request.evidence_digest, false));
        if !prompt::is_interactive() {
            tell_how_to_decide(context, run);
            return Ok(Exit::Waiting);
        }
        match prompt::ask()? {
            prompt::Answer::Later => {
                tell_how_to_decide(context, run);
                return Ok(Exit::Waiting);
            }
            prompt::Answer::OpenPage => {
                service::show_page(context, installation, &request, actor).await?;
            }
            prompt::Answer::Decide(kind, reason) => {
                let said = Said { actor: actor.clone(), kind, reason, conditions: Conditions::default() };
                if !decide(installation, &request, said).await? {
                    tell_how_to_decide(context, run);
                    return Ok(Exit::Waiting);
                }
            }
        }
    }
}

/// The request that a waiting run shows.
///
/// # Errors
/// When the store does not have it.
pub async fn waiting_request(installation: &Installation, request: &RequestId) -> anyhow::Result<SignoffRequest> {
    installation.stores.metadata.request(request).await?.with_context(|| format!("sign-off request {request} is gone"))
}

/// What a person at this terminal says.
pub struct Said {
    /// Their account.
    pub actor: Actor,
    /// What.
    pub kind: DecisionKind,
    /// Why.
    pub reason: String,
    /// Under which conditions.
    pub conditions: Conditions,
}

/// Records a decision and says what it means. True when the run can go on.
///
/// # Errors
/// When the stores fail; a refusal is printed, not returned.
pub async fn decide(installation: &Installation, request: &SignoffRequest, said: Said) -> anyhow::Result<bool> {
    let input = DecisionInput {
        request: request.id,
        evidence: request.evidence_digest,
        kind: said.kind,
        actor: said.actor,
        channel: Channel::Terminal,
        second_factor: false,
        reason: said.reason,
        conditions: said.conditions,
        once: None,
    };
    let recorded = match installation.engine.decide(input).await {
        Ok(recorded) => recorded,
        Err(DecideError::Refused(refusal)) => {
            println!("  not recorded: {refusal}");
            return Ok(false);
        }
        Err(DecideError::Desk(error)) => return Err(error.into()),
    };
    let decision = &recorded.decision;
    if decision.late {
        println!("  recorded as late: the request was {} already", recorded.request.state.status());
        return Ok(false);
    }
    println!("  recorded: {} by {} on evidence {}", decision.kind, decision.actor, decision.evidence_digest.short());
    Ok(match recorded.standing {
        Standing::Approved | Standing::Rejected => true,
        Standing::Open { held, missing } => {
            let wanted: Vec<String> = missing.iter().map(|(role, count)| format!("{count} × {role}")).collect();
            let how = if held { "on hold" } else { "still waiting" };
            println!("  {how}; wanted: {}", wanted.join(", "));
            false
        }
    })
}

/// The commands that decide, for whoever comes later.
pub fn tell_how_to_decide(context: &Context, run: &RunId) {
    println!("\n  {run} waits for a decision; it never approves by itself. When somebody has looked (exit code 4):");
    println!("    {} show {run}", context.prefix);
    println!("    {} approve {run} --reason \"…\"      (or reject, hold)", context.prefix);
}

/// Tells how a run stands and with which code the process ends.
///
/// # Errors
/// When the state can not be printed.
pub fn finish(context: &Context, run: &RunId, state: &RunState) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Finished<'a> {
        run: &'a RunId,
        state: &'a RunState,
    }
    if context.json() {
        context.print_json("run-state", &Finished { run, state })?;
    }
    Ok(Exit::of(state))
}
