//! A cron expression in a time zone, as instants that strictly increase for ever.
//!
//! Where clocks change, two kinds of job differ. A *wildcard* job (minute or hour begins with `*`) fires at every instant whose
//! wall clock matches: in both passes of a repeated hour, never for a wall time that does not exist. Any other job is *fixed*:
//! it fires once for each matching wall time, at the first instant at which the wall clock shows it or has jumped over it.

use crate::cron::Fields;
use crate::error::ScheduleError;
use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};
use countersign_model::time::Timestamp;

/// How far ahead to look. 29 February on a given weekday is up to 40 years away, across 2100.
const SEARCH_YEARS: i32 = 40;

/// When a pipeline is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    expression: String,
    zone: Tz,
    fields: Fields,
}

/// The version of the time zone database that is built in, such as `2026b`.
pub fn tz_database_version() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

impl Schedule {
    /// Reads a five-field expression and an IANA zone name.
    ///
    /// # Errors
    /// Says which field is wrong and what to write, or the nearest zone name.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let fields = Fields::parse(expression)?;
        let zone =
            zone.parse().map_err(|_| ScheduleError::Zone { zone: zone.to_string(), hint: nearest_zone(zone) })?;
        Ok(Self { expression: expression.trim().to_string(), zone, fields })
    }

    /// The expression as written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The zone's IANA name.
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// The first instant later than `after`; none within 40 years is possible only for a job that always falls into gaps.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = after.to_utc();
        let next = if self.fields.wildcard { self.next_wildcard(after) } else { self.next_fixed(after) };
        next.map(Timestamp::from_utc)
    }

    /// The instants later than `after`, one by one.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
    }

    /// The wall time that an instant stands for: `2026-11-22 06:00 -06:00 America/Chicago`.
    pub fn wall_time(&self, instant: Timestamp) -> String {
        let local = instant.to_utc().with_timezone(&self.zone);
        format!("{} {}", local.format("%Y-%m-%d %H:%M %:z"), self.zone.name())
    }

    /// A later wall time is never reached earlier, and what the clock showed by `after` was reached by then, so the first
    /// wall time after the present one that is reached later than `after` is the next.
    fn next_fixed(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut walls = self.walls(self.wall(after), after);
        walls.find_map(|wall| self.reached(wall).filter(|instant| *instant > after))
    }

    /// Earlier wall times count too when the clock is about to show them again.
    fn next_wildcard(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let from = self.wall(after).checked_sub_signed(self.set_back_soon(after))?;
        let mut second_pass: Option<DateTime<Utc>> = None;
        for wall in self.walls(from, after) {
            let (first, last) = match self.zone.from_local_datetime(&wall) {
                MappedLocalTime::None => continue,
                MappedLocalTime::Single(only) => (only.to_utc(), only.to_utc()),
                MappedLocalTime::Ambiguous(first, last) => (first.to_utc(), last.to_utc()),
            };
            if first > after {
                return Some(second_pass.map_or(first, |last| last.min(first)));
            }
            if last > after {
                second_pass = Some(second_pass.map_or(last, |earlier| earlier.min(last)));
            }
        }
        second_pass
    }

    /// Matching wall times later than `from`, up to the search limit.
    fn walls(&self, from: NaiveDateTime, after: DateTime<Utc>) -> impl Iterator<Item = NaiveDateTime> + '_ {
        let last_year = after.year().saturating_add(SEARCH_YEARS);
        let next = move |wall: &NaiveDateTime| self.fields.next_wall(*wall, last_year);
        std::iter::successors(next(&from), next)
    }

    fn wall(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.zone).naive_local()
    }

    /// The first instant at which the wall clock shows `wall`, or the end of the gap it falls into.
    fn reached(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => Some(instant.to_utc()),
            MappedLocalTime::None => {
                let (begin, before) = GapInfo::new(&wall, &self.zone)?.begin?;
                Some(begin.checked_sub_offset(before.fix())?.and_utc())
            }
        }
    }

    /// By how much the clock is set back within the next day, which is as far as any clock was ever set back.
    fn set_back_soon(&self, after: DateTime<Utc>) -> TimeDelta {
        const HORIZON: TimeDelta = TimeDelta::hours(26);
        let offset = |at: DateTime<Utc>| self.zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
        let drop = offset(after) - after.checked_add_signed(HORIZON).map_or(offset(after), offset);
        TimeDelta::seconds(i64::from(drop.max(0)))
    }
}

/// `: did you mean …?`, by the whole name or by its city.
fn nearest_zone(zone: &str) -> String {
    const ALIKE: f64 = 0.75;
    let wanted = zone.to_lowercase().replace(' ', "_");
    let alike = |name: &str| {
        let name = name.to_lowercase();
        let city = name.rsplit('/').next().unwrap_or(&name);
        strsim::normalized_damerau_levenshtein(&wanted, &name)
            .max(strsim::normalized_damerau_levenshtein(&wanted, city))
    };
    let scored = TZ_VARIANTS.iter().map(|known| (alike(known.name()), known.name()));
    match scored.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((score, name)) if score >= ALIKE => format!(": did you mean `{name}`?"),
        _ => ": write one such as `UTC` or `America/Chicago`".to_string(),
    }
}
