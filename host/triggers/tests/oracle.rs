//! Schedules against an enumerator that shares nothing with them: it walks UTC minute by minute, reads the wall clock, and
//! fires by the definition. Its expressions are random but the same at every run.
//!
//! Each of 3,000 expressions is compared in each of 20 zones around every transition of 2026 and 2027: a window of three days, from up
//! to a day before the transition, and at most 150 instants of it. A zone whose clocks no longer change is looked at where they last
//! did between 2010 and 2025, or anywhere. Beside that each zone of the database is compared at its next two transitions, on fewer
//! expressions.

mod cronsim;
mod random;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use countersign_model::time::Timestamp;
use countersign_triggers::Schedule;
use random::{Random, ZONES, places, transitions};
use std::collections::BTreeSet;

/// Most schedules are compared on so many instants, enough to cross a transition and come to rest.
const INSTANTS: usize = 150;
/// Minutes before a transition at which a window begins, and its length.
const LEAD: i64 = 1_600;
const WINDOW: i64 = 4_400;

/// What one field of an expression matches, read the slow way.
struct Set(u64);

impl Set {
    fn of(text: &str, low: u32, high: u32) -> Self {
        const NAMES: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
        const DAYS: &str = "sun mon tue wed thu fri sat";
        let value = |text: &str| {
            let name = text.to_lowercase();
            let position = |names: &str| names.split(' ').position(|known| known == name).map(|at| at as u32);
            position(NAMES).map(|at| at + 1).or(position(DAYS)).unwrap_or_else(|| text.parse().unwrap())
        };
        let mut set = 0;
        for item in text.split(',') {
            let (base, step) = item.split_once('/').map_or((item, None), |(base, step)| (base, Some(step)));
            let (from, to) = match base.split_once('-') {
                Some((from, to)) => (value(from), value(to)),
                None if base == "*" => (low, high),
                None => (value(base), if step.is_some() { high } else { value(base) }),
            };
            let step = step.map_or(1, |step| step.parse().unwrap());
            (from..=to).filter(|at| (at - from) % step == 0).for_each(|at| set |= 1u64 << at);
        }
        Self(set)
    }

    fn has(&self, value: u32) -> bool {
        self.0 >> value & 1 == 1
    }
}

struct Expression {
    minute: Set,
    hour: Set,
    day: Set,
    month: Set,
    weekday: Set,
    both_days: bool,
    wildcard: bool,
}

impl Expression {
    fn of(text: &str) -> Self {
        let fields: Vec<&str> = text.split(' ').collect();
        let star = |at: usize| fields[at].starts_with('*');
        Self {
            minute: Set::of(fields[0], 0, 59),
            hour: Set::of(fields[1], 0, 23),
            day: Set::of(fields[2], 1, 31),
            month: Set::of(fields[3], 1, 12),
            weekday: Set::of(fields[4], 0, 7),
            both_days: star(2) || star(4),
            wildcard: star(0) || star(1),
        }
    }

    fn matches(&self, wall: &Wall) -> bool {
        let day = self.day.has(wall.day);
        let weekday = self.weekday.has(wall.weekday) || (wall.weekday == 0 && self.weekday.has(7));
        self.minute.has(wall.minute)
            && self.hour.has(wall.hour)
            && self.month.has(wall.month)
            && if self.both_days { day && weekday } else { day || weekday }
    }
}

struct Wall {
    minute: u32,
    hour: u32,
    day: u32,
    month: u32,
    weekday: u32,
}

impl Wall {
    fn of(at: NaiveDateTime) -> Self {
        let weekday = at.weekday().num_days_from_sunday();
        Self { minute: at.minute(), hour: at.hour(), day: at.day(), month: at.month(), weekday }
    }
}

/// One UTC minute: what the wall clock shows, whether for the first time, and what it jumped over to get there.
struct Minute {
    at: Timestamp,
    wall: Wall,
    first_pass: bool,
    jumped: Vec<Wall>,
}

fn walk(zone: Tz, transition: DateTime<Utc>) -> Vec<Minute> {
    let start = transition - TimeDelta::minutes(LEAD);
    let mut highest: Option<NaiveDateTime> = None;
    (0..WINDOW)
        .map(|minute| {
            let at = start + TimeDelta::minutes(minute);
            let wall = at.with_timezone(&zone).naive_local();
            let first_pass = highest.is_none_or(|highest| wall > highest);
            let next = highest.map(|highest| highest + TimeDelta::minutes(1)).filter(|_| first_pass);
            let jumped = std::iter::successors(next, |at| Some(*at + TimeDelta::minutes(1)));
            let jumped = jumped.take_while(|at| *at < wall).map(Wall::of).collect();
            highest = highest.max(Some(wall));
            Minute { at: Timestamp::from_utc(at), wall: Wall::of(wall), first_pass, jumped }
        })
        .collect()
}

