//! What decisions and closings do to a request, as pure rules that both stores apply inside their own transaction.

use countersign_model::deadline::Progress;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::id::RunId;
use countersign_model::policy::Standing;
use countersign_model::push::Push;
use countersign_model::run::{Claim, InvalidTransition};
use countersign_ports::StoreError;
use countersign_ports::notifier::{Message, Notice};

/// The decision as it has to be recorded: late when the request is closed.
///
/// # Errors
/// `OtherEvidence` when it is on other evidence than the request's.
pub(crate) fn admit(request: &SignoffRequest, decision: &Decision) -> Result<Decision, StoreError> {
    if decision.evidence_digest != request.evidence_digest {
        return Err(StoreError::OtherEvidence {
            given: decision.evidence_digest.short(),
            shown: request.evidence_digest.short(),
        });
    }
    Ok(Decision { late: request.state != RequestState::Open, ..decision.clone() })
}

/// What all decisions, oldest first, add up to, and the state that an open request takes by it.
pub(crate) fn judge(request: &SignoffRequest, decisions: &[Decision]) -> (Standing, Option<RequestState>) {
    let standing = request.policy.tally(request.verdict, decisions);
    let state = match (&request.state, &standing) {
        (RequestState::Open, Standing::Approved) => Some(RequestState::Approved),
        (RequestState::Open, Standing::Rejected) => Some(RequestState::Rejected),
        (_, Standing::Open { .. } | Standing::Approved | Standing::Rejected) => None,
    };
    (standing, state)
}

/// Whether a request may be closed so without a person.
///
/// # Errors
/// When it is closed already, or when only people may bring that state about.
pub(crate) fn may_close(from: &RequestState, to: &RequestState) -> Result<(), InvalidTransition> {
    let denied = |to| Err(InvalidTransition { from: from.status(), to });
    match to {
        RequestState::Open => denied("open its request again"),
        RequestState::Approved => denied("be approved without a person"),
        RequestState::Rejected => denied("be rejected without a person"),
        RequestState::Superseded { .. } => denied("be superseded without a newer candidate"),
        RequestState::Expired | RequestState::Cancelled | RequestState::Void { .. } => match from {
            RequestState::Open | RequestState::Approved => Ok(()),
            RequestState::Rejected
            | RequestState::Superseded { .. }
            | RequestState::Expired
            | RequestState::Cancelled
            | RequestState::Void { .. } => denied("close its request again"),
        },
    }
}

/// Whether a request's progress may be moved on from `from`: it still waits, and nobody else was there first.
pub(crate) fn may_advance(request: &SignoffRequest, from: &Progress) -> bool {
    request.state == RequestState::Open && request.progress == *from
}

/// The notices of a decision, telling of it as it was recorded: the caller could not know that it is late.
pub(crate) fn notices_of(recorded: &Decision, notices: &[Notice]) -> Vec<Notice> {
    let as_recorded = |notice: &Notice| match &notice.message {
        Message::DecisionRecorded { decision } if decision.id == recorded.id => {
            Notice { message: Message::DecisionRecorded { decision: recorded.clone() }, ..notice.clone() }
        }
        Message::DecisionRecorded { .. }
        | Message::SignoffRequested { .. }
        | Message::RunEnded { .. }
        | Message::RequestChanged { .. }
        | Message::Reminder { .. }
        | Message::Escalation { .. }
        | Message::Warned { .. }
        | Message::Pushed { .. } => notice.clone(),
    };
    notices.iter().map(as_recorded).collect()
}

/// A claim covers its own run only.
///
/// # Errors
/// `LostClaim` for a write to another run.
pub(crate) fn covers(claim: &Claim, run: &RunId) -> Result<(), StoreError> {
    if claim.run == *run { Ok(()) } else { Err(StoreError::LostClaim { run: *run }) }
}

/// What completing a push answers when there was nothing left to complete: completing twice is fine, another run's is not.
///
/// # Errors
/// `NotFound` when it was never begun, `LostClaim` when another run took it over.
pub(crate) fn completed_again(claim: &Claim, push: &Push, recorded: Option<&Push>) -> Result<(), StoreError> {
    match recorded {
        None => Err(StoreError::NotFound { what: "push", id: push.id.to_string() }),
        Some(recorded) if recorded.run == claim.run => Ok(()),
        Some(_) => Err(StoreError::LostClaim { run: claim.run }),
    }
}

/// Nobody stops a run between the moment at which its model may be live and the moment at which the record says so.
pub(crate) fn placing() -> StoreError {
    InvalidTransition { from: "placing a model", to: "be cancelled: look again in a moment" }.into()
}
