//! The cron half of a tick.
//!
//! A schedule is parsed once and its cursor kept, so that a tick in which nothing is due asks the store nothing. The store's cursor is
//! read again before anything fires: another daemon may have been there.

use super::cursor::Cursor;
use super::{TURN, Tick, TriggerService, locked};
use crate::candidate::Candidate;
use crate::due::{Missed, due};
use crate::error::TriggerError;
use crate::jitter::{JitteredFire, JitteredSchedule};
use crate::schedule::Schedule;
use countersign_model::actor::Actor;
use countersign_model::event::Cause;
use countersign_model::pipeline::{Misfire, PipelineVersion, Trigger};
use countersign_model::time::Timestamp;
use std::collections::HashMap;
use std::sync::Mutex;

/// The schedules as they are armed, by pipeline.
pub(super) type Armory = Mutex<HashMap<String, Armed>>;

/// A pipeline's schedule and what is known of its past.
#[derive(Clone)]
pub(super) struct Armed {
    /// What it was made from.
    cron: Option<String>,
    timezone: String,
    jitter_seconds: u64,
    jittered: Result<Option<JitteredSchedule>, String>,
    /// The store's cursor when it was last read or moved; none when that has to be read.
    cursor: Option<Timestamp>,
    /// When the first fire after the cursor starts.
    next: Option<Timestamp>,
}

impl Armed {
    fn new(version: &PipelineVersion, now: Timestamp) -> Self {
        let trigger = &version.pipeline.trigger;
        let jittered =
            JitteredSchedule::of(&version.name, trigger).map_err(|error| format!("{}: {error}", version.name));
        let (cron, timezone, jitter_seconds) = (trigger.cron.clone(), trigger.timezone.clone(), trigger.jitter_seconds);
        Self { cron, timezone, jitter_seconds, jittered, cursor: None, next: Some(now) }
    }

    fn fits(&self, trigger: &Trigger) -> bool {
        (&self.cron, &self.timezone, self.jitter_seconds) == (&trigger.cron, &trigger.timezone, trigger.jitter_seconds)
    }

    /// Nothing is due, as far as is known. A cursor in the future means that the clock was set back.
    fn rests(&self, now: Timestamp) -> bool {
        self.cursor.is_some_and(|cursor| cursor <= now) && self.next.is_none_or(|next| next > now)
    }

    fn rest(&mut self, jittered: &JitteredSchedule, cursor: Option<Timestamp>, from: Timestamp) {
        self.cursor = cursor;
        self.next = jittered.scheduled_after(cursor.unwrap_or(from)).next().map(|fire| fire.starts_at);
    }
}

impl TriggerService {
    /// When the next fire of any schedule starts; `now` when one is due or was never looked at. None without schedules.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let pipelines = self.pipelines.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let armed = locked(&self.armed);
        let next = |version: &PipelineVersion| match armed.get(&version.name) {
            Some(armed) if armed.fits(&version.pipeline.trigger) => armed.next,
            Some(_) | None => version.pipeline.trigger.cron.is_some().then_some(now),
        };
        pipelines.iter().filter_map(next).min().map(|next| next.max(now))
    }

    /// Fires a pipeline's schedule, if it has one that is due.
    pub(super) async fn fire(
        &self,
        version: &PipelineVersion,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let known = locked(&self.armed).remove(&version.name);
        let mut armed =
            known.filter(|armed| armed.fits(&version.pipeline.trigger)).unwrap_or_else(|| Armed::new(version, now));
        let answer = match armed.jittered.clone() {
            Ok(None) => {
                armed.next = None;
                Ok(())
            }
            Err(problem) => {
                tick.problems.insert(problem);
                armed.next = None;
                Ok(())
            }
            Ok(Some(jittered)) => self.fire_armed(version, &jittered, &mut armed, now, tick).await,
        };
        if answer.is_err() {
            // Not known any more, and no reason to hurry: the next tick looks again.
            (armed.cursor, armed.next) = (None, None);
        }
        locked(&self.armed).insert(version.name.clone(), armed);
        answer
    }

    async fn fire_armed(
        &self,
        version: &PipelineVersion,
        jittered: &JitteredSchedule,
        armed: &mut Armed,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let schedule = jittered.schedule();
        // A changed schedule is another trigger and starts from now; any other edit of the pipeline keeps what is due.
        let trigger = format!("cron:{}:{}@{}", version.name, schedule.expression(), schedule.zone());
        if !armed.rests(now) {
            let reached = match self.cursor(&trigger, armed.cursor, now).await? {
                Some(cursor) => self.fire_due(version, jittered, &cursor, now, tick).await?,
                None => None,
            };
            armed.rest(jittered, reached, now);
        }
        if armed.next.is_none() {
            tick.problems.insert(format!("{trigger}: no instant in the next 40 years, it will never fire"));
        }
        tick.more |= armed.next.is_some_and(|next| next <= now);
        Ok(())
    }

    /// Writes what is due after a cursor, no more than a turn, and answers how far it got; none when another cursor counts from here on.
    async fn fire_due(
        &self,
        version: &PipelineVersion,
        jittered: &JitteredSchedule,
        cursor: &Cursor,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<Option<Timestamp>, TriggerError> {
        let misfire = version.pipeline.trigger.misfire;
        let schedule = jittered.schedule();
        let end = if cursor.stands_in { now.min(cursor.until.plus(jittered.jitter())) } else { now };
        let due = due(jittered, misfire, cursor.at, end, TURN);
        let newest = due.run.last().copied();
        let missed = due.missed.iter().map(|missed| (missed.at, Some(reason(schedule, misfire, missed, newest))));
        let all = missed.chain(due.run.iter().map(|at| (*at, None)));
        let mut reached = cursor.at;
        let mut all = all.take_while(|(at, _)| *at <= cursor.until);
        for (at, skip) in all.by_ref().take(TURN) {
            let candidate = candidate(version, schedule, at);
            tick.outcomes.push(self.accept(version, candidate, skip.as_deref(), now).await?);
            reached = at;
        }
        let waits = |next: JitteredFire| next.scheduled_for <= cursor.until && next.starts_at > end;
        let passed =
            cursor.stands_in && all.next().is_none() && !jittered.scheduled_after(reached).next().is_some_and(waits);
        self.advance(cursor, if passed { cursor.until } else { reached }).await?;
        tick.more |= passed;
        Ok((!passed).then_some(reached))
    }
}

fn candidate(version: &PipelineVersion, schedule: &Schedule, at: Timestamp) -> Candidate {
    Candidate {
        cause: Cause::Cron { scheduled_for: at, wall_time: schedule.wall_time(at) },
        actor: Actor::system("cron"),
        span: None,
        key: format!("cron:{}:{}", version.name, at.as_micros()),
    }
}

/// Why a missed instant starts no run, by the policy under which it does not.
fn reason(schedule: &Schedule, misfire: Misfire, missed: &Missed, newest: Option<Timestamp>) -> String {
    let earlier = missed.since.map(|since| format!(", with all earlier ones since {}", schedule.wall_time(since)));
    let earlier = earlier.unwrap_or_default();
    let newest = newest.map(|newest| schedule.wall_time(newest)).unwrap_or_default();
    match misfire {
        Misfire::RunLatest => format!("coalesced: missed{earlier}, and {newest} was due as well"),
        Misfire::RunAll { most } => {
            format!("missed{earlier}: more than {most} were due up to {newest}, and so many run by `misfire_most`")
        }
        Misfire::Skip { deadline_seconds } => {
            format!("missed{earlier}: found more than {deadline_seconds} s late, the deadline of `misfire = \"skip\"`")
        }
    }
}
