//! Definitions and runs. Who works on one is in `claims`.

use super::claims::guard;
use super::state::{QueuedRun, State};
use crate::deeds::{self, Deed};
use crate::judgement;
use countersign_model::actor::Actor;
use countersign_model::decision::RequestState;
use countersign_model::id::RunId;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::notifier::Notice;

pub(super) fn register(state: &mut State, version: &PipelineVersion, by: &Actor) -> Vec<Deed> {
    if state.in_force.get(&version.name) == Some(&version.digest) {
        return Vec::new();
    }
    state.versions.entry(version.digest).or_insert_with(|| version.clone());
    state.in_force.insert(version.name.clone(), version.digest);
    vec![deeds::pipeline_registered(version, by)]
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
    now: Timestamp,
    id: &RunId,
    by: &Actor,
    at: Timestamp,
    notices: &[Notice],
) -> Result<Vec<Deed>, StoreError> {
    let mut deeds = vec![deeds::run_cancelled(id, by)];
    if state.is_placing(id, now) {
        return Err(judgement::placing());
    }
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
