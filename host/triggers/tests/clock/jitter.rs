//! Jitter delays a fire and changes nothing else about it.

use super::fired;
use crate::fixture::{Fixture, at, minutes, seconds};
use crate::runs;
use countersign_model::pipeline::Trigger;
use countersign_model::time::Timestamp;
use countersign_triggers::JitteredSchedule;

const JITTER: u64 = 1_200;

async fn hourly() -> (Fixture, JitteredSchedule) {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    fixture.edit(|trigger| trigger.jitter_seconds = JITTER);
    let trigger = Trigger {
        cron: Some("0 * * * *".into()),
        timezone: "UTC".into(),
        jitter_seconds: JITTER,
        ..Trigger::default()
    };
    (fixture, JitteredSchedule::of("taxi-tips", &trigger).unwrap().unwrap())
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - 1)
}

#[tokio::test]
async fn a_fire_waits_for_its_share_and_keeps_its_scheduled_instant() {
    let (fixture, schedule) = hourly().await;
    let start = at("2026-11-22T00:30:00Z");
    fixture.tick(start).await;
    for fire in schedule.upcoming(start).take(5).collect::<Vec<_>>() {
        let service = fixture.restarted();
        assert!(service.tick(before(fire.starts_at)).await.is_empty(), "{fire:?}");
        assert_eq!(service.next_due(before(fire.starts_at)), Some(fire.starts_at));
        assert_eq!(runs(&service.tick(fire.starts_at).await), 1, "{fire:?}");
        assert_eq!(fired(&fixture).await.last(), Some(&fire.scheduled_for));
        assert!(service.tick(seconds(fire.starts_at, 1)).await.is_empty());
    }
}

#[tokio::test]
async fn a_jitter_of_many_intervals_keeps_the_order_and_loses_none() {
    let fixture = Fixture::cron("* * * * *", "UTC").await;
    fixture.edit(|trigger| {
        trigger.jitter_seconds = JITTER;
        trigger.misfire = countersign_model::pipeline::Misfire::RunAll { most: 1_000 };
    });
    let start = at("2026-11-22T00:00:00Z");
    for second in (0..7_200).step_by(7) {
        fixture.tick(seconds(start, second)).await;
    }
    let fired = fired(&fixture).await;
    assert!(fired.len() >= 7_200 / 60 - JITTER as usize / 60 - 1, "{}", fired.len());
    let wanted: Vec<_> = (1..=fired.len() as u64).map(|count| minutes(start, count)).collect();
    assert_eq!(fired, wanted, "each minute, in its order");
}

#[tokio::test]
async fn the_next_due_instant_is_that_of_the_first_schedule() {
    let fixture = Fixture::arrival("trips.csv", 0).await;
    let now = at("2026-11-22T00:10:00Z");
    assert_eq!(fixture.next_due(now), None, "no schedule");
    let hourly =
        |minute: u64| Trigger { cron: Some(format!("{minute} * * * *")), timezone: "UTC".into(), ..Trigger::default() };
    fixture.add(["half".to_string()].into_iter(), &hourly(30)).await;
    fixture.add(["quarter".to_string()].into_iter(), &hourly(15)).await;
    assert_eq!(fixture.next_due(now), Some(now), "nobody looked at them yet");
    fixture.tick(now).await;
    assert_eq!(fixture.next_due(now), Some(at("2026-11-22T00:15:00Z")));
    fixture.tick(at("2026-11-22T00:15:00Z")).await;
    assert_eq!(fixture.next_due(at("2026-11-22T00:15:00Z")), Some(at("2026-11-22T00:30:00Z")));
    fixture.edit(|trigger| trigger.cron = None);
    assert_eq!(fixture.next_due(now), None);
}
