//! What is due at requests that wait: reminders, escalation, expiry. It works on requests of which something is due only, so that ten
//! thousand that just wait cost nothing; and nothing that is due ever approves.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::deadline::Due;
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::policy::ExpiryAction;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::notifier::{Message, Notice};

/// Requests looked at together.
const BATCH: u32 = 100;

impl Engine {
    /// Reminds, escalates and expires, once each however many engines do it. Answers how much was done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn meet_deadlines(&self) -> Result<u32, OrchestratorError> {
        let mut done = 0;
        loop {
            let now = self.parts.clock.now();
            let due = self.parts.store.due_requests(now, BATCH).await?;
            let more = due.len() == BATCH as usize;
            let before = done;
            for request in due {
                done += self.catch_up(request, now).await?;
            }
            // Without any progress the same batch would come again.
            if !more || done == before {
                return Ok(done);
            }
        }
    }

    /// Does all that is due at one request.
    async fn catch_up(&self, mut request: SignoffRequest, now: Timestamp) -> Result<u32, OrchestratorError> {
        if is_over(&request, now) {
            return self.expire(&request, now).await.map(u32::from);
        }
        let mut done = 0;
        while let Some((at, due)) = request.next_due().filter(|(at, _)| *at <= now) {
            let progress = request.progress_after(due, now);
            tracing::info!(request.id = %request.id, run.id = %request.run, ?due, %at, "due");
            let notices = self.due_notices(&request, due);
            let store = &self.parts.store;
            if !store.advance_request(&request.id, &request.progress, &progress, now, &notices).await? {
                break;
            }
            self.hint_outbox();
            request.progress = progress;
            done += 1;
        }
        Ok(done)
    }

    fn due_notices(&self, request: &SignoffRequest, due: Due) -> Vec<Notice> {
        let id = request.id;
        let message = match due {
            Due::Remind => Message::Reminder { request: id },
            Due::Escalate => {
                let to = request.policy.escalate.as_ref().map(|escalate| escalate.to.clone()).unwrap_or_default();
                Message::Escalation { request: id, to }
            }
            Due::Overdue | Due::Expire => Message::RequestChanged { request: id },
        };
        self.request_notices(request.run, &request.policy, &message)
    }

    /// Closes the request, unless somebody was faster.
    async fn expire(&self, request: &SignoffRequest, now: Timestamp) -> Result<bool, OrchestratorError> {
        let notices = self.changed(request);
        match self.parts.store.close_request(&request.id, &RequestState::Expired, now, &notices).await {
            Ok(()) => {
                self.hint_outbox();
                self.hint_work();
                Ok(true)
            }
            Err(StoreError::Transition(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the time is over and the policy rejects then. That goes before anything else that is due: after a long downtime nobody is
/// reminded of what they can no longer decide.
fn is_over(request: &SignoffRequest, now: Timestamp) -> bool {
    let expire = request.policy.expire.as_ref();
    expire.is_some_and(|expiry| expiry.then == ExpiryAction::Reject && expiry.deadline(request.posted_at) <= now)
}
