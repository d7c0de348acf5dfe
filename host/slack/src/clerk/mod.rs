//! Takes what people do in Slack to the desk: one way for the signed endpoint and the sockets. What must be durable is durable when
//! this answers; everything else happens afterwards.

mod notes;
pub(crate) mod payload;

use crate::error::SlackError;
use crate::house::{Facts, House};
use crate::message::{CANARY, REASON, decision_dialog};
use crate::signature::same;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Channel, DecisionKind, RequestState, SignoffRequest};
use countersign_model::finding::Verdict;
use countersign_model::policy::Refusal;
use countersign_ports::metadata_store::{AuditNote, NoteAction, Recorded};
use countersign_ports::{DecideError, DecisionInput, Desk, DeskError, StoreError};
use payload::{Asked, Click, Sender, Submission, asked, parse_handle, sender};
use serde_json::{Value, json};
use std::sync::Arc;

/// What Slack is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Taken.
    Taken,
    /// Taken, and this is what the dialog does next.
    Dialog(Value),
}

/// It could not be made durable: Slack must not believe that it was taken.
#[derive(Debug)]
pub(crate) struct NotTaken;

/// What came of a try to decide.
enum Outcome {
    Recorded(Box<Recorded>),
    Refused(String),
}

/// Takes clicks and dialogs to the desk.
#[derive(Clone)]
pub(crate) struct Clerk {
    pub(crate) house: Arc<House>,
    pub(crate) desk: Arc<dyn Desk>,
}

const UNKNOWN_REQUEST: &str = "This request is unknown here. The message may come from another installation.";

impl Clerk {
    /// Handles a payload.
    pub(crate) async fn handle(&self, payload: &Value) -> Result<Answer, NotTaken> {
        let options = &self.house.options;
        let Some(sender) = sender(payload, &options.app, &options.team) else {
            self.house.health.payload_ignored();
            return Ok(Answer::Taken);
        };
        match asked(payload) {
            Asked::Click(click) => self.click(&sender, click).await,
            Asked::Submission(submission) => self.submission(&sender, submission).await,
            Asked::Closed { handle } => self.closed(&sender, &handle).await,
            Asked::Followed => Ok(Answer::Taken),
            Asked::Unknown => {
                self.house.health.payload_ignored();
                Ok(Answer::Taken)
            }
        }
    }

    /// The request of a handle, when the nonce is right.
    async fn find(&self, handle: &str) -> Result<Option<SignoffRequest>, NotTaken> {
        let Some((id, nonce)) = parse_handle(handle) else { return Ok(None) };
        let request = self.house.options.store.request(&id).await.map_err(|error| self.failed(error.into()))?;
        Ok(request.filter(|request| same(&request.nonce, nonce)))
    }

    async fn click(&self, sender: &Sender, click: Click) -> Result<Answer, NotTaken> {
        let Some(request) = self.find(&click.handle).await? else {
            self.house.health.payload_ignored();
            self.whisper(sender, &click, UNKNOWN_REQUEST.to_string());
            return Ok(Answer::Taken);
        };
        if click.kind != DecisionKind::Hold && request.state == RequestState::Open {
            self.open_dialog(sender, click, request);
            return Ok(Answer::Taken);
        }
        let late = request.state != RequestState::Open;
        let reason = if late { "clicked in Slack when the request was closed" } else { "" };
        let conditions = Conditions::default();
        let outcome =
            self.decide(sender, &request, click.kind, reason.to_string(), conditions, click.once.clone()).await?;
        match outcome {
            Outcome::Recorded(recorded) if recorded.decision.late => self.tell_late(sender, click, recorded.request),
            Outcome::Refused(_) if late => self.tell_late(sender, click, request),
            Outcome::Refused(why) => self.whisper(sender, &click, why),
            Outcome::Recorded(_) => {}
        }
        Ok(Answer::Taken)
    }

    async fn submission(&self, sender: &Sender, sent: Submission) -> Result<Answer, NotTaken> {
        let errors = |block: &str, text: String| {
            let mut errors = json!({});
            errors[block] = text.into();
            Answer::Dialog(json!({ "response_action": "errors", "errors": errors }))
        };
        let Some(request) = self.find(&sent.handle).await? else {
            self.house.health.payload_ignored();
            return Ok(errors(REASON, UNKNOWN_REQUEST.to_string()));
        };
        let conditions = match sent.conditions {
            Ok(conditions) => conditions,
            Err(problem) => return Ok(errors(CANARY, problem)),
        };
        let late = request.state != RequestState::Open;
        match self.decide(sender, &request, sent.kind, sent.reason, conditions, sent.once).await? {
            Outcome::Recorded(recorded) if recorded.decision.late => {
                Ok(Answer::Dialog(self.late_dialog(&recorded.request).await?))
            }
            Outcome::Recorded(_) => Ok(Answer::Taken),
            Outcome::Refused(_) if late => Ok(Answer::Dialog(self.late_dialog(&request).await?)),
            Outcome::Refused(why) => Ok(errors(REASON, why)),
        }
    }

