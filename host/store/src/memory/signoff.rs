//! Requests, what is due at them, decisions and pokes.

use super::claims::guard;
use super::runs::end_any;
use super::state::{PostedRequest, State};
use crate::deeds::{self, Deed};
use crate::judgement;
use countersign_model::actor::Actor;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::{RequestId, RunId};
use countersign_model::poke::Poke;
use countersign_model::run::{Claim, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Recorded, Waiting};
use countersign_ports::notifier::Notice;
use std::cmp::Reverse;

pub(super) fn open(
    state: &mut State,
    claim: &Claim,
    request: &SignoffRequest,
    notices: &[Notice],
) -> Result<Vec<Deed>, StoreError> {
    let held = guard(state, claim, &request.run)?;
    held.run.state = held.run.state.clone().wait(request.id)?;
    held.owner = None;
    let mut deeds = supersede(state, claim, request)?;
    let posted = PostedRequest {
        request: SignoffRequest { state: RequestState::Open, ..request.clone() },
        closed_at: None,
        decisions: Vec::new(),
    };
    state.requests.insert(request.id, posted);
    state.write_notices(notices);
    deeds.push(deeds::request_opened(claim, request));
    Ok(deeds)
}

fn supersede(state: &mut State, claim: &Claim, request: &SignoffRequest) -> Result<Vec<Deed>, StoreError> {
    let by = RequestState::Superseded { by: claim.run };
    let mut deeds = Vec::new();
    let mut runs = Vec::new();
    for older in state.requests.values_mut() {
        let same_gate = older.request.pipeline == request.pipeline && older.request.gate == request.gate;
        if same_gate && older.request.state == RequestState::Open && older.request.run != claim.run {
            deeds.push(deeds::request_superseded(claim, &older.request, &by));
            older.request.state = by.clone();
            older.closed_at = Some(request.posted_at);
            runs.push(older.request.run);
        }
    }
    for run in runs {
        end_any(state.run(&run)?, RunEnd::Superseded { by: claim.run }, request.posted_at)?;
        deeds.push(deeds::run_superseded(claim, &run));
    }
    Ok(deeds)
}

pub(super) fn list(state: &State, run: Option<&RunId>, model: Option<&Digest>) -> Vec<SignoffRequest> {
    let wanted = |request: &&SignoffRequest| {
        run.is_none_or(|run| request.run == *run) && model.is_none_or(|model| request.model_digest == *model)
    };
    newest_first(state).filter(wanted).cloned().collect()
}

fn all_open(state: &State) -> impl Iterator<Item = &SignoffRequest> {
    newest_first(state).filter(|request| request.state == RequestState::Open)
}

fn newest_first(state: &State) -> impl Iterator<Item = &SignoffRequest> {
    state.requests.values().rev().map(|posted| &posted.request)
}

pub(super) fn waiting(state: &State, after: Option<(Timestamp, RequestId)>, limit: u32) -> Vec<Waiting> {
    let later = |request: &&SignoffRequest| after.is_none_or(|after| (request.posted_at, request.id) > after);
    let mut open: Vec<SignoffRequest> = all_open(state).filter(later).cloned().collect();
    open.sort_by_key(|request| (request.posted_at, request.id));
    open.truncate(limit as usize);
    let waiting = |request: SignoffRequest| Waiting {
        id: request.id,
        run: request.run,
        pipeline: request.pipeline,
        gate: request.gate,
        policy: request.policy,
        evidence_digest: request.evidence_digest,
        model_digest: request.model_digest,
        verdict: request.verdict,
        posted_at: request.posted_at,
    };
    open.into_iter().map(waiting).collect()
}