fn enumerate<'a>(expression: &'a Expression, minutes: &'a [Minute]) -> impl Iterator<Item = Timestamp> + 'a {
    let fires = |minute: &&Minute| {
        let shown = expression.matches(&minute.wall);
        if expression.wildcard {
            return shown;
        }
        minute.first_pass && (shown || minute.jumped.iter().any(|wall| expression.matches(wall)))
    };
    minutes.iter().filter(fires).map(|minute| minute.at)
}

/// Compares `count` expressions on every transition and answers how many instants were compared.
fn compare(seed: u64, count: usize, windows: &[(Tz, Vec<Minute>)]) -> usize {
    let mut random = Random(seed);
    let mut compared = 0;
    for _ in 0..count {
        let text = random.expression();
        // The few that spell a date no year has.
        if Schedule::parse(&text, "UTC").is_err() {
            assert!(text.contains("30") || text.contains("31"), "{text}");
            continue;
        }
        let expression = Expression::of(&text);
        for (zone, minutes) in windows {
            let close = random.below(2) == 0;
            let from = (LEAD - random.between(0, if close { 100 } else { 1_500 }) as i64) as usize;
            let schedule = Schedule::parse(&text, zone.name()).unwrap();
            let wanted: Vec<Timestamp> =
                enumerate(&expression, minutes).skip_while(|at| *at <= minutes[from].at).take(INSTANTS).collect();
            let end = minutes[minutes.len() - 1].at;
            let found: Vec<Timestamp> =
                schedule.upcoming(minutes[from].at).take_while(|at| *at <= end).take(INSTANTS).collect();
            assert_eq!(found, wanted, "`{text}` in {zone} after {}", minutes[from].at);
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "`{text}` in {zone}: order");
            compared += found.len();
        }
    }
    compared
}

/// What the enumerator walks through.
fn windows(years: std::ops::RangeInclusive<i32>) -> Vec<(Tz, Vec<Minute>)> {
    let zones = ZONES.iter().map(|name| name.parse::<Tz>().unwrap());
    zones.flat_map(|zone| places(zone, years.clone()).into_iter().map(move |at| (zone, walk(zone, at)))).collect()
}

/// As [`compare`], on two threads.
fn compare_in_halves(seed: u64, count: usize, windows: &[(Tz, Vec<Minute>)]) -> usize {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| compare(seed + 100, count / 2, windows));
        compare(seed, count - count / 2, windows) + other.join().unwrap()
    })
}

#[test]
fn random_schedules_agree_with_the_enumerator() {
    let windows = windows(2026..=2027);
    let met: BTreeSet<&str> = windows.iter().map(|(zone, _)| zone.name()).collect();
    assert_eq!((met.len(), windows.len() >= 66), (ZONES.len(), true), "{} windows", windows.len());
    let compared = compare_in_halves(1, 3_000, &windows);
    println!("{compared} instants of 3000 expressions in {} windows", windows.len());
    assert!(compared > 2_000_000, "{compared}");
}

#[test]
#[ignore = "some minutes"]
fn ten_thousand_random_schedules_agree_on_five_years() {
    let windows = windows(2026..=2030);
    let compared = compare_in_halves(2, 10_000, &windows);
    println!("{compared} instants of 10000 expressions in {} windows", windows.len());
}

#[test]
fn every_zone_agrees_at_its_next_transitions() {
    for zone in TZ_VARIANTS {
        let at = transitions(zone, 2026..=2027);
        let windows: Vec<_> = at.into_iter().take(2).map(|at| (zone, walk(zone, at))).collect();
        compare(3, 12, &windows);
    }
}

#[test]
fn a_day_that_was_skipped_whole_agrees_too() {
    let zone: Tz = "Pacific/Apia".parse().unwrap();
    let windows: Vec<_> = transitions(zone, 2011..=2011).into_iter().map(|at| (zone, walk(zone, at))).collect();
    assert_eq!(windows.len(), 3);
    compare(4, 300, &windows);
}
