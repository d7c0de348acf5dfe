//! A pipeline's schedule with its jitter: for which instants it fires, and from when on each may start.
//!
//! Jitter spreads what would start at the same moment. It only delays: an event names the scheduled instant. The share of an instant
//! comes from pipeline, zone and instant alone, so that every daemon, before and after a restart, finds the same one.

use crate::error::ScheduleError;
use crate::schedule::Schedule;
use countersign_model::pipeline::Trigger;
use countersign_model::time::Timestamp;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// When a pipeline fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JitteredSchedule {
    pipeline: String,
    schedule: Schedule,
    jitter: Duration,
}

/// One instant of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JitteredFire {
    /// What the expression says.
    pub scheduled_for: Timestamp,
    /// When it starts: the scheduled instant and its share of the jitter, and never before the fire that comes before it.
    pub starts_at: Timestamp,
}

impl JitteredSchedule {
    /// That of a pipeline; none when its trigger has no cron expression.
    ///
    /// # Errors
    /// As [`Schedule::parse`].
    pub fn of(pipeline: &str, trigger: &Trigger) -> Result<Option<Self>, ScheduleError> {
        let Some(expression) = &trigger.cron else { return Ok(None) };
        let schedule = Schedule::parse(expression, &trigger.timezone)?;
        Ok(Some(Self { pipeline: pipeline.to_string(), schedule, jitter: Duration::from_secs(trigger.jitter_seconds) }))
    }

    /// The schedule without its jitter.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// At most so late does a fire start.
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// The fires that start later than `now`, one by one: those to come, and the scheduled ones whose jitter is not over.
    pub fn upcoming(&self, now: Timestamp) -> impl Iterator<Item = JitteredFire> + '_ {
        self.scheduled_after(now.minus(self.jitter)).skip_while(move |fire| fire.starts_at <= now)
    }

    /// The fires scheduled later than `last`, one by one. Both of their instants grow.
    pub(crate) fn scheduled_after(&self, last: Timestamp) -> impl Iterator<Item = JitteredFire> + '_ {
        let mut latest = Timestamp::from_micros(i64::MIN);
        self.schedule.upcoming(last).map(move |scheduled_for| {
            latest = latest.max(self.start(scheduled_for));
            JitteredFire { scheduled_for, starts_at: latest }
        })
    }

    pub(crate) fn jitter_micros(&self) -> i64 {
        i64::try_from(self.jitter.as_micros()).unwrap_or(i64::MAX)
    }

    /// An instant and its share of the jitter.
    fn start(&self, scheduled_for: Timestamp) -> Timestamp {
        if self.jitter.is_zero() {
            return scheduled_for;
        }
        let named = format!("{}\n{}\n{}", self.pipeline, self.schedule.zone(), scheduled_for.as_micros());
        let digest: [u8; 32] = Sha256::digest(named).into();
        // The first eight bytes as a fraction of 1.
        let share = digest[..8].iter().fold(0_u128, |share, byte| share << 8 | u128::from(*byte));
        let micros = self.jitter.as_micros().saturating_mul(share) >> 64;
        scheduled_for.plus(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jittered(pipeline: &str, zone: &str, jitter_seconds: u64) -> JitteredSchedule {
        let trigger =
            Trigger { cron: Some("* * * * *".into()), timezone: zone.into(), jitter_seconds, ..Trigger::default() };
        JitteredSchedule::of(pipeline, &trigger).unwrap().unwrap()
    }

    fn delays(jittered: &JitteredSchedule, count: usize) -> Vec<u64> {
        let instants = jittered.schedule.upcoming(Timestamp::from_micros(0)).take(count);
        instants.map(|instant| jittered.start(instant).since(instant).as_micros() as u64).collect()
    }

    #[test]
    fn shares_spread_over_the_whole_jitter_and_belong_to_pipeline_zone_and_instant() {
        let mine = delays(&jittered("a", "UTC", 60), 10_000);
        assert_eq!(mine, delays(&jittered("a", "UTC", 60), 10_000));
        assert!(mine.iter().all(|delay| *delay < 60_000_000));
        for tenth in 0..10 {
            let within = mine.iter().filter(|delay| **delay / 6_000_000 == tenth).count();
            assert!((850..1_150).contains(&within), "tenth {tenth}: {within} of 10000");
        }
        assert_ne!(mine, delays(&jittered("b", "UTC", 60), 10_000));
        assert_ne!(mine, delays(&jittered("a", "Etc/UTC", 60), 10_000));
        assert!(delays(&jittered("a", "UTC", 0), 100).iter().all(|delay| *delay == 0));
    }

    #[test]
    fn a_jitter_of_many_intervals_keeps_the_order() {
        let jittered = jittered("a", "UTC", 600);
        let fires: Vec<JitteredFire> = jittered.scheduled_after(Timestamp::from_micros(0)).take(500).collect();
        assert!(fires.windows(2).all(|pair| pair[0].scheduled_for < pair[1].scheduled_for));
        assert!(fires.windows(2).all(|pair| pair[0].starts_at <= pair[1].starts_at));
        assert!(fires.iter().all(|fire| fire.starts_at.since(fire.scheduled_for) < Duration::from_secs(600)));
        // A look from the middle shows the same, those still waiting for their jitter included.
        let now = fires[250].starts_at;
        let shown: Vec<JitteredFire> = jittered.upcoming(now).take(100).collect();
        let wanted: Vec<JitteredFire> = fires.into_iter().filter(|fire| fire.starts_at > now).take(100).collect();
        assert_eq!(shown, wanted);
    }
}
