//! What a daemon does between runs: requests that expire, notices to deliver, staging that nobody fills any more.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::decision::RequestState;
use countersign_model::policy::ExpiryAction;
use countersign_ports::NotifyError;
use countersign_ports::metadata_store::Delivery;
use countersign_ports::notifier::Notice;
use std::time::Duration;

/// Deliveries tried before a notice is given up.
const ATTEMPTS: u32 = 10;
/// Notices taken from the outbox at once.
const BATCH: u32 = 50;

impl Engine {
    /// Closes open requests whose time is over, where the policy rejects then. Nothing ever approves by itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expire_requests(&self) -> Result<u32, OrchestratorError> {
        let now = self.parts.clock.now();
        let mut expired = 0;
        for request in self.parts.store.requests(None, None, true).await? {
            let Some(expiry) = &request.policy.expire else { continue };
            let due = request.posted_at.plus(Duration::from_secs(expiry.after_seconds)) <= now;
            if due && expiry.then == ExpiryAction::Reject {
                self.parts.store.close_request(&request.id, &RequestState::Expired, now).await?;
                expired += 1;
            }
        }
        Ok(expired)
    }

    /// Delivers what is due in the outbox.
    ///
    /// # Errors
    /// When the store fails; a delivery that fails is recorded, not returned.
    pub async fn deliver_notices(&self) -> Result<u32, OrchestratorError> {
        let due = self.parts.store.due_notices(BATCH).await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        for notice in due {
            let delivery = self.deliver(&notice).await;
            self.parts.store.settle_notice(&notice.id, &delivery).await?;
        }
        Ok(count)
    }

    async fn deliver(&self, notice: &Notice) -> Delivery {
        let Some(notifier) = self.parts.notifiers.iter().find(|notifier| notifier.serves(&notice.channel)) else {
            return Delivery::Dead(format!("nothing delivers to channel `{}`", notice.channel));
        };
        match notifier.deliver(notice).await {
            Ok(()) => Delivery::Done,
            Err(NotifyError::Never { reason }) => Delivery::Dead(reason),
            Err(NotifyError::Later { reason, .. }) if notice.attempts + 1 >= ATTEMPTS => Delivery::Dead(reason),
            Err(NotifyError::Later { reason, retry_after_seconds }) => {
                let backoff = 1_u64 << notice.attempts.min(8);
                let pause = Duration::from_secs(retry_after_seconds.max(backoff));
                Delivery::RetryAt(self.parts.clock.now().plus(pause), reason)
            }
        }
    }

    /// Removes abandoned staging directories.
    ///
    /// # Errors
    /// When the artifact store fails.
    pub async fn sweep(&self) -> Result<u64, OrchestratorError> {
        Ok(self.parts.artifacts.sweep().await?)
    }
}
