//! A cron expression as what it matches: five Vixie fields or a macro. Knows no time zone and no instant.

use crate::error::ScheduleError;
use crate::field::{ordinals, weekdays};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use std::collections::BTreeSet;

/// Macros and what they stand for.
const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// What an expression matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    minutes: BTreeSet<u32>,
    hours: BTreeSet<u32>,
    days: BTreeSet<u32>,
    months: BTreeSet<u32>,
    /// Sunday is 0.
    weekdays: BTreeSet<u32>,
    /// Day of month and day of week must both match: one of them begins with `*`. Otherwise either will do.
    both_days: bool,
    /// Minute or hour begins with `*`: the job fires at every matching instant, not once for each wall time.
    pub(crate) wildcard: bool,
}

impl Fields {
    /// Reads an expression.
    pub(crate) fn parse(expression: &str) -> Result<Self, ScheduleError> {
        Self::read(expression)
            .map_err(|problem| ScheduleError::Expression { expression: expression.to_string(), problem })
    }

    fn read(expression: &str) -> Result<Self, String> {
        let texts = split(expression)?;
        let star = |at: usize| texts[at].starts_with('*');
        let fields = Self {
            minutes: ordinals(0, texts[0])?,
            hours: ordinals(1, texts[1])?,
            days: ordinals(2, texts[2])?,
            months: ordinals(3, texts[3])?,
            weekdays: weekdays(texts[4])?,
            both_days: star(2) || star(4),
            wildcard: star(0) || star(1),
        };
        if fields.both_days && !fields.months.iter().any(|month| fields.days.iter().any(|day| exists(*month, *day))) {
            return Err(format!("no year has such a date (day of month `{}`, month `{}`)", texts[2], texts[3]));
        }
        Ok(fields)
    }

    fn includes(&self, date: NaiveDate) -> bool {
        let day = self.days.contains(&date.day());
        let weekday = self.weekdays.contains(&date.weekday().num_days_from_sunday());
        self.months.contains(&date.month()) && if self.both_days { day && weekday } else { day || weekday }
    }

    /// The first matching wall time later than `after`, no later than the end of `last_year`.
    pub(crate) fn next_wall(&self, after: NaiveDateTime, last_year: i32) -> Option<NaiveDateTime> {
        let dates = after.date().iter_days().take_while(|date| date.year() <= last_year);
        for date in dates.filter(|date| self.includes(*date)) {
            let from = if date == after.date() { after.hour() } else { 0 };
            for hour in self.hours.range(from..) {
                let mut walls = self.minutes.iter().filter_map(|minute| date.and_hms_opt(*hour, *minute, 0));
                if let Some(wall) = walls.find(|wall| *wall > after) {
                    return Some(wall);
                }
            }
        }
        None
    }
}

/// Whether some year has that date.
fn exists(month: u32, day: u32) -> bool {
    const LEAP_YEAR: i32 = 2024;
    NaiveDate::from_ymd_opt(LEAP_YEAR, month, day).is_some()
}