pub(super) fn record_decision(
    state: &mut State,
    now: Timestamp,
    decision: &Decision,
    notices: &[Notice],
) -> Result<(Recorded, Vec<Deed>), StoreError> {
    let known = state.requests.values().flat_map(|posted| &posted.decisions).find(|known| known.id == decision.id);
    let known = known.cloned();
    let posted = state.request(&decision.request)?;
    if let Some(decision) = known {
        let (standing, _) = judgement::judge(&posted.request, &posted.decisions);
        return Ok((Recorded { decision, standing, request: posted.request.clone() }, Vec::new()));
    }
    let decision = judgement::admit(&posted.request, decision)?;
    posted.decisions.push(decision.clone());
    let mut deeds = vec![deeds::decision_recorded(&decision, &posted.request)];
    let (standing, closing) = judgement::judge(&posted.request, &posted.decisions);
    let before = posted.request.clone();
    if let Some(closing) = closing {
        deeds.push(deeds::request_closed(&decision.actor, &before, &closing));
        posted.request.state = closing;
        posted.closed_at = Some(decision.at);
        deeds.extend(resume(state, now, &decision.actor, &before)?);
    }
    state.write_notices(&judgement::notices_of(&decision, notices));
    let request = state.request(&decision.request)?.request.clone();
    Ok((Recorded { decision, standing, request }, deeds))
}

/// Queues the run when it waits for this request.
fn resume(state: &mut State, now: Timestamp, by: &Actor, request: &SignoffRequest) -> Result<Option<Deed>, StoreError> {
    let queued = state.run(&request.run)?;
    if queued.run.state != (RunState::Waiting { request: request.id }) {
        return Ok(None);
    }
    queued.run.state = queued.run.state.clone().resume(request.id)?;
    queued.queued_at = now;
    Ok(Some(deeds::run_resumed(by, request)))
}

pub(super) fn close(
    state: &mut State,
    now: Timestamp,
    id: &RequestId,
    closing: &RequestState,
    at: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let posted = state.request(id)?;
    judgement::may_close(&posted.request.state, closing)?;
    let before = posted.request.clone();
    posted.request.state = closing.clone();
    posted.closed_at = Some(at);
    let by = Actor::system("signoff");
    let mut deeds = vec![deeds::request_closed(&by, &before, closing)];
    deeds.extend(resume(state, now, &by, &before)?);
    Ok(deeds)
}

pub(super) fn open_at(state: &State, pipeline: &str, gate: &str) -> Option<SignoffRequest> {
    all_open(state).find(|request| request.pipeline == pipeline && request.gate == gate).cloned()
}

pub(super) fn due(state: &State, now: Timestamp, limit: u32) -> Vec<SignoffRequest> {
    let due_at = |request: &SignoffRequest| request.next_due().map(|(at, _)| at);
    let is_due = |request: &&SignoffRequest| due_at(request).is_some_and(|at| at <= now);
    let mut due: Vec<SignoffRequest> = all_open(state).filter(is_due).cloned().collect();
    due.sort_by_key(|request| (due_at(request), request.id));
    due.truncate(limit as usize);
    due
}

pub(super) fn advance(
    state: &mut State,
    id: &RequestId,
    (from, to): (&Progress, &Progress),
    at: Timestamp,
    notices: &[Notice],
) -> Result<(bool, Vec<Deed>), StoreError> {
    let posted = state.request(id)?;
    if !judgement::may_advance(&posted.request, from) {
        return Ok((false, Vec::new()));
    }
    posted.request.progress = *to;
    let deeds = deeds::request_advanced(&posted.request, from, at);
    state.write_notices(notices);
    Ok((true, deeds))
}

pub(super) fn record_poke(state: &mut State, poke: &Poke) -> Result<Vec<Deed>, StoreError> {
    state.request(&poke.request)?;
    if state.pokes.contains_key(&poke.id) {
        return Ok(Vec::new());
    }
    state.pokes.insert(poke.id, poke.clone());
    Ok(vec![deeds::model_poked(poke)?])
}

pub(super) fn pokes(state: &State, request: &RequestId) -> Vec<Poke> {
    let mut pokes: Vec<Poke> = state.pokes.values().filter(|poke| poke.request == *request).cloned().collect();
    pokes.sort_by_key(|poke| Reverse((poke.at, poke.id)));
    pokes.truncate(100);
    pokes
}
