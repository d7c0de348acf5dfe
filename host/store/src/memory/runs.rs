//! Definitions, events, runs and their queue.

use super::state::{QueuedRun, State};
use crate::deeds::{self, Deed};
use crate::judgement;
use countersign_model::actor::Actor;
use countersign_model::decision::RequestState;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::id::{RunId, WorkerId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::run::{Claim, InvalidTransition, Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::notifier::Notice;
use std::time::Duration;

pub(super) fn register(state: &mut State, version: &PipelineVersion, by: &Actor) -> Vec<Deed> {
    if state.in_force.get(&version.name) == Some(&version.digest) {
        return Vec::new();
    }
    state.versions.entry(version.digest).or_insert_with(|| version.clone());
    state.in_force.insert(version.name.clone(), version.digest);
    vec![deeds::pipeline_registered(version, by)]
}

pub(super) fn accept(
    state: &mut State,
    now: Timestamp,
    event: &Event,
    run: Result<&Run, &str>,
) -> Result<(EventOutcome, Vec<Deed>), StoreError> {
    if let Some((_, outcome)) = state.events.values().find(|(known, _)| known.dedupe_key == event.dedupe_key) {
        let run = match outcome {
            EventOutcome::Run { run } => Some(*run),
            EventOutcome::Skipped { .. } | EventOutcome::SeenAgain { .. } => None,
        };
        return Ok((EventOutcome::SeenAgain { run }, Vec::new()));
    }
    let (outcome, deed) = match run {
        Ok(run) => {
            if run.state != RunState::Queued {
                return Err(InvalidTransition { from: run.state.status(), to: "be started by an event" }.into());
            }
            if !state.versions.contains_key(&run.pipeline_digest) {
                return Err(StoreError::NotFound { what: "pipeline version", id: run.pipeline_digest.to_string() });
            }
            state.runs.insert(run.id, QueuedRun { run: run.clone(), owner: None, epoch: 0, queued_at: now });
            (EventOutcome::Run { run: run.id }, deeds::event_accepted(event, run))
        }
        Err(reason) => (EventOutcome::Skipped { reason: reason.to_string() }, deeds::event_skipped(event, reason)),
    };
    state.events.insert(event.id, (event.clone(), outcome.clone()));
    Ok((outcome, vec![deed]))
}

pub(super) fn list(state: &State, filter: &RunFilter) -> Vec<Run> {
    let wanted = |run: &&Run| {
        filter.pipeline.as_ref().is_none_or(|pipeline| run.pipeline == *pipeline)
            && filter.status.as_ref().is_none_or(|status| run.state.status() == status)
            && filter.before.is_none_or(|before| run.id < before)
    };
    state
        .runs
        .values()
        .rev()
        .map(|queued| &queued.run)
        .filter(wanted)
        .take(super::page(filter.limit))
        .cloned()
        .collect()
}

fn claimable(state: &State, only: Option<&RunId>, now: Timestamp) -> Option<RunId> {
    let allowed = |queued: &&QueuedRun| only.is_none_or(|only| queued.run.id == *only);
    let abandoned = |queued: &&QueuedRun| queued.owner.is_some_and(|(_, until)| until <= now);
    let busy = |pipeline: &str| {
        state.runs.values().any(|queued| queued.run.pipeline == pipeline && queued.run.state == RunState::Running)
    };
    let oldest_abandoned = state
        .runs
        .values()
        .filter(allowed)
        .filter(abandoned)
        .min_by_key(|queued| (queued.owner.map(|(_, until)| until), queued.run.id));
    let oldest_queued = || {
        let ready = |queued: &&QueuedRun| queued.run.state == RunState::Queued && !busy(&queued.run.pipeline);
        state.runs.values().filter(allowed).filter(ready).min_by_key(|queued| (queued.queued_at, queued.run.id))
    };
    oldest_abandoned.or_else(oldest_queued).map(|queued| queued.run.id)
}

pub(super) fn claim(
    state: &mut State,
    now: Timestamp,
    worker: &WorkerId,
    only: Option<&RunId>,
    lease: Duration,
) -> Result<(Option<Claim>, Vec<Deed>), StoreError> {
    let Some(id) = claimable(state, only, now) else {
        return Ok((None, Vec::new()));
    };
    let queued = state.run(&id)?;
    queued.run.state = queued.run.state.clone().claim()?;
    queued.owner = Some((*worker, now.plus(lease)));
    queued.epoch += 1;
    let claim = Claim { run: id, worker: *worker, epoch: queued.epoch };
    let deeds = vec![deeds::run_claimed(&claim)];
    Ok((Some(claim), deeds))
}

/// Whether the claim still holds and covers `run`; answers the run.
pub(super) fn guard<'s>(state: &'s mut State, claim: &Claim, run: &RunId) -> Result<&'s mut QueuedRun, StoreError> {
    judgement::covers(claim, run)?;
    let holds = |queued: &&mut QueuedRun| {
        queued.owner.is_some_and(|(worker, _)| worker == claim.worker)
            && queued.epoch == claim.epoch
            && queued.run.state == RunState::Running
    };
    state.runs.get_mut(run).filter(holds).ok_or(StoreError::LostClaim { run: claim.run })
}

pub(super) fn heartbeat(state: &mut State, now: Timestamp, claim: &Claim, lease: Duration) -> Result<(), StoreError> {
    guard(state, claim, &claim.run)?.owner = Some((claim.worker, now.plus(lease)));
    Ok(())
}

pub(super) fn release(state: &mut State, claim: &Claim) -> Result<Vec<Deed>, StoreError> {
    let queued = guard(state, claim, &claim.run)?;
    queued.run.state = RunState::Queued;
    queued.owner = None;
    Ok(vec![deeds::run_released(claim)])
}

/// Ends a run, whatever state it is in.
pub(super) fn end_any(queued: &mut QueuedRun, end: RunEnd, at: Timestamp) -> Result<(), StoreError> {
    queued.run.state = queued.run.state.clone().end(end)?;
    queued.run.ended_at = Some(at);
    queued.owner = None;
    Ok(())
}

pub(super) fn end(
    state: &mut State,
    claim: &Claim,
    end: &RunEnd,
    at: Timestamp,
    notices: &[Notice],
) -> Result<Vec<Deed>, StoreError> {
    end_any(guard(state, claim, &claim.run)?, end.clone(), at)?;
    state.write_notices(notices);
    Ok(vec![deeds::run_ended(claim, end)])
}

pub(super) fn cancel(
    state: &mut State,
    id: &RunId,
    by: &Actor,
    at: Timestamp,
    notices: &[Notice],
) -> Result<Vec<Deed>, StoreError> {
    let mut deeds = vec![deeds::run_cancelled(id, by)];
    let queued = state.run(id)?;
    let before = queued.run.state.clone();
    end_any(queued, RunEnd::Cancelled { by: by.clone() }, at)?;
    if let RunState::Waiting { request } = before {
        let posted = state.request(&request)?;
        deeds.push(deeds::request_closed(by, &posted.request, &RequestState::Cancelled));
        posted.request.state = RequestState::Cancelled;
        posted.closed_at = Some(at);
    }
    state.write_notices(notices);
    Ok(deeds)
}
