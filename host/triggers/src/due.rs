//! Which instants of a schedule are due, and which of them start a run after a while in which nobody looked.
//!
//! However long that was, memory and time are bounded: of the missed instants the newest are recorded one by one, those before them
//! share one record and are not walked through.

use crate::jitter::{JitteredFire, JitteredSchedule};
use countersign_model::pipeline::Misfire;
use countersign_model::time::Timestamp;
use std::time::Duration;

/// Missed instants that are recorded one by one; those before them share one record.
const ONE_BY_ONE: usize = 100;

const MINUTE: i64 = 60_000_000;

/// What is due, oldest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Those that start no run.
    pub(crate) missed: Vec<Missed>,
    /// Those that start a run each, all later than the missed ones.
    pub(crate) run: Vec<Timestamp>,
}

/// One record of missed instants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The instant it is recorded under.
    pub(crate) at: Timestamp,
    /// It stands for earlier ones too, since this.
    pub(crate) since: Option<Timestamp>,
}

/// What is due of those scheduled after `last` by `now`. Where an instant runs only because it is on time, at most `turn` of them are
/// answered; the others are due still when `last` has moved.
pub(crate) fn due(schedule: &JitteredSchedule, misfire: Misfire, last: Timestamp, now: Timestamp, turn: usize) -> Due {
    match misfire {
        Misfire::RunLatest => newest_run(schedule, last, now, 1),
        Misfire::RunAll { most } => newest_run(schedule, last, now, usize::try_from(most.max(1)).unwrap_or(usize::MAX)),
        Misfire::Skip { deadline_seconds } => {
            let deadline = i64::try_from(Duration::from_secs(deadline_seconds).as_micros()).unwrap_or(i64::MAX);
            let too_late = Timestamp::from_micros(now.as_micros().saturating_sub(deadline).saturating_sub(1));
            let late = newest(schedule, last, too_late, ONE_BY_ONE + 1);
            let last = late.instants.last().copied().unwrap_or(last);
            let on_time = schedule.scheduled_after(last).take_while(|fire| fire.starts_at <= now);
            let run = on_time.take(turn).map(|fire| fire.scheduled_for).collect();
            Due { missed: late.recorded(), run }
        }
    }
}

/// The newest `most` run.
fn newest_run(schedule: &JitteredSchedule, last: Timestamp, now: Timestamp, most: usize) -> Due {
    let mut found = newest(schedule, last, now, most.saturating_add(ONE_BY_ONE + 1));
    let run = found.instants.split_off(found.instants.len().saturating_sub(most));
    Due { missed: found.recorded(), run }
}

/// The end of a list of instants.
struct Newest {
    instants: Vec<Timestamp>,
    /// The first of the list, when it is not among them.
    first: Option<Timestamp>,
}

impl Newest {
    fn recorded(self) -> Vec<Missed> {
        let mut missed: Vec<Missed> = self.instants.into_iter().map(|at| Missed { at, since: None }).collect();
        if let Some(oldest) = missed.first_mut() {
            oldest.since = self.first;
        }
        missed
    }
}

