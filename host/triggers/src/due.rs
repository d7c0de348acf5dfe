//! Which instants of a schedule are due, after a while in which nobody looked. Policy `run-latest`: the newest starts a run,
//! those before it are recorded as coalesced into it.

use crate::schedule::Schedule;
use countersign_model::time::Timestamp;
use std::collections::VecDeque;

/// Missed instants that are recorded one by one; those before them share one record, so that a long absence costs little.
const RECORDED_ONE_BY_ONE: usize = 100;

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Starts a run.
    pub(crate) newest: Timestamp,
    /// Missed ones before it, oldest first.
    pub(crate) missed: Vec<Missed>,
}

/// One record of missed instants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The instant it is recorded under.
    pub(crate) at: Timestamp,
    /// How many even older ones it stands for, and since when.
    pub(crate) older: Option<(usize, Timestamp)>,
}

/// What is due between `last`, exclusive, and `now`, inclusive.
pub(crate) fn due(schedule: &Schedule, last: Timestamp, now: Timestamp) -> Option<Due> {
    let mut kept = VecDeque::with_capacity(RECORDED_ONE_BY_ONE + 2);
    let mut oldest = None;
    let mut dropped = 0;
    for instant in schedule.upcoming(last).take_while(|instant| *instant <= now) {
        oldest.get_or_insert(instant);
        kept.push_back(instant);
        if kept.len() > RECORDED_ONE_BY_ONE + 2 {
            kept.pop_front();
            dropped += 1;
        }
    }
    let newest = kept.pop_back()?;
    let mut missed: Vec<Missed> = kept.into_iter().map(|at| Missed { at, older: None }).collect();
    if let (Some(first), Some(oldest), 1..) = (missed.first_mut(), oldest, dropped) {
        first.older = Some((dropped, oldest));
    }
    Some(Due { newest, missed })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn after_minutes(minutes: i64) -> Option<Due> {
        let schedule = Schedule::parse("* * * * *", "UTC").unwrap();
        due(&schedule, Timestamp::from_micros(0), Timestamp::from_micros(minutes * MINUTE))
    }

    #[test]
    fn the_newest_runs_and_every_older_one_is_accounted_for() {
        assert_eq!(after_minutes(0), None);
        let one = after_minutes(1).unwrap();
        assert_eq!((one.newest, one.missed.len()), (Timestamp::from_micros(MINUTE), 0), "now itself is due");
        for minutes in [2, 101, 102, 103, 5_000] {
            let due = after_minutes(minutes).unwrap();
            assert_eq!(due.newest, Timestamp::from_micros(minutes * MINUTE));
            let accounted: usize = due.missed.iter().map(|missed| 1 + missed.older.map_or(0, |(count, _)| count)).sum();
            assert_eq!(accounted as i64, minutes - 1);
            assert!(due.missed.len() <= RECORDED_ONE_BY_ONE + 1);
            assert!(due.missed.iter().skip(1).all(|missed| missed.older.is_none()));
        }
        let long = after_minutes(5_000).unwrap();
        assert_eq!(long.missed[0].older.unwrap().1, Timestamp::from_micros(MINUTE));
    }
}
