//! One field of a cron expression, turned into its set of values.
//!
//! The `cron` crate does that and is asked nothing else: its instants are wrong around clock changes, its weekdays count from
//! 1 = Sunday, and it accepts fields without white space between them. So the shape of every field is checked before the
//! crate sees it, and the day of week is read here.

use cron::TimeUnitSpec;
use std::collections::BTreeSet;
use std::str::FromStr;

const FIELDS: [Field; 5] = [
    Field { name: "minute", values: "0-59", steps: 59 },
    Field { name: "hour", values: "0-23", steps: 23 },
    Field { name: "day of month", values: "1-31", steps: 31 },
    Field { name: "month", values: "1-12 or JAN-DEC", steps: 12 },
    Field { name: "day of week", values: "0-7 (0 and 7 are Sunday) or SUN-SAT", steps: 7 },
];

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

struct Field {
    name: &'static str,
    values: &'static str,
    steps: u32,
}

/// One element of a field's list: `*`, `a` or `a-b`, with `/step` or without.
struct Item<'a> {
    base: Base<'a>,
    step: Option<&'a str>,
}

enum Base<'a> {
    All,
    One(&'a str),
    Range(&'a str, &'a str),
}

/// The elements of a field, each of a shape that the `cron` crate can only read as one field.
fn items(at: usize, text: &str) -> Result<Vec<Item<'_>>, String> {
    refuse_extensions(at, text)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = |text: &str| digits(text) || (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let item = |text| {
        let (base, step) = match str::split_once(text, '/') {
            Some((base, step)) => (base, Some(step)),
            None => (text, None),
        };
        let base = match base.split_once('-') {
            None if base == "*" => Base::All,
            None if value(base) => Base::One(base),
            Some((from, to)) if value(from) && value(to) => Base::Range(from, to),
            None | Some(_) => return None,
        };
        step.is_none_or(digits).then_some(Item { base, step })
    };
    text.split(',').map(item).collect::<Option<Vec<_>>>().ok_or_else(|| wanted(at, text))
}

/// Names what other crons know and this one does not.
fn refuse_extensions(at: usize, text: &str) -> Result<(), String> {
    let word =
        text.split(|c: char| !c.is_ascii_alphabetic()).find(|word| matches!(*word, "L" | "W" | "LW" | "l" | "w"));
    let found = word.or_else(|| text.contains('#').then_some("#")).or_else(|| text.contains('?').then_some("?"));
    match found {
        Some(sign) => Err(format!("{} field `{text}`: `{sign}` is not supported", FIELDS[at].name)),
        None => Ok(()),
    }
}

fn wanted(at: usize, text: &str) -> String {
    let Field { name, values, steps } = &FIELDS[at];
    format!(
        "{name} field `{text}`: write `*`, {values}, ranges that run upwards, or a list of these, with steps of 1-{steps}"
    )
}

/// The set of one of the first four fields, from the `cron` crate.
pub(crate) fn ordinals(at: usize, text: &str) -> Result<BTreeSet<u32>, String> {
    items(at, text)?;
    let mut fields = ["0", "*", "*", "*", "*", "*"];
    fields[at + 1] = text;
    let parsed = cron::Schedule::from_str(&fields.join(" ")).map_err(|_| wanted(at, text))?;
    Ok(match at {
        0 => parsed.minutes().iter().collect(),
        1 => parsed.hours().iter().collect(),
        2 => parsed.days_of_month().iter().collect(),
        _ => parsed.months().iter().collect(),
    })
}

/// The set of the day-of-week field. `*` and open steps run to 7, as in Vixie cron, so that `5/2` has Friday and Sunday.
pub(crate) fn weekdays(text: &str) -> Result<BTreeSet<u32>, String> {
    const AT: usize = 4;
    let number = |text: &str| {
        let name =
            WEEKDAYS.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| u32::try_from(at).ok());
        name.or_else(|| text.parse().ok()).filter(|day| *day <= 7).ok_or_else(|| wanted(AT, text))
    };
    let mut days = BTreeSet::new();
    for item in items(AT, text)? {
        let (from, to) = match item.base {
            Base::All => (0, 7),
            Base::One(day) => (number(day)?, if item.step.is_some() { 7 } else { number(day)? }),
            Base::Range(from, to) => (number(from)?, number(to)?),
        };
        let step = item.step.map_or(Ok(1), |step| step.parse().map_err(|_| wanted(AT, text)))?;
        if from > to {
            return Err(format!(
                "day of week field `{text}`: a range runs upwards and Sunday is 0 or 7: list the days"
            ));
        }
        if !(1..=7).contains(&step) {
            return Err(wanted(AT, text));
        }
        days.extend((from..=to).step_by(step).map(|day| day % 7));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    fn days(text: &str) -> Vec<u32> {
        super::weekdays(text).unwrap().into_iter().collect()
    }

    #[test]
    fn weekdays_are_vixie_s_not_quartz_s() {
        assert_eq!(days("0"), [0]);
        assert_eq!(days("7"), [0]);
        assert_eq!(days("1-5"), [1, 2, 3, 4, 5]);
        assert_eq!(days("5-7"), [0, 5, 6]);
        assert_eq!(days("MON-fri"), [1, 2, 3, 4, 5]);
        assert_eq!(days("FRI-7"), [0, 5, 6]);
        assert_eq!(days("Sun,wed,6"), [0, 3, 6]);
        assert_eq!(days("*/2"), [0, 2, 4, 6]);
        assert_eq!(days("5/2"), [0, 5]);
        assert_eq!(days("1-5/2"), [1, 3, 5]);
        assert_eq!(days("*"), [0, 1, 2, 3, 4, 5, 6]);
    }
}
