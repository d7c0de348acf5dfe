//! What becomes of instants that passed while nobody looked, each under its policy and each on the record.

use super::fired;
use crate::fixture::{Fixture, at, minutes, seconds};
use crate::{runs, skips};
use countersign_model::pipeline::Misfire;

async fn missed_four_and_one_due(misfire: Misfire) -> (Fixture, Vec<String>) {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    fixture.edit(|trigger| trigger.misfire = misfire);
    fixture.tick(at("2026-11-22T00:30:00Z")).await;
    let restarted = fixture.restarted();
    let outcomes = restarted.tick(at("2026-11-22T05:10:00Z")).await;
    assert_eq!(outcomes.len(), 5, "each instant has its record");
    assert!(restarted.tick(at("2026-11-22T05:20:00Z")).await.is_empty());
    let skips = skips(&outcomes).into_iter().map(str::to_string).collect();
    (restarted, skips)
}

#[tokio::test]
async fn run_all_runs_the_newest_so_many_from_the_oldest_on() {
    let (fixture, skips) = missed_four_and_one_due(Misfire::RunAll { most: 3 }).await;
    let hours = ["2026-11-22T03:00:00Z", "2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z"];
    assert_eq!(fired(&fixture).await, hours.map(at));
    assert_eq!(skips.len(), 2);
    assert!(skips[0].starts_with("missed: more than 3 were due up to 2026-11-22 05:00"), "{}", skips[0]);
}

#[tokio::test]
async fn skip_runs_what_is_found_in_time_and_records_the_rest() {
    let (fixture, skips) = missed_four_and_one_due(Misfire::Skip { deadline_seconds: 600 }).await;
    assert_eq!(fired(&fixture).await, [at("2026-11-22T05:00:00Z")], "ten minutes late is on time");
    assert_eq!(skips.len(), 4);
    let (fixture, skips) = missed_four_and_one_due(Misfire::Skip { deadline_seconds: 599 }).await;
    assert!(fired(&fixture).await.is_empty());
    assert!(skips[4].starts_with("missed: found more than 599 s late"), "{}", skips[4]);
    assert_eq!(runs(&fixture.tick(at("2026-11-22T06:00:01Z")).await), 1, "the next one is on time");
}

#[tokio::test]
async fn years_of_absence_cost_a_hundred_records() {
    for misfire in [Misfire::RunLatest, Misfire::RunAll { most: 1 }, Misfire::Skip { deadline_seconds: 30 }] {
        let fixture = Fixture::cron("* * * * *", "Europe/Berlin").await;
        fixture.edit(|trigger| trigger.misfire = misfire);
        fixture.tick(at("2020-01-01T00:00:00Z")).await;
        let outcomes = fixture.settle(at("2026-11-22T05:10:05Z")).await;
        assert_eq!((runs(&outcomes), skips(&outcomes).len()), (1, 101), "{misfire:?}");
        assert_eq!(fired(&fixture).await, [at("2026-11-22T05:10:00Z")]);
        let since = "with all earlier ones since 2020-01-01 01:01 +01:00 Europe/Berlin";
        assert!(skips(&outcomes)[0].contains(since), "{}", skips(&outcomes)[0]);
        assert!(!skips(&outcomes)[1].contains("earlier"));
    }
}

#[tokio::test]
async fn many_that_run_have_several_turns_and_keep_their_order_over_a_restart() {
    let fixture = Fixture::cron("* * * * *", "UTC").await;
    fixture.edit(|trigger| trigger.misfire = Misfire::RunAll { most: 500 });
    let start = at("2026-11-22T00:00:00Z");
    fixture.tick(start).await;
    let now = seconds(minutes(start, 2_000), 5);
    assert!(runs(&fixture.tick(now).await) < 500 && fixture.hinted().await);
    fixture.restarted().settle(now).await;
    assert_eq!(fired(&fixture).await, (1_501..=2_000).map(|count| minutes(start, count)).collect::<Vec<_>>());
    assert_eq!(fixture.events().await.len(), 601);
    assert!(!fixture.hinted().await && fixture.tick(now).await.is_empty());
}