    /// Closing a dialog is no rejection: it leaves a note in the audit log.
    async fn closed(&self, sender: &Sender, handle: &str) -> Result<Answer, NotTaken> {
        let Some(request) = self.find(handle).await? else {
            self.house.health.payload_ignored();
            return Ok(Answer::Taken);
        };
        let note = AuditNote {
            at: self.house.now(),
            actor: sender.actor.clone(),
            action: NoteAction::DialogClosed,
            subject: request.id.to_string(),
            detail: json!({ "channel": Channel::Slack.as_str() }),
        };
        self.house.options.store.record_note(&note).await.map_err(|error| self.failed(error.into()))?;
        Ok(Answer::Taken)
    }

    async fn decide(
        &self,
        sender: &Sender,
        request: &SignoffRequest,
        kind: DecisionKind,
        reason: String,
        conditions: Conditions,
        once: String,
    ) -> Result<Outcome, NotTaken> {
        // On a failed check the button that says yes is an override; the policy has its own rules for it.
        let kind = match kind {
            DecisionKind::Approve if request.verdict == Verdict::Fail => DecisionKind::Override,
            kind => kind,
        };
        let input = DecisionInput {
            request: request.id,
            evidence: request.evidence_digest,
            kind,
            actor: sender.actor.clone(),
            channel: Channel::Slack,
            second_factor: false,
            reason,
            conditions,
            once: Some(once),
        };
        match self.desk.decide(input).await {
            Ok(recorded) => Ok(Outcome::Recorded(Box::new(recorded))),
            Err(DecideError::Refused(refusal)) => Ok(Outcome::Refused(self.refusal(request, &refusal))),
            Err(DecideError::Desk(DeskError::Impossible(why))) => Ok(Outcome::Refused(why)),
            Err(DecideError::Desk(DeskError::Store(StoreError::NotFound { .. }))) => {
                Ok(Outcome::Refused(UNKNOWN_REQUEST.to_string()))
            }
            Err(DecideError::Desk(DeskError::Store(error))) => Err(self.failed(error.into())),
            Err(DecideError::Desk(DeskError::Engine { operation, source })) => {
                tracing::error!(operation, error = %source, "a click could not be taken to the desk");
                self.house.health.troubled(self.house.now(), format!("decide: {operation}"));
                Err(NotTaken)
            }
        }
    }

    fn open_dialog(&self, sender: &Sender, click: Click, request: SignoffRequest) {
        let (clerk, sender) = (self.clone(), sender.clone());
        tokio::spawn(async move {
            if let Err(error) = clerk.dialog(&click, request).await {
                // A click that was delivered again: the dialog is open already.
                if error.slack_name() == Some("exchanged_trigger_id") {
                    return;
                }
                clerk.house.note("open dialog", &error);
                clerk.whisper(
                    &sender,
                    &click,
                    "The dialog could not be opened in time: please click again.".to_string(),
                );
            }
        });
    }

    async fn dialog(&self, click: &Click, request: SignoffRequest) -> Result<(), SlackError> {
        let facts: Facts = self.house.facts_of(request, None).await?;
        let kind = match (click.kind, facts.request.verdict) {
            (DecisionKind::Approve, Verdict::Fail) => DecisionKind::Override,
            (kind, _) => kind,
        };
        let view = decision_dialog(kind, &facts.request.handle(), &facts.situation(None));
        self.house.client.open_dialog(&click.trigger, &view).await
    }

    fn refusal(&self, request: &SignoffRequest, refusal: &Refusal) -> String {
        match refusal {
            Refusal::NoReason(kind) => format!("To {kind} needs a reason."),
            Refusal::WrongChannel { .. } => match self.house.page(&request.id) {
                Some(page) => format!("{refusal}: {page}"),
                None => refusal.to_string(),
            },
            refusal => refusal.to_string(),
        }
    }

    /// The record failed: the person sees that it did not work and clicks again, or Slack delivers again.
    fn failed(&self, error: SlackError) -> NotTaken {
        self.house.note("take a click", &error);
        NotTaken
    }
}
