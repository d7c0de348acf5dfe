//! What one person is told and nobody else sees: refusals, and that they came too late.

use super::payload::{Click, Sender};
use super::{Clerk, NotTaken};
use crate::delivery::living;
use crate::house::Facts;
use crate::message::notice_to_person;
use countersign_model::decision::{DecisionKind, RequestState, SignoffRequest};
use serde_json::{Value, json};

impl Clerk {
    /// Tells the person who clicked, after the answer to Slack.
    pub(super) fn whisper(&self, sender: &Sender, click: &Click, text: String) {
        let Some(place) = click.place.clone() else { return };
        let (house, user) = (self.house.clone(), sender.user.clone());
        tokio::spawn(async move {
            if let Err(error) = house.client.whisper(&place.channel, &user, &notice_to_person(&text)).await {
                house.note("tell a person", &error);
            }
        });
    }

    /// Tells the person that it is decided, and corrects the message that they clicked.
    pub(super) fn tell_late(&self, sender: &Sender, click: Click, request: SignoffRequest) {
        let (clerk, sender) = (self.clone(), sender.clone());
        tokio::spawn(async move {
            let facts = match clerk.house.facts_of(request, None).await {
                Ok(facts) => facts,
                Err(error) => return clerk.house.note("tell a person", &error),
            };
            clerk.whisper(&sender, &click, how_it_ended(&facts));
            if let Some(place) = &click.place
                && let Err(error) = living::correct(&clerk.house, &facts, place).await
            {
                clerk.house.note("correct a stale message", &error);
            }
        });
    }

    /// The dialog of somebody who came too late.
    pub(super) async fn late_dialog(&self, request: &SignoffRequest) -> Result<Value, NotTaken> {
        let facts = self.house.facts_of(request.clone(), None).await.map_err(|error| self.failed(error))?;
        let said = notice_to_person(&how_it_ended(&facts));
        Ok(json!({ "response_action": "update", "view": {
            "type": "modal", "title": { "type": "plain_text", "text": "Already decided" },
            "close": { "type": "plain_text", "text": "Close" }, "blocks": said.blocks,
        } }))
    }
}

/// `Already approved by ada at 2026-11-23 12:00 UTC.`
fn how_it_ended(facts: &Facts) -> String {
    let last = |kinds: &[DecisionKind]| {
        facts.decisions.iter().rev().find(|decision| !decision.late && kinds.contains(&decision.kind))
    };
    let by = |kinds: &[DecisionKind]| match last(kinds) {
        Some(decision) => {
            format!(" by {} at {}", decision.person, decision.at.to_utc().format("%Y-%m-%d %H:%M:%S UTC"))
        }
        None => String::new(),
    };
    let what = match &facts.request.state {
        RequestState::Open => "still open".to_string(),
        RequestState::Approved => {
            format!("already decided: approved{}", by(&[DecisionKind::Approve, DecisionKind::Override]))
        }
        RequestState::Rejected => format!("already decided: rejected{}", by(&[DecisionKind::Reject])),
        RequestState::Superseded { by } => format!("superseded by the newer candidate of {by}"),
        RequestState::Expired => "expired: nobody decided in time".to_string(),
        RequestState::Cancelled => "over: its run was stopped".to_string(),
        RequestState::Void { reason } => format!("void: {reason}. A new request took its place"),
    };
    format!("This request is {what}. Your click changed nothing.")
}
