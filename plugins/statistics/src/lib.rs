//! `statistics`: what the data looks like, per split, as tensorflow-metadata, and the exact bins that the next delivery is held against.
//!
//! Four questions a split: moments of all columns in one scan, order statistics of all numbers, counts between cuts of all numbers, and
//! one grouping for each column of text. The engine sorts and counts; a few thousand figures enter the sandbox.

#[cfg(test)]
mod golden;
mod message;
mod numeric;
mod text;

use countersign_formats::examples::{ColumnType, ExampleColumn, ExamplesIndex, INDEX};
use countersign_formats::reference::{self, FeatureReference, ReferenceBins};
use countersign_formats::tfmd::Message;
use countersign_formats::tfmd::statistics::{
    self, DataType, DatasetFeatureStatistics, DatasetFeatureStatisticsList, FeatureNameStatistics,
};
use countersign_sdk::rows::{self, Cell};
use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task};
use countersign_sdk::{files, host, sql};
use numeric::NumericProfile;
use std::collections::BTreeMap;
use std::path::Path;
use text::TextProfile;

/// Columns in one statement: the engine limits a statement's length and depth.
const AT_ONCE: usize = 100;

/// There is nothing to set.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {}

/// One column, measured.
#[derive(Debug, Clone, PartialEq)]
enum Profile {
    /// Numbers.
    Numeric(DataType, NumericProfile),
    /// Text.
    Text(TextProfile),
}

impl Profile {
    fn message(&self, name: &str) -> FeatureNameStatistics {
        match self {
            Self::Numeric(data_type, profile) => message::numeric(name, *data_type, profile),
            Self::Text(profile) => message::text(name, profile),
        }
    }

    fn reference(&self) -> FeatureReference {
        match self {
            Self::Numeric(_, profile) => profile.reference(),
            Self::Text(profile) => profile.reference(),
        }
    }
}

struct Statistics;

impl Component for Statistics {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("statistics", env!("CARGO_PKG_VERSION"), "Measures every column of every split.")
            .input(Port::input("examples", "Examples").describe("The rows."))
            .output(
                Port::output("statistics", "Statistics").describe("Statistics and reference bins, one folder a split."),
            )
            .capability(Capability::Query)
    }

    fn execute(task: &Task, Parameters {}: Parameters) -> Result<Outcome, Error> {
        let index: ExamplesIndex = files::read_json(task.input("examples")?.join(INDEX))?;
        let output = task.output("statistics")?;
        for (done, (split, rows)) in index.rows.iter().enumerate() {
            host::progress(done as u64, index.rows.len() as u64, "splits", split);
            let profiles = measure(&sql::table("examples", split), *rows, &index.columns)?;
            write(&output.join(split), split, *rows, &index.columns, &profiles)?;
        }
        Ok(Outcome::new(format!("{} features", index.columns.len())))
    }
}

countersign_sdk::export!(Statistics);

fn measure(table: &str, rows: u64, columns: &[ExampleColumn]) -> Result<Vec<Profile>, Error> {
    let mut profiles = first_pass(table, rows, columns)?;
    order_statistics(table, columns, &mut profiles)?;
    counts(table, columns, &mut profiles)?;
    for (column, profile) in columns.iter().zip(&mut profiles) {
        if let Profile::Text(profile) = profile {
            profile.values = text::read_frequencies(&rows::rows(&text::frequencies(table, &column.name))?);
        }
    }
    Ok(profiles)
}

fn first_pass(table: &str, rows: u64, columns: &[ExampleColumn]) -> Result<Vec<Profile>, Error> {
    let mut profiles = Vec::new();
    for columns in columns.chunks(AT_ONCE) {
        let answer = rows::rows(&format!("SELECT {} FROM {table}", expressions(columns)))?;
        let answer = answer.first().ok_or_else(|| Error::Bug("the first pass answered no row".to_string()))?;
        let mut at = 0;
        let mut take = |count: usize| {
            at += count;
            answer.get(at - count..at).unwrap_or_default()
        };
        for column in columns {
            profiles.push(match column.column_type {
                ColumnType::Int => numbers(DataType::Int, rows, take(numeric::MOMENTS)),
                ColumnType::Float => numbers(DataType::Float, rows, take(numeric::MOMENTS)),
                ColumnType::String => {
                    let (present, unique) = text::read_presence(take(text::PRESENCE));
                    Profile::Text(TextProfile { rows, present, unique, values: Vec::new() })
                }
            });
        }
    }
    Ok(profiles)
}

