//! The second opinion: cronsim from PyPI, which keeps Debian's rules, over the same kind of expressions.
//!
//! It goes astray where clocks are set forward at midnight or in the middle of an hour, and at Lord Howe's half hour. Those places are
//! named here, and it has to go astray there still; the enumerator has the last word on them. Everywhere else the lists are the same.

use crate::random::{Random, ZONES, places};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use countersign_model::time::Timestamp;
use countersign_triggers::Schedule;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const EXPRESSIONS: usize = 200;
/// Instants of each list.
const INSTANTS: usize = 8;
/// Days after the transition at which a list ends.
const DAYS: i64 = 2;

/// Where cronsim goes astray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Astray {
    /// It takes every change for a whole hour.
    HalfAnHour,
    /// A wildcard job (minute or hour begins with `*`) looks at the skipped hour of the next day, or at none of that day.
    GapAtMidnight,
    /// A wildcard job passes over what the gap leaves of an hour.
    GapWithinAnHour,
}

struct Case {
    expression: String,
    zone: Tz,
    transition: DateTime<Utc>,
    after: Timestamp,
    until: Timestamp,
}

impl Case {
    fn astray(&self) -> Option<Astray> {
        if self.zone.name() == "Australia/Lord_Howe" {
            return Some(Astray::HalfAnHour);
        }
        let wall = |at: DateTime<Utc>| at.with_timezone(&self.zone).naive_local();
        let minute = TimeDelta::minutes(1);
        let (before, after) = (wall(self.transition - minute) + minute, wall(self.transition));
        let wildcard = self.expression.split(' ').take(2).any(|field| field.starts_with('*'));
        match (before.hour(), before.minute()) {
            _ if after <= before || !wildcard => None,
            (0, 0) => Some(Astray::GapAtMidnight),
            (_, 0) => None,
            _ => Some(Astray::GapWithinAnHour),
        }
    }

    fn asked(&self) -> Value {
        let seconds = |at: Timestamp| at.as_micros() / 1_000_000;
        json!([self.expression, self.zone.name(), seconds(self.after), seconds(self.until), INSTANTS])
    }

    fn ours(&self) -> Vec<i64> {
        let schedule = Schedule::parse(&self.expression, self.zone.name()).unwrap();
        let instants = schedule.upcoming(self.after).take_while(|at| *at <= self.until).take(INSTANTS);
        instants.map(|at| at.as_micros() / 1_000_000).collect()
    }
}

/// A range of one value with a step, `3-3/2`: that value and no other, where cronsim reads `3/2`.
fn has_lone_step(expression: &str) -> bool {
    let bases = expression.split([' ', ',']).filter_map(|item| item.split_once('/'));
    bases.filter_map(|(base, _)| base.split_once('-')).any(|(from, to)| from == to)
}

fn cases() -> Vec<Case> {
    let mut random = Random(6);
    let mut cases = Vec::new();
    let expressions = std::iter::repeat_with(|| random.expression());
    let possible = expressions.filter(|text| Schedule::parse(text, "UTC").is_ok() && !has_lone_step(text));
    let expressions: Vec<String> = possible.take(EXPRESSIONS).collect();
    let mut random = Random(7);
    for name in ZONES {
        let zone: Tz = name.parse().unwrap();
        for transition in places(zone, 2026..=2026) {
            for expression in &expressions {
                let lead = TimeDelta::minutes(i64::from(random.between(0, 1_500)));
                let (after, until) = (transition - lead, transition + TimeDelta::days(DAYS));
                let [after, until] = [after, until].map(Timestamp::from_utc);
                cases.push(Case { expression: expression.clone(), zone, transition, after, until });
            }
        }
    }
    cases
}

#[test]
fn cronsim_agrees_but_where_it_is_known_to_go_astray() {
    let Some(python) = countersign_judges::python() else { return };
    let cases = cases();
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("cases.json");
    std::fs::write(&asked, Value::from_iter(cases.iter().map(Case::asked)).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/judge_cron.py");
    let answered = countersign_judges::run(
        // The time zones of the package `tzdata`, not of this machine.
        Command::new(python).arg(script).arg(&asked).env("PYTHONTZPATH", "").env("PYTHONDONTWRITEBYTECODE", "1"),
    );
    let theirs: Vec<Vec<i64>> = serde_json::from_str(&answered).unwrap();
    assert_eq!(theirs.len(), cases.len());
    let mut known = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut instants = 0;
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = case.ours();
        instants += ours.len();
        if ours == *theirs {
            continue;
        }
        let text = format!("`{}` in {} after {}: {ours:?}, cronsim {theirs:?}", case.expression, case.zone, case.after);
        match case.astray() {
            Some(why) => *known.entry(why).or_insert(0) += 1,
            None => unknown.push(text),
        }
    }
    println!("{instants} instants of {} lists; cronsim differs in {known:?}", cases.len());
    assert!(unknown.is_empty(), "{} lists: {:#?}", unknown.len(), &unknown[..unknown.len().min(30)]);
    let all = BTreeSet::from([Astray::HalfAnHour, Astray::GapAtMidnight, Astray::GapWithinAnHour]);
    assert_eq!(known.into_keys().collect::<BTreeSet<_>>(), all, "cronsim has learned something: compare it there too");
}
