//! When the next call may be made: one message a second and channel, and silence for as long as Slack asked for. Is told the time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Keeps the lanes: one for each method, and for messages one for each channel.
pub(crate) struct Pace {
    gap: Duration,
    lanes: Mutex<Lanes>,
}

#[derive(Default)]
struct Lanes {
    /// A channel that was first called by its name: `#x` to `C0123`.
    names: HashMap<String, String>,
    lanes: HashMap<String, Lane>,
}

#[derive(Clone, Copy)]
struct Lane {
    /// Slack asked not to be called before.
    shut_until: Option<Instant>,
    /// The next message's turn.
    next: Option<Instant>,
}

const FREE: Lane = Lane { shut_until: None, next: None };

impl Pace {
    pub(crate) fn new(gap: Duration) -> Self {
        Self { gap, lanes: Mutex::default() }
    }

    /// Takes a turn: how long to wait for it. While the lane is shut nobody takes one: the seconds that are left.
    pub(crate) fn enter(&self, lane: &str, spaced: bool, now: Instant) -> Result<Duration, u64> {
        let gap = self.gap;
        let mut lanes = self.lock();
        let lane = lanes.lane(lane);
        if let Some(left) =
            lane.shut_until.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
        {
            return Err(left.as_secs() + u64::from(left.subsec_nanos() > 0));
        }
        if !spaced {
            return Ok(Duration::ZERO);
        }
        let turn = lane.next.map_or(now, |next| next.max(now));
        lane.next = Some(turn + gap);
        Ok(turn - now)
    }

    /// A message was answered: the next one counts from here, however long this one was under way.
    pub(crate) fn leave(&self, lane: &str, now: Instant) {
        let next = now + self.gap;
        let mut lanes = self.lock();
        let lane = lanes.lane(lane);
        lane.next = Some(lane.next.map_or(next, |planned| planned.max(next)));
    }

    /// Slack asked to wait.
    pub(crate) fn shut(&self, lane: &str, seconds: u64, now: Instant) {
        self.lock().lane(lane).shut_until = Some(now + Duration::from_secs(seconds));
    }

    /// Slack answered from channel `id` what was sent to `name`: one lane from now on.
    pub(crate) fn learn(&self, name: &str, id: &str) {
        let mut lanes = self.lock();
        if name != id && !lanes.names.contains_key(name) {
            let lane = lanes.lanes.remove(name).unwrap_or(FREE);
            lanes.lanes.entry(id.to_string()).or_insert(lane);
            lanes.names.insert(name.to_string(), id.to_string());
        }
    }

    /// The identifier of a channel that was called by its name before.
    pub(crate) fn known(&self, name: &str) -> Option<String> {
        self.lock().names.get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn lane(&mut self, name: &str) -> &mut Lane {
        let name = self.names.get(name).map_or(name, String::as_str).to_string();
        self.lanes.entry(name).or_insert(FREE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_a_gap_apart_and_a_shut_lane_takes_nobody() {
        let pace = Pace::new(Duration::from_secs(1));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.enter("C1", true, at(0)), Ok(Duration::ZERO));
        assert_eq!(pace.enter("C1", true, at(0)), Ok(Duration::from_secs(1)));
        assert_eq!(pace.enter("C2", true, at(0)), Ok(Duration::ZERO), "another channel has its own lane");
        pace.shut("C1", 7, at(0));
        assert_eq!(pace.enter("C1", true, at(0)), Err(7));
        assert_eq!(pace.enter("C1", true, at(6_500)), Err(1));
        assert_eq!(pace.enter("C1", true, at(7_000)), Ok(Duration::ZERO));
    }

    #[test]
    fn a_slow_answer_moves_the_next_turn_and_a_name_is_its_channel() {
        let pace = Pace::new(Duration::from_secs(1));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.enter("#x", true, at(0)), Ok(Duration::ZERO));
        pace.leave("#x", at(800));
        pace.learn("#x", "C1");
        assert_eq!(pace.known("#x").as_deref(), Some("C1"));
        assert_eq!(pace.enter("C1", true, at(800)), Ok(Duration::from_secs(1)));
        assert_eq!(pace.enter("#x", true, at(800)), Ok(Duration::from_secs(2)));
    }
}
