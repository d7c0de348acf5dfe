//! Daylight saving with an injected clock: every zone of the database at its next two transitions.

use super::fired;
use crate::fixture::{Fixture, minutes};
use chrono::{DateTime, NaiveDate, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use countersign_model::time::Timestamp;

/// The next two instants after the beginning of 2026 at which a zone's clocks change.
fn transitions(zone: Tz) -> Vec<DateTime<Utc>> {
    let offset = |at: &DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let quarter = TimeDelta::minutes(15);
    let start = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
    let days = (0..730).map(|day| start + TimeDelta::days(day));
    let changed = days.filter(|day| offset(day) != offset(&(*day + TimeDelta::days(1)))).take(2);
    let exact = |day: DateTime<Utc>| (1..=96).map(|count| day + quarter * count).find(|at| offset(at) != offset(&day));
    changed.filter_map(exact).collect()
}

#[tokio::test]
async fn a_daily_job_runs_once_a_day_through_every_transition_of_every_zone() {
    const DAYS: u64 = 2;
    let mut met = 0;
    for zone in TZ_VARIANTS {
        for transition in transitions(zone) {
            met += 1;
            // The hours at which clocks change, and those just before and after.
            for expression in ["30 1 * * *", "15 2 * * *", "5 0 * * *", "0 3 * * *"] {
                let fixture = Fixture::cron(expression, zone.name()).await;
                let start = Timestamp::from_utc(transition - TimeDelta::days(DAYS as i64));
                for step in 0..=2 * DAYS * 24 * 4 {
                    fixture.tick(minutes(start, 15 * step)).await;
                }
                let day = |at: &Timestamp| at.to_utc().with_timezone(&zone).date_naive();
                let days: Vec<NaiveDate> = fired(&fixture).await.iter().map(day).collect();
                let consecutive = days.windows(2).all(|pair| pair[0].succ_opt() == Some(pair[1]));
                assert!(consecutive, "`{expression}` in {zone} around {transition}: {days:?}");
                assert!((3..=5).contains(&days.len()), "`{expression}` in {zone} around {transition}: {days:?}");
            }
        }
    }
    assert!(met > 300, "{met} transitions");
}
