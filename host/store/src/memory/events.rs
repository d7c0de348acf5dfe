//! Events: each ends in exactly one run, or in a recorded skip.

use super::runs::end_any;
use super::state::{QueuedRun, State};
use crate::deeds::{self, Deed};
use countersign_model::admission::{Admitted, Load};
use countersign_model::event::{Event, EventOutcome};
use countersign_model::id::RunId;
use countersign_model::run::{InvalidTransition, Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::Proposal;
use std::cmp::Reverse;

pub(super) fn accept(
    state: &mut State,
    now: Timestamp,
    event: &Event,
    proposal: Proposal<'_>,
) -> Result<(EventOutcome, Vec<Deed>), StoreError> {
    if let Some((_, outcome)) = state.events.values().find(|(known, _)| known.dedupe_key == event.dedupe_key) {
        let run = match outcome {
            EventOutcome::Run { run } => Some(*run),
            EventOutcome::Skipped { .. } | EventOutcome::SeenAgain { .. } => None,
        };
        return Ok((EventOutcome::SeenAgain { run }, Vec::new()));
    }
    let (outcome, deeds) = match proposal {
        Proposal::Run(run) => start(state, now, event, run, &[])?,
        Proposal::Admit(run, admission) => match admission.judge(&load(state, &event.pipeline)) {
            Admitted::Queue => start(state, now, event, run, &[])?,
            Admitted::Replace => {
                let replaced = going_on(state, now, &event.pipeline);
                start(state, now, event, run, &replaced)?
            }
            Admitted::Skip(reason) => skip(event, reason),
        },
        Proposal::Skip(reason) => skip(event, reason.to_string()),
    };
    state.events.insert(event.id, (event.clone(), outcome.clone()));
    Ok((outcome, deeds))
}

fn skip(event: &Event, reason: String) -> (EventOutcome, Vec<Deed>) {
    let deeds = vec![deeds::event_skipped(event, &reason)];
    (EventOutcome::Skipped { reason }, deeds)
}

/// Queues the run in place of the `replaced` ones.
fn start(
    state: &mut State,
    now: Timestamp,
    event: &Event,
    run: &Run,
    replaced: &[RunId],
) -> Result<(EventOutcome, Vec<Deed>), StoreError> {
    if run.state != RunState::Queued {
        return Err(InvalidTransition { from: run.state.status(), to: "be started by an event" }.into());
    }
    if !state.versions.contains_key(&run.pipeline_digest) {
        return Err(StoreError::NotFound { what: "pipeline version", id: run.pipeline_digest.to_string() });
    }
    let mut deeds = vec![deeds::event_accepted(event, run, replaced)];
    for old in replaced {
        end_any(state.run(old)?, RunEnd::Replaced { by: run.id }, event.at)?;
        deeds.push(deeds::run_replaced(event, old, run));
    }
    state.runs.insert(run.id, QueuedRun { run: run.clone(), owner: None, epoch: 0, queued_at: now });
    Ok((EventOutcome::Run { run: run.id }, deeds))
}

/// The queued and running runs, oldest first, without those whose worker is placing a model.
fn going_on(state: &State, now: Timestamp, pipeline: &str) -> Vec<RunId> {
    let runs = state.runs.values().filter(|queued| queued.run.pipeline == pipeline);
    runs.filter(|queued| matches!(queued.run.state, RunState::Queued | RunState::Running))
        .filter(|queued| !state.is_placing(&queued.run.id, now))
        .map(|queued| queued.run.id)
        .collect()
}

fn load(state: &State, pipeline: &str) -> Load {
    let of = |wanted: RunState| {
        let runs = state.runs.values().filter(|queued| queued.run.pipeline == pipeline);
        runs.filter(move |queued| queued.run.state == wanted)
    };
    let place = |queued: &&QueuedRun| (Reverse(queued.run.priority), queued.queued_at, queued.run.id);
    Load {
        paused: state.paused.contains_key(pipeline),
        running: of(RunState::Running).map(|queued| queued.run.id).min(),
        queued: of(RunState::Queued).min_by_key(place).map(|queued| queued.run.id),
        queue: of(RunState::Queued).count() as u64,
    }
}
