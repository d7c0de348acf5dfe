//! Clocks that are set forward and back: no instant fires twice, and none waits for longer than the schedule demands.

use super::fired;
use crate::fixture::{Fixture, at, minutes};
use crate::{runs, skips};
use countersign_model::event::Cause;
use countersign_model::time::Timestamp;
use countersign_triggers::Schedule;
use proptest::prelude::*;
use std::collections::HashSet;

/// Ticks every five minutes from one instant to another and answers how many runs that made.
async fn through(fixture: &Fixture, from: &str, to: &str) -> usize {
    let (from, to) = (at(from), at(to));
    let mut made = 0;
    for now in (0..).map(|step| minutes(from, 5 * step)).take_while(|now| *now <= to) {
        made += runs(&fixture.tick(now).await);
    }
    made
}

#[tokio::test]
async fn an_hour_back_fires_nothing_again_and_goes_on_with_the_next() {
    let fixture = Fixture::cron("0,30 * * * *", "UTC").await;
    assert_eq!(through(&fixture, "2026-11-22T10:45:00Z", "2026-11-22T12:35:00Z").await, 4);
    let service = fixture.restarted();
    assert_eq!(through(&service, "2026-11-22T11:35:00Z", "2026-11-22T12:55:00Z").await, 0, "12:00 and 12:30 ran");
    assert_eq!(through(&service, "2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z").await, 3);
    let fired = fired(&fixture).await;
    assert!(fired.windows(2).all(|pair| pair[0] < pair[1]), "{fired:?}");
}

#[tokio::test]
async fn a_year_forward_is_a_misfire_and_a_year_back_does_not_stand_still_for_a_year() {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    assert_eq!(through(&fixture, "2026-11-22T10:45:00Z", "2026-11-22T12:30:00Z").await, 2);
    let outcomes = fixture.settle(at("2027-11-22T12:30:00Z")).await;
    assert_eq!((runs(&outcomes), skips(&outcomes).len()), (1, 101));
    // The clock is put right: the hours of this day fire, also when nobody looked for two of them.
    assert_eq!(through(&fixture, "2026-11-22T12:40:00Z", "2026-11-22T15:10:00Z").await, 3);
    let outcomes = fixture.restarted().tick(at("2026-11-22T17:10:00Z")).await;
    assert_eq!((runs(&outcomes), skips(&outcomes).len()), (1, 1));
    // And once more back, behind all that.
    assert_eq!(through(&fixture, "2026-11-22T13:40:00Z", "2026-11-22T18:10:00Z").await, 1, "18:00 only");
    // A year later the clock gets to where it was: what ran then does not run again.
    assert_eq!(through(&fixture, "2027-11-22T11:50:00Z", "2027-11-22T14:10:00Z").await, 2, "13:00 and 14:00");
    let fired = fired(&fixture).await;
    assert_eq!(fired.iter().collect::<HashSet<_>>().len(), fired.len());
}

#[tokio::test]
async fn a_year_back_at_once_fires_from_then_on() {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    assert_eq!(through(&fixture, "2026-11-22T10:45:00Z", "2026-11-22T12:30:00Z").await, 2);
    assert_eq!(through(&fixture, "2025-11-22T12:45:00Z", "2025-11-22T14:30:00Z").await, 2);
    assert_eq!(through(&fixture, "2026-11-22T12:45:00Z", "2026-11-22T13:30:00Z").await, 1);
}

#[tokio::test]
async fn going_back_behind_what_was_done_after_going_back_loses_nothing() {
    // Found by the property below: the cursor that stood in was done, and the one that stood in for it was not.
    walk(&[-2, 37, -47, 47, -61, 90].map(|step| (step, false))).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A clock that is set at will, a daemon that is restarted at will.
    #[test]
    fn however_the_clock_goes_each_instant_that_it_passes_has_one_record(
        steps in prop::collection::vec((prop_oneof![
            6 => 1..90_i64,
            1 => 90..2_000_i64,
            1 => Just(365 * 24 * 60_i64),
            2 => -180..0_i64,
            1 => Just(-365 * 24 * 60_i64),
        ], any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(walk(&steps));
    }
}

async fn walk(steps: &[(i64, bool)]) {
    let schedule = Schedule::parse("*/20 * * * *", "UTC").unwrap();
    let mut fixture = Fixture::cron("*/20 * * * *", "UTC").await;
    let mut now = at("2026-11-22T00:05:00Z");
    fixture.settle(now).await;
    for (step, restart) in steps {
        if *restart {
            fixture = fixture.restarted();
        }
        let earlier = now;
        now = Timestamp::from_micros(now.as_micros() + step * 60_000_000);
        fixture.settle(now).await;
        // Of a long absence the newest hundred have their own.
        let passed: Vec<_> = schedule.upcoming(earlier).take_while(|at| *at <= now).collect();
        let recorded: HashSet<Timestamp> = scheduled(&fixture).await.into_iter().collect();
        for instant in passed.iter().rev().take(100) {
            assert!(recorded.contains(instant), "{instant} was passed between {earlier} and {now}: {steps:?}");
        }
    }
    let all = scheduled(&fixture).await;
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "one record each");
}

async fn scheduled(fixture: &Fixture) -> Vec<Timestamp> {
    let events = fixture.events().await;
    let of = |cause: Cause| match cause {
        Cause::Cron { scheduled_for, .. } => Some(scheduled_for),
        Cause::Person | Cause::Arrival { .. } | Cause::Pushed { .. } | Cause::Http { .. } | Cause::Backfill { .. } => {
            None
        }
    };
    events.into_iter().filter_map(|(event, _)| of(event.cause)).collect()
}
