//! The outbox: what is due, what went wrong.

use super::state::{Fate, OutgoingNotice, State};
use countersign_model::id::{NoticeId, RunId};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Delivery, Undelivered};
use countersign_ports::notifier::Notice;
use std::collections::BTreeSet;

/// In the order in which they were written; one that waits for another try holds back the later ones of its channel.
pub(super) fn due(state: &State, now: Timestamp, limit: u32) -> Vec<Notice> {
    let mut waiting = BTreeSet::new();
    let mut due = Vec::new();
    for outgoing in in_order(state).into_iter().filter(|outgoing| outgoing.fate == Fate::Pending) {
        if outgoing.next_at > now {
            waiting.insert(outgoing.notice.channel.as_str());
        } else if !waiting.contains(outgoing.notice.channel.as_str()) {
            due.push(outgoing.notice.clone());
        }
    }
    due.truncate(limit as usize);
    due
}

fn in_order(state: &State) -> Vec<&OutgoingNotice> {
    let mut notices: Vec<_> = state.outbox.values().collect();
    notices.sort_by_key(|outgoing| (outgoing.notice.created_at, outgoing.notice.id));
    notices
}

pub(super) fn settle(state: &mut State, id: &NoticeId, delivery: &Delivery) -> Result<(), StoreError> {
    let not_found = || StoreError::NotFound { what: "notice", id: id.to_string() };
    let outgoing = state.outbox.get_mut(id).ok_or_else(not_found)?;
    if outgoing.fate != Fate::Pending {
        return Ok(());
    }
    outgoing.notice.attempts += 1;
    match delivery {
        Delivery::Done => outgoing.fate = Fate::Done,
        Delivery::RetryAt(at, problem) => {
            outgoing.next_at = *at;
            outgoing.problem = Some(problem.clone());
        }
        Delivery::Dead(problem) => {
            outgoing.fate = Fate::Dead;
            outgoing.problem = Some(problem.clone());
        }
    }
    Ok(())
}

pub(super) fn undelivered(state: &State, run: Option<&RunId>, limit: u32) -> Vec<Undelivered> {
    let failed = |outgoing: &&OutgoingNotice| {
        outgoing.fate != Fate::Done && outgoing.notice.attempts > 0 && run.is_none_or(|run| outgoing.notice.run == *run)
    };
    let shown = |outgoing: &OutgoingNotice| Undelivered {
        notice: outgoing.notice.clone(),
        next_at: (outgoing.fate == Fate::Pending).then_some(outgoing.next_at),
        problem: outgoing.problem.clone(),
    };
    in_order(state).into_iter().rev().filter(failed).take(limit as usize).map(shown).collect()
}