fn expressions(columns: &[ExampleColumn]) -> String {
    let of = |(index, column): (usize, &ExampleColumn)| match column.column_type {
        ColumnType::String => text::presence(&column.name, index),
        ColumnType::Int | ColumnType::Float => numeric::moments(&column.name, index),
    };
    columns.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
}

fn numbers(data_type: DataType, rows: u64, moments: &[Cell]) -> Profile {
    let moments = numeric::read_moments(moments);
    Profile::Numeric(data_type, NumericProfile { rows, moments, ..NumericProfile::default() })
}

fn order_statistics(table: &str, columns: &[ExampleColumn], profiles: &mut [Profile]) -> Result<(), Error> {
    let mut questions = Vec::new();
    for (index, (column, profile)) in columns.iter().zip(profiles.iter()).enumerate() {
        if let Profile::Numeric(_, profile) = profile
            && profile.moments.finite > 0
        {
            questions.push(numeric::order_statistics(table, &column.name, index, profile.moments.finite));
        }
    }
    let mut found: BTreeMap<u64, Vec<(u64, f64)>> = BTreeMap::new();
    for (feature, at, value) in answers(&questions, Cell::float)? {
        found.entry(feature).or_default().push((at, value));
    }
    for (feature, found) in found {
        if let Some(Profile::Numeric(_, profile)) = profiles.get_mut(feature as usize) {
            profile.quantiles = numeric::quantiles(profile.moments.finite, &found)
                .ok_or_else(|| Error::Bug(format!("order statistics of feature {feature} are not complete")))?;
        }
    }
    Ok(())
}

fn counts(table: &str, columns: &[ExampleColumn], profiles: &mut [Profile]) -> Result<(), Error> {
    let mut questions = Vec::new();
    for (index, (column, profile)) in columns.iter().zip(profiles.iter_mut()).enumerate() {
        if let Profile::Numeric(_, profile) = profile {
            let cuts = numeric::cuts(&profile.quantiles);
            questions.push(numeric::counts(table, &column.name, index, &cuts));
            profile.counts = vec![0; cuts.len() + 1];
        }
    }
    for (feature, bin, rows) in answers(&questions, Cell::int)? {
        if let Some(Profile::Numeric(_, profile)) = profiles.get_mut(feature as usize)
            && let Some(count) = profile.counts.get_mut(bin as usize)
        {
            *count = rows.unsigned_abs();
        }
    }
    Ok(())
}

/// Asks the questions, many at once, and reads (feature, position, value).
fn answers<T>(questions: &[String], value: impl Fn(&Cell) -> Option<T>) -> Result<Vec<(u64, u64, T)>, Error> {
    let read = |row: &Vec<Cell>| match row.as_slice() {
        [feature, at, found] => value(found).map(|found| (feature.count(), at.count(), found)),
        _ => None,
    };
    let mut found = Vec::new();
    for questions in questions.chunks(AT_ONCE) {
        for row in rows::rows(&questions.join(" UNION ALL "))? {
            found.push(read(&row).ok_or_else(|| Error::Bug("a statistic is not a number".to_string()))?);
        }
    }
    Ok(found)
}

fn write(folder: &Path, split: &str, rows: u64, columns: &[ExampleColumn], profiles: &[Profile]) -> Result<(), Error> {
    let named = || columns.iter().zip(profiles);
    let dataset = DatasetFeatureStatistics {
        name: split.to_string(),
        num_examples: rows,
        features: named().map(|(column, profile)| profile.message(&column.name)).collect(),
        weighted_num_examples: 0.0,
    };
    let features = named().map(|(column, profile)| (column.name.clone(), profile.reference())).collect();
    std::fs::create_dir_all(folder)?;
    let list = DatasetFeatureStatisticsList { datasets: vec![dataset] };
    std::fs::write(folder.join(statistics::FILE), list.encode_to_vec())?;
    files::write_json(folder.join(reference::FILE), &ReferenceBins { rows, features })
}
