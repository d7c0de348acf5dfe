//! Schedules by hand, at the edges that other crons get wrong.

use countersign_model::time::Timestamp;
use countersign_triggers::{Schedule, ScheduleError, tz_database_version};

fn at(text: &str) -> Timestamp {
    Timestamp::from_utc(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

/// The next instants as `MM-DDTHH:MM` in UTC.
fn next(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(expression, zone).unwrap();
    schedule.upcoming(at(after)).take(count).map(|at| at.to_string()[5..16].to_string()).collect()
}

#[test]
fn a_time_inside_a_gap_fires_once_when_the_gap_ends() {
    let new_york = |expression| next(expression, "America/New_York", "2026-03-08T05:00:00Z", 2);
    assert_eq!(new_york("30 2 * * *"), ["03-08T07:00", "03-09T06:30"]);
    assert_eq!(
        new_york("0,15,30 2,3 * * *"),
        ["03-08T07:00", "03-08T07:15"],
        "three in the gap and one at its end are one"
    );
    assert_eq!(new_york("*/30 2 * * *"), ["03-09T06:00", "03-09T06:30"], "a wildcard job has nothing there");
    assert_eq!(next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1), ["10-03T15:30"]);
}

#[test]
fn a_repeated_hour_fires_a_fixed_job_once_and_a_wildcard_job_twice() {
    let new_york = |expression, count| next(expression, "America/New_York", "2026-11-01T04:30:00Z", count);
    assert_eq!(new_york("30 1 * * *", 2), ["11-01T05:30", "11-02T06:30"]);
    assert_eq!(new_york("5-6 1 * * *", 3), ["11-01T05:05", "11-01T05:06", "11-02T06:05"]);
    assert_eq!(
        new_york("*/30 * * * *", 5),
        ["11-01T05:00", "11-01T05:30", "11-01T06:00", "11-01T06:30", "11-01T07:00"]
    );
    assert_eq!(
        new_york("*/30 1 * * *", 5),
        ["11-01T05:00", "11-01T05:30", "11-01T06:00", "11-01T06:30", "11-02T06:00"]
    );
    // In the second pass already.
    assert_eq!(next("30 1 * * *", "America/New_York", "2026-11-01T06:10:00Z", 1), ["11-02T06:30"]);
    assert_eq!(next("30 * * * *", "America/New_York", "2026-11-01T06:10:00Z", 1), ["11-01T06:30"]);
    // Back over midnight: 24:00 becomes 23:00 of the day before.
    assert_eq!(
        next("*/30 23 29 10 *", "Africa/Cairo", "2026-10-29T19:59:00Z", 4),
        ["10-29T20:00", "10-29T20:30", "10-29T21:00", "10-29T21:30"]
    );
}

#[test]
fn far_dates_are_found_and_order_is_strict() {
    assert_eq!(next("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["02-29T00:00"]);
    let schedule = Schedule::parse("0 0 29 2 */1", "UTC").unwrap();
    assert_eq!(schedule.next_after(at("2096-03-01T00:00:00Z")), Some(at("2104-02-29T00:00:00Z")));
    let mondays = Schedule::parse("0 0 */28,29 2 1", "UTC").unwrap();
    assert_eq!(mondays.next_after(at("2026-03-01T00:00:00Z")), Some(at("2027-02-01T00:00:00Z")));
    let schedule = Schedule::parse("0 6 * * *", "UTC").unwrap();
    assert_eq!(schedule.next_after(at("2026-11-22T06:00:00Z")), Some(at("2026-11-23T06:00:00Z")), "strictly later");
    assert_eq!(schedule.next_after(at("2026-11-22T05:59:59.999999Z")), Some(at("2026-11-22T06:00:00Z")));
}

#[test]
fn a_job_that_always_falls_into_a_gap_has_no_instant() {
    // A Sunday 8 March is the second of its month: the day on which 02:xx does not exist there.
    let schedule = Schedule::parse("*/20 2 8 3 */7", "America/New_York").unwrap();
    assert_eq!(schedule.next_after(at("2026-01-01T00:00:00Z")), None);
}

#[test]
fn the_wall_time_tells_the_two_passes_apart() {
    let schedule = Schedule::parse("30 1 * * *", "America/New_York").unwrap();
    assert_eq!(schedule.wall_time(at("2026-11-01T05:30:00Z")), "2026-11-01 01:30 -04:00 America/New_York");
    assert_eq!(schedule.wall_time(at("2026-11-01T06:30:00Z")), "2026-11-01 01:30 -05:00 America/New_York");
    assert!(tz_database_version().starts_with("20"));
}

#[test]
fn an_unknown_zone_names_the_nearest() {
    for (zone, nearest) in [
        ("America/Chicgo", "`America/Chicago`"),
        ("Chicago", "`America/Chicago`"),
        ("europe/berlin", "`Europe/Berlin`"),
        ("New York", "`America/New_York`"),
        ("Nowhere/At/All", "such as `UTC`"),
        ("", "such as `UTC`"),
    ] {
        let error = Schedule::parse("@daily", zone).unwrap_err();
        assert!(matches!(error, ScheduleError::Zone { .. }));
        assert!(error.to_string().contains(nearest), "{zone}: {error}");
    }
}
