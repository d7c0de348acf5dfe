//! The queue: which run is taken next, and by whom it is held.

use super::state::{QueuedRun, State};
use crate::deeds::{self, Deed};
use crate::judgement;
use countersign_model::id::{RunId, WorkerId};
use countersign_model::run::{Claim, Run, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

fn is_queued(queued: &&QueuedRun) -> bool {
    queued.run.state == RunState::Queued
}

/// Whether the pipeline runs fewer than it may.
fn has_place(state: &State, pipeline: &str) -> bool {
    let running = |queued: &&QueuedRun| queued.run.pipeline == pipeline && queued.run.state == RunState::Running;
    let version = state.in_force.get(pipeline).and_then(|digest| state.versions.get(digest));
    let most = version.map_or(1, |version| version.pipeline.trigger.most_running());
    state.runs.values().filter(running).count() < most as usize
}

/// The first in the queue of each pipeline from which one may be claimed; of a paused one what was claimed before.
fn firsts(state: &State) -> impl Iterator<Item = &QueuedRun> {
    let place = |queued: &QueuedRun| (Reverse(queued.run.priority), queued.queued_at, queued.run.id);
    let mut firsts: BTreeMap<&str, &QueuedRun> = BTreeMap::new();
    for queued in state.runs.values().filter(is_queued) {
        if queued.epoch > 0 || !state.paused.contains_key(&queued.run.pipeline) {
            let first = firsts.entry(&queued.run.pipeline).or_insert(queued);
            if place(queued) < place(first) {
                *first = queued;
            }
        }
    }
    firsts.into_iter().filter(|(pipeline, _)| has_place(state, pipeline)).map(|(_, first)| first)
}

fn claimable(state: &State, only: Option<&RunId>, now: Timestamp) -> Option<RunId> {
    let abandoned = |queued: &&QueuedRun| queued.owner.is_some_and(|(_, until)| until <= now);
    if let Some(only) = only {
        let ready = |queued: &&QueuedRun| is_queued(queued) && has_place(state, &queued.run.pipeline);
        let wanted = state.runs.get(only).filter(|queued| abandoned(queued) || ready(queued));
        return wanted.map(|queued| queued.run.id);
    }
    let oldest = state
        .runs
        .values()
        .filter(abandoned)
        .min_by_key(|queued| (queued.owner.map(|(_, until)| until), queued.run.id));
    let next = || {
        firsts(state).min_by_key(|QueuedRun { run: Run { pipeline, priority, id, .. }, queued_at, .. }| {
            (Reverse(*priority), state.claimed_at.get(pipeline), *queued_at, *id)
        })
    };
    oldest.or_else(next).map(|queued| queued.run.id)
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
    let pipeline = queued.run.pipeline.clone();
    state.claimed_at.insert(pipeline, now);
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
