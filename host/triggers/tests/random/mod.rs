//! Random expressions, the same at every run, and the places at which schedules are hard.

use chrono::{DateTime, Datelike, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Twenty zones in which clocks behave in as many ways.
pub const ZONES: [&str; 20] = [
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "America/St_Johns",
    // A quarter of an hour, a day that was left out, daylight saving time in winter, two hours at once, 45 minutes past the hour, a
    // standard time that is the later one, a change at midnight, and one on the evening before.
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Pacific/Chatham",
    "Europe/Dublin",
    "America/Havana",
    "America/Nuuk",
];
fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// The instants at which a zone's clocks change.
pub fn transitions(zone: Tz, years: std::ops::RangeInclusive<i32>) -> Vec<DateTime<Utc>> {
    let day = TimeDelta::days(1);
    let start = Utc.with_ymd_and_hms(*years.start(), 1, 1, 0, 0, 0).unwrap();
    let days = std::iter::successors(Some(start), |at| Some(*at + day)).take_while(|at| at.year() <= *years.end());
    let changed = days.filter(|at| offset(zone, *at) != offset(zone, *at + day));
    let exact = |at: DateTime<Utc>| {
        (1..=24 * 60).map(|minute| at + TimeDelta::minutes(minute)).find(|then| offset(zone, *then) != offset(zone, at))
    };
    changed.filter_map(exact).collect()
}

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(u64::from(high - low + 1)) as u32
    }

    fn field(&mut self, low: u32, high: u32, stars: u64) -> String {
        let step = |random: &mut Self| random.between(1, (high - low).min(30));
        let value = self.between(low, high);
        let upper = self.between(value, high);
        match self.below(100) {
            kind if kind < stars => "*".into(),
            kind if kind < stars + 9 => format!("*/{}", step(self)),
            kind if kind < stars + 13 => format!("{value}-{upper}/{}", step(self)),
            kind if kind < stars + 16 => format!("{value}/{}", step(self)),
            kind if kind < stars + 26 => format!("{value}-{upper}"),
            kind if kind < stars + 34 => format!("{value},{upper},{}", self.between(low, high)),
            _ => value.to_string(),
        }
    }

    /// Hours around which clocks change are over-weighted; dates are mostly open, so that something falls into a window.
    pub fn expression(&mut self) -> String {
        let minute = self.field(0, 59, 25);
        let hour = if self.below(10) < 6 { self.field(0, 3, 20) } else { self.field(0, 23, 30) };
        let day = if self.below(10) < 8 { "*".into() } else { self.field(1, 31, 20) };
        let month = if self.below(10) < 8 { "*".into() } else { self.field(1, 12, 20) };
        let weekday = match self.below(20) {
            0 => "SUN".into(),
            1 => "sat-7".into(),
            2 => "Mon-FRI".into(),
            kind if kind < 6 => self.field(0, 7, 20),
            _ => "*".into(),
        };
        format!("{minute} {hour} {day} {month} {weekday}")
    }
}

/// The transitions of a zone in these years. Zones that no longer change their clocks are looked at where they last did, or anywhere.
pub fn places(zone: Tz, years: std::ops::RangeInclusive<i32>) -> Vec<DateTime<Utc>> {
    let mut at = transitions(zone, years);
    if at.is_empty() {
        at = transitions(zone, 2010..=2025).into_iter().rev().take(2).collect();
    }
    if at.is_empty() {
        at = vec![Utc.with_ymd_and_hms(2026, 2, 28, 12, 0, 0).unwrap()];
    }
    at
}
