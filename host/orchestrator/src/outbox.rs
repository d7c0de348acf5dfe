//! Delivers the outbox: each channel in its own order, none waiting for another, nothing given up within a day.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Delivery;
use countersign_ports::notifier::Notice;
use countersign_ports::{NotifyError, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinSet;

/// Notices taken from the outbox at once; more when all of them are of channels that pause.
const BATCH: u32 = 50;
/// The longest pause of our own making: after an outage, however long, nothing is later than that.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// A notice is given up after so many attempts ...
const ATTEMPTS: u32 = 40;
/// ... that took at least so long: forty refusals within hours say nothing about tomorrow.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What became of a channel's turn.
struct Turn {
    channel: String,
    settled: u32,
    paused_until: Option<Timestamp>,
}

impl Engine {
    /// Delivers what is due in the outbox, and what is written meanwhile. Answers how many deliveries were tried.
    ///
    /// # Errors
    /// When the store fails; a delivery that fails is recorded, not returned.
    pub async fn deliver_notices(&self) -> Result<u32, OrchestratorError> {
        let mut pauses = self.pauses.lock().await;
        let mut turns: JoinSet<Result<Turn, StoreError>> = JoinSet::new();
        let mut busy: BTreeSet<String> = BTreeSet::new();
        let mut tried = 0;
        let written = self.outbox_hint();
        loop {
            let now = self.parts.clock.now();
            pauses.retain(|_, until| *until > now);
            for (channel, notices) in self.ready(&pauses, &busy).await? {
                busy.insert(channel.clone());
                turns.spawn(self.clone().take_turn(channel, notices));
            }
            let ended = tokio::select! {
                ended = turns.join_next() => ended,
                () = written.notified() => continue,
            };
            let Some(ended) = ended else { return Ok(tried) };
            let turn =
                ended.map_err(|error| OrchestratorError::Task { operation: "deliver notices", source: error })??;
            tried += turn.settled;
            busy.remove(&turn.channel);
            if let Some(until) = turn.paused_until {
                pauses.insert(turn.channel, until);
            }
        }
    }

    /// What can be delivered now, by channel, oldest first.
    async fn ready(
        &self,
        pauses: &BTreeMap<String, Timestamp>,
        busy: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<Notice>>, OrchestratorError> {
        let mut limit = BATCH;
        loop {
            let due = self.parts.store.due_notices(limit).await?;
            let all = due.len() < limit as usize;
            let mut ready: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
            for notice in due {
                if !pauses.contains_key(&notice.channel) && !busy.contains(&notice.channel) {
                    ready.entry(notice.channel.clone()).or_default().push(notice);
                }
            }
            if all || !ready.is_empty() {
                // A notice that failed is due later than those written after it, and still goes first.
                ready.values_mut().for_each(|notices| notices.sort_by_key(|notice| notice.id));
                return Ok(ready);
            }
            limit = limit.saturating_mul(4);
        }
    }

    /// Delivers in order until the first failure.
    async fn take_turn(self, channel: String, notices: Vec<Notice>) -> Result<Turn, StoreError> {
        let mut turn = Turn { channel, settled: 0, paused_until: None };
        for notice in notices {
            let delivery = self.deliver(&notice).await;
            self.parts.store.settle_notice(&notice.id, &delivery).await?;
            turn.settled += 1;
            match delivery {
                Delivery::Done => {}
                Delivery::Dead(reason) => {
                    tracing::warn!(notice.id = %notice.id, channel = turn.channel, reason, "notice given up");
                }
                Delivery::RetryAt(at, reason) => {
                    tracing::warn!(notice.id = %notice.id, channel = turn.channel, reason, retry_at = %at, "delivery failed");
                    turn.paused_until = Some(at);
                    break;
                }
            }
        }
        Ok(turn)
    }

    async fn deliver(&self, notice: &Notice) -> Delivery {
        let Some(notifier) = self.parts.notifiers.iter().find(|notifier| notifier.serves(&notice.channel)) else {
            return Delivery::Dead(format!("nothing delivers to channel `{}`", notice.channel));
        };
        let (reason, wanted) = match notifier.deliver(notice).await {
            Ok(()) => return Delivery::Done,
            Err(NotifyError::Never { reason }) => return Delivery::Dead(reason),
            Err(NotifyError::Later { reason, retry_after_seconds }) => (reason, retry_after_seconds),
        };
        let now = self.parts.clock.now();
        if notice.attempts + 1 >= ATTEMPTS && now.since(notice.created_at) >= DAY {
            return Delivery::Dead(reason);
        }
        // What the receiver asks for is honoured to the second; only a pause of our own making has jitter.
        let pause = match wanted {
            0 => backoff(notice.attempts, self.parts.ids.ulid().random()),
            seconds => Duration::from_secs(seconds),
        };
        Delivery::RetryAt(now.plus(pause), reason)
    }
}

/// Doubles with every attempt up to the longest, the upper half at random, so that channels that failed together do not come back
/// together.
fn backoff(attempts: u32, random: u128) -> Duration {
    let whole = Duration::from_secs(1_u64 << attempts.min(16)).min(LONGEST);
    let share = f64::from((random & 0xFFFF) as u16) / f64::from(u16::MAX);
    whole.div_f64(2.0) + whole.mul_f64(share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        assert_eq!(backoff(0, 0), Duration::from_millis(500));
        assert_eq!(backoff(0, u128::MAX), Duration::from_secs(1));
        assert_eq!(backoff(5, u128::MAX), Duration::from_secs(32));
        assert_eq!(backoff(12, u128::MAX), LONGEST);
        assert_eq!(backoff(u32::MAX, u128::MAX), LONGEST);
    }
}
