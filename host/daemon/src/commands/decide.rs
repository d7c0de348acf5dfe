//! `approve`, `reject`, `hold`, `override`: a decision at the terminal, and what follows from it.

use crate::args::DecideArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::evidence;
use crate::terminal::watch::TerminalWatcher;
use crate::{lookup, settle, system, wiring};
use anyhow::Context as _;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{DecisionKind, SignoffRequest};
use countersign_model::evidence::Evidence;
use countersign_orchestrator::{Silent, Watcher};
use std::sync::Arc;

/// Shows what is being decided, records the decision, and carries the run on when it can go on.
///
/// # Errors
/// When there is nothing to decide, the evidence is another, or the stores fail.
pub async fn run(context: &Context, arguments: &DecideArgs, kind: DecisionKind) -> anyhow::Result<Exit> {
    let person = system::person()?;
    let watcher: Arc<dyn Watcher> = if context.json() { Arc::new(Silent) } else { Arc::new(TerminalWatcher::new()) };
    let installation = wiring::install(context, &[], watcher).await?;
    let run = lookup::run(installation.stores.metadata.as_ref(), &arguments.run).await?;
    let requests = installation.stores.metadata.requests(Some(&run.id), None).await?;
    let request = requests.into_iter().next().ok_or_else(|| {
        WrongInput::new(format!(
            "error: {} is {} and asks for no decision; `countersign show` tells more",
            run.id,
            run.state.status()
        ))
    })?;
    must_match(&request, arguments.evidence.as_deref())?;
    if !context.json() {
        let document: Evidence = serde_json::from_str(&request.evidence).context("read the evidence")?;
        println!("{}", evidence::render(&document, &request.evidence_digest, false));
    }
    let conditions = Conditions {
        canary_percent: arguments.canary,
        except_slices: arguments.except_slice.iter().cloned().collect(),
    };
    let said = settle::Said { actor: person, kind, reason: arguments.reason.clone(), conditions };
    if !settle::decide(&installation, &request, said).await? {
        let now = lookup::run(installation.stores.metadata.as_ref(), &run.id.to_string()).await?;
        return settle::finish(context, &run.id, &now.state);
    }
    let state = settle::carry(&installation, &run.id).await?;
    installation.traces.close().await;
    // Who rejects has done what they came for; the run itself ends as rejected.
    let exit = settle::finish(context, &run.id, &state)?;
    Ok(if kind == DecisionKind::Reject && exit == Exit::Rejected { Exit::Done } else { exit })
}

fn must_match(request: &SignoffRequest, given: Option<&str>) -> anyhow::Result<()> {
    match given {
        Some(given) if given.len() < 12 || !request.evidence_digest.to_string().starts_with(given) => {
            let text = format!(
                "error: you looked at evidence {given}, but the request shows {}: look again (at least twelve characters)",
                request.evidence_digest.short()
            );
            Err(WrongInput::new(text).into())
        }
        Some(_) | None => Ok(()),
    }
}
