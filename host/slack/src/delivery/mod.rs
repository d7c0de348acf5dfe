//! Delivers notices. A request has one living message, edited through every state; reminders go to its thread; alerts are grouped.

mod alerts;
pub(crate) mod living;
mod once;
mod pictures;
mod thread;

use crate::error::{Outlook, SlackError};
use crate::house::House;
use async_trait::async_trait;
use countersign_model::run::RunEnd;
use countersign_ports::notifier::{Message, Notice};
use countersign_ports::{Notifier, NotifyError};
use std::sync::Arc;

/// Pause after something that an operator has to repair: nothing is lost, and nobody is called every second.
const REPAIR_SECONDS: u64 = 300;

/// Serves channels `slack:…`.
pub(crate) struct SlackNotifier(pub(crate) Arc<House>);

/// The channel as Slack takes it: `#ml-releases` or `C0123` of `slack:…`.
pub(crate) fn target(channel: &str) -> &str {
    channel.strip_prefix("slack:").unwrap_or(channel)
}

#[async_trait]
impl Notifier for SlackNotifier {
    fn serves(&self, channel: &str) -> bool {
        channel.strip_prefix("slack:").is_some_and(|rest| !rest.is_empty())
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotifyError> {
        let _lane = self.0.lane(&notice.channel).await;
        deliver(&self.0, notice).await.map_err(|error| {
            self.0
                .health
                .troubled(self.0.now(), format!("deliver {} to {}: {}", notice.id, notice.channel, error.in_full()));
            verdict(&error)
        })
    }
}

/// Whether to try again, and when.
fn verdict(error: &SlackError) -> NotifyError {
    let reason = error.in_full();
    if let SlackError::RateLimited { retry_after_seconds, .. } = error {
        return NotifyError::Later { reason, retry_after_seconds: *retry_after_seconds };
    }
    match error.outlook() {
        // The outbox backs off by itself, with jitter.
        Outlook::Soon => NotifyError::Later { reason, retry_after_seconds: 0 },
        Outlook::AfterRepair => NotifyError::Later { reason, retry_after_seconds: REPAIR_SECONDS },
        Outlook::Never => NotifyError::Never { reason },
    }
}

async fn deliver(house: &Arc<House>, notice: &Notice) -> Result<(), SlackError> {
    let channel = notice.channel.as_str();
    match &notice.message {
        Message::SignoffRequested { request, .. } | Message::RequestChanged { request } => {
            living::refresh(house, request, channel, None).await.map(drop)
        }
        Message::DecisionRecorded { decision } => {
            living::refresh(house, &decision.request, channel, None).await.map(drop)
        }
        Message::Pushed { push } => living::refresh(house, &push.request, channel, Some(push)).await.map(drop),
        Message::Reminder { request } => thread::remind(house, notice, request).await,
        Message::Escalation { request, to } => thread::escalate(house, notice, request, to).await,
        Message::Warned { findings } => alerts::warned(house, notice, findings).await,
        Message::RunEnded { end } => {
            living::refresh_run(house, &notice.run, channel).await?;
            match end {
                RunEnd::Failed { .. } | RunEnd::Blocked { .. } => alerts::ended(house, notice, end).await,
                RunEnd::Succeeded
                | RunEnd::Rejected { .. }
                | RunEnd::Superseded { .. }
                | RunEnd::Replaced { .. }
                | RunEnd::Expired
                | RunEnd::Cancelled { .. } => Ok(()),
            }
        }
    }
}
