//! Pushes.

use super::claims::guard;
use super::state::State;
use crate::deeds::{self, Deed};
use crate::judgement;
use countersign_model::push::Push;
use countersign_model::run::Claim;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::PushStart;
use countersign_ports::notifier::Notice;
use std::cmp::Reverse;

pub(super) fn begin(state: &mut State, claim: &Claim, push: &Push) -> Result<(PushStart, Vec<Deed>), StoreError> {
    guard(state, claim, &push.run)?;
    let there = state.pushes.values().find(|known| known.model == push.model && known.target == push.target);
    let begun = match there {
        Some(known) if known.completed_at.is_some() => return Ok((PushStart::AlreadyThere(known.clone()), Vec::new())),
        // Cut off: whoever holds a permit now takes it over; its identifier stays.
        Some(known) => Push { id: known.id, completed_at: None, ..push.clone() },
        None => Push { completed_at: None, ..push.clone() },
    };
    state.pushes.insert(begun.id, begun.clone());
    let deeds = vec![deeds::push_begun(claim, &begun)];
    Ok((PushStart::Go(begun), deeds))
}

pub(super) fn complete(
    state: &mut State,
    now: Timestamp,
    claim: &Claim,
    push: &Push,
    notices: &[Notice],
) -> Result<Vec<Deed>, StoreError> {
    guard(state, claim, &push.run)?;
    match state.pushes.get_mut(&push.id) {
        Some(begun) if begun.run == claim.run && begun.completed_at.is_none() => {
            begun.completed_at = Some(push.completed_at.unwrap_or(now));
        }
        recorded => return judgement::completed_again(claim, push, recorded.as_deref()).map(|()| Vec::new()),
    }
    state.write_notices(notices);
    Ok(vec![deeds::push_completed(claim, push)])
}

pub(super) fn completed(state: &State, pipeline: Option<&str>, limit: u32) -> Vec<Push> {
    let mut pushes: Vec<Push> = state
        .pushes
        .values()
        .filter(|push| push.completed_at.is_some() && pipeline.is_none_or(|pipeline| push.pipeline == pipeline))
        .cloned()
        .collect();
    pushes.sort_by_key(|push| Reverse((push.completed_at, push.id)));
    pushes.truncate(limit as usize);
    pushes
}