/// The newest `keep` of the instants scheduled after `last` that start by `until`. Looks back from the end, as far as it must, when
/// there are more.
fn newest(schedule: &JitteredSchedule, last: Timestamp, until: Timestamp, keep: usize) -> Newest {
    let after = |from: Timestamp, limit: usize| -> Vec<Timestamp> {
        let started =
            schedule.scheduled_after(from.max(last)).take_while(|fire: &JitteredFire| fire.starts_at <= until);
        started.take(limit).map(|fire| fire.scheduled_for).collect()
    };
    let instants = after(last, keep.saturating_add(1));
    if instants.len() <= keep {
        return Newest { instants, first: None };
    }
    let first = instants.first().copied();
    // Instants lie a minute apart or more, so this span holds `fit` at most, and everything that may wait for its jitter.
    let whole = schedule.jitter_micros().saturating_add(i64::try_from(keep).unwrap_or(i64::MAX).saturating_mul(MINUTE));
    let fit = usize::try_from(whole / MINUTE).unwrap_or(usize::MAX).saturating_add(1);
    let limit = fit.saturating_mul(2);
    let (mut span, mut too_short, mut too_long) = (whole, 0, None);
    loop {
        let mut found = after(Timestamp::from_micros(until.as_micros().saturating_sub(span)), limit.saturating_add(1));
        if found.len() > limit {
            too_long = Some(span);
        } else if found.len() < keep {
            too_short = span;
        } else {
            return Newest { instants: found.split_off(found.len() - keep), first };
        }
        span = too_long.map_or(span.saturating_mul(2), |too_long: i64| too_short + (too_long - too_short) / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::pipeline::Trigger;
    use proptest::prelude::*;

    const YEAR: i64 = 365 * 24 * 60;

    fn schedule(expression: &str, jitter_seconds: u64) -> JitteredSchedule {
        let trigger =
            Trigger { cron: Some(expression.into()), timezone: "UTC".into(), jitter_seconds, ..Trigger::default() };
        JitteredSchedule::of("a", &trigger).unwrap().unwrap()
    }

    fn minute(count: i64) -> Timestamp {
        Timestamp::from_micros(count * MINUTE)
    }

    fn minutely(misfire: Misfire, minutes: i64) -> Due {
        due(&schedule("* * * * *", 0), misfire, minute(0), minute(minutes), 10)
    }

    #[test]
    fn the_newest_runs_and_every_older_one_is_accounted_for() {
        assert_eq!(minutely(Misfire::RunLatest, 0), Due::default());
        assert_eq!(minutely(Misfire::RunLatest, 1), Due { missed: vec![], run: vec![minute(1)] }, "now itself is due");
        for minutes in [2, 101, 102, 103, 5_000, 10 * YEAR] {
            let due = minutely(Misfire::RunLatest, minutes);
            assert_eq!(due.run, [minute(minutes)]);
            assert_eq!(due.missed.len() as i64, (minutes - 1).min(101));
            assert!(due.missed.iter().skip(1).all(|missed| missed.since.is_none()));
            assert_eq!(due.missed[0].since, (minutes > 102).then_some(minute(1)));
        }
    }

    #[test]
    fn run_all_runs_the_newest_so_many() {
        let policy = Misfire::RunAll { most: 3 };
        assert_eq!(minutely(policy, 2).run, [minute(1), minute(2)]);
        let due = minutely(policy, 5);
        assert_eq!(due.run, [minute(3), minute(4), minute(5)]);
        assert_eq!(due.missed, [1, 2].map(|at| Missed { at: minute(at), since: None }));
        let after_years = minutely(policy, 3 * YEAR);
        assert_eq!((after_years.run.len(), after_years.missed.len()), (3, 101));
        assert_eq!(minutely(Misfire::RunAll { most: 0 }, 5).run, [minute(5)], "none at all is no policy");
    }

    #[test]
    fn skip_runs_what_is_found_in_time_and_nothing_else() {
        let policy = Misfire::Skip { deadline_seconds: 120 };
        let due = minutely(policy, 5);
        assert_eq!(due.run, [minute(3), minute(4), minute(5)], "two minutes late is on time");
        assert_eq!(due.missed, [1, 2].map(|at| Missed { at: minute(at), since: None }));
        let patient = minutely(Misfire::Skip { deadline_seconds: u64::MAX }, 3 * YEAR);
        assert_eq!((patient.run.len(), patient.run[0]), (10, minute(1)), "a turn, from the oldest");
    }

    #[test]
    fn lateness_counts_from_the_end_of_the_jitter() {
        let hourly = schedule("0 * * * *", 1_800);
        let fire = hourly.scheduled_after(minute(0)).next().unwrap();
        assert!(fire.starts_at > fire.scheduled_for);
        let skip = Misfire::Skip { deadline_seconds: 0 };
        let early = Timestamp::from_micros(fire.starts_at.as_micros() - 1);
        assert_eq!(due(&hourly, skip, minute(0), early, 10), Due::default(), "its jitter is not over");
        assert_eq!(due(&hourly, skip, minute(0), fire.starts_at, 10).run, [fire.scheduled_for]);
        let late = Timestamp::from_micros(fire.starts_at.as_micros() + 1);
        assert_eq!(due(&hourly, skip, minute(0), late, 10).missed.len(), 1);
    }

    proptest! {
        #[test]
        fn a_look_from_the_end_finds_what_a_walk_finds(
            expression in prop::sample::select(vec!["* * * * *", "*/7 3-5 * * *", "0 0 * * *", "0 0 1 * *", "* * 1 1 *", "* 0-11 */3 * *"]),
            jitter_seconds in prop::sample::select(vec![0_u64, 30, 600, 7_200, 200_000]),
            last in 0..YEAR,
            length in 0..YEAR,
            keep in 1..300_usize,
        ) {
            let schedule = schedule(expression, jitter_seconds);
            let (last, until) = (minute(last), minute(last + length));
            let walked: Vec<_> = schedule.scheduled_after(last).take_while(|fire| fire.starts_at <= until).collect();
            let found = newest(&schedule, last, until, keep);
            let wanted: Vec<_> = walked.iter().rev().take(keep).rev().map(|fire| fire.scheduled_for).collect();
            prop_assert_eq!(found.instants, wanted);
            let first = walked.first().filter(|_| walked.len() > keep).map(|fire| fire.scheduled_for);
            prop_assert_eq!(found.first, first);
        }
    }
}