/// The five fields of an expression or of what its macro stands for.
fn split(expression: &str) -> Result<[&str; 5], String> {
    const WANTED: &str = "`minute hour day-of-month month day-of-week`";
    let text = expression.trim();
    let text = match MACROS.iter().find(|(name, _)| *name == text) {
        Some((_, meaning)) => meaning,
        None if text == "@reboot" => {
            return Err("`@reboot` is not supported: a restart of the daemon must not start a run".into());
        }
        None if text.starts_with('@') => {
            let known = MACROS.map(|(name, _)| name).join(", ");
            return Err(format!("no such macro: there are {known}"));
        }
        None => text,
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    fields.try_into().map_err(|fields: Vec<&str>| match fields.len() {
        6 | 7 => format!(
            "it has {} fields, but cron here knows neither seconds nor years: write five, {WANTED}",
            fields.len()
        ),
        count => format!("it has {count} fields: write five, {WANTED}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(expression: &str) -> Fields {
        Fields::parse(expression).unwrap()
    }

    #[test]
    fn the_other_fields_have_names_ranges_steps_and_lists() {
        let fields = parse("5/15 1-5/2,22 1,15 JAN-mar,12 *");
        assert_eq!(fields.minutes, [5, 20, 35, 50].into());
        assert_eq!(fields.hours, [1, 3, 5, 22].into());
        assert_eq!(fields.days, [1, 15].into());
        assert_eq!(fields.months, [1, 2, 3, 12].into());
        for (name, meaning) in MACROS {
            assert_eq!(parse(name), parse(meaning));
        }
        assert_eq!(parse("  @daily "), parse("0\t0 *  * *"));
    }

    #[test]
    fn days_are_either_or_unless_a_star_leads_one() {
        let on = |expression: &str, day| parse(expression).includes(NaiveDate::from_ymd_opt(2026, 11, day).unwrap());
        // 2026-11-13 is a Friday, 2026-11-20 too.
        assert!(on("0 0 13 * 5", 13) && on("0 0 13 * 5", 20) && !on("0 0 13 * 5", 14));
        assert!(on("0 0 14 * 5", 14) && on("0 0 14 * 5", 13));
        assert!(on("0 0 */2 * 5", 13) && !on("0 0 */2 * 5", 20) && !on("0 0 */2 * 5", 15));
        assert!(on("0 0 13 * */5", 13) && !on("0 0 13 * */5", 20));
        assert!(on("0 0 1-31 * 5", 14), "a range is no star");
    }

    #[test]
    fn every_mistake_says_what_is_wrong() {
        for (expression, problem) in [
            ("0 30 2 * * *", "neither seconds nor years"),
            ("0 30 2 * * * 2026", "neither seconds nor years"),
            ("* * * *", "4 fields"),
            ("", "0 fields"),
            ("@reboot", "must not start a run"),
            ("@often", "@hourly"),
            ("0 0 L * *", "`L` is not supported"),
            ("0 0 15W * *", "`W` is not supported"),
            ("0 0 * * 5L", "`L` is not supported"),
            ("0 0 * * FRI#2", "`#` is not supported"),
            ("0 0 ? * 1", "`?` is not supported"),
            ("0 0 30 2 *", "no year"),
            ("0 0 31 4,6,9,11 *", "no year"),
            ("60 * * * *", "minute field `60`"),
            ("*/60 * * * *", "steps of 1-59"),
            ("*/0 * * * *", "steps of 1-59"),
            ("0 24 * * *", "hour field"),
            ("0 0 0 * *", "day of month field"),
            ("0 0 * 13 *", "month field"),
            ("0 0 * NOV-FEB *", "run upwards"),
            ("0 0 * January *", "month field"),
            ("0 0 * * sunday", "day of week field"),
            ("0 0 * * 8", "0 and 7 are Sunday"),
            ("0 0 * * FRI-MON", "list the days"),
            ("0 0 * * */8", "steps of 1-7"),
            ("0 0 * * */0", "steps of 1-7"),
            ("1,,2 * * * *", "minute field"),
            ("1, * * * *", "minute field"),
            ("** * * * *", "minute field"),
            ("1* * * * *", "minute field"),
            ("0 0 * 1jan *", "month field"),
            ("-1 * * * *", "minute field"),
            ("1/ * * * *", "minute field"),
            ("99999999999 * * * *", "minute field"),
            ("JAN * * * *", "minute field"),
            ("é * * * *", "minute field"),
        ] {
            let error = Fields::parse(expression).unwrap_err().to_string();
            assert!(error.contains(problem), "{expression}: {error}");
        }
        assert!(Fields::parse("0 0 29 2 *").is_ok());
        assert!(Fields::parse("0 0 30 2 1").is_ok(), "Mondays in February");
    }
}
