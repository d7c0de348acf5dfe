//! `validate`: is this delivery like the ones before, and what the schema says? Finds, names, weighs; the pipeline's policy decides.
//!
//! Statistics against the schema, then distributions against the previous delivery (or, on the first one, of the other splits against
//! the training split). The engine counts on the reference's edges and finds the rows to look at.

mod compare;
mod constraints;
mod distribution;
mod divergence;
mod drift;
#[cfg(test)]
mod drift_tests;
mod issue;
mod parameters;
mod report;
#[cfg(test)]
mod validate_tests;

pub use parameters::Parameters;

use countersign_formats::reference::{self, ReferenceBins};
use countersign_formats::tfmd::anomalies;
use countersign_formats::tfmd::schema::{self, Schema};
use countersign_formats::tfmd::statistics::{self, DatasetFeatureStatistics, DatasetFeatureStatisticsList};
use countersign_formats::tfmd::{Message, anomalies::DriftSkewInfo};
use countersign_sdk::rows::{self, Cell};
use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task};
use countersign_sdk::{files, host, sql};
use distribution::{Compared, Comparing, counting, to_count};
use drift::Against;
use issue::Issue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rows to look at, for each finding.
const ROWS: usize = 5;

/// Features in one statement: the engine limits a statement's length and depth.
const AT_ONCE: usize = 100;

/// One split of a `Statistics` artifact.
struct Split {
    name: String,
    statistics: DatasetFeatureStatistics,
    reference: ReferenceBins,
}

struct Validate;

impl Component for Validate {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new(
            "validate",
            env!("CARGO_PKG_VERSION"),
            "Holds a delivery against the schema and the one before.",
        )
        .input(Port::input("statistics", "Statistics").describe("What this delivery looks like."))
        .input(Port::input("schema", "Schema").describe("What it has to be like."))
        .input(Port::input("examples", "Examples").describe("Its rows."))
        .input(Port::input("previous", "Statistics").optional().describe("What the delivery before looked like."))
        .output(Port::output("anomalies", "Anomalies").describe("What is wrong, one folder a split."))
        .capability(Capability::Query)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        let now = splits(&task.input("statistics")?)?;
        let previous = task.optional_input("previous").map(|folder| splits(&folder)).transpose()?;
        let schema = read_schema(&task.input("schema")?)?;
        let train = split_named(&now, &parameters.split)?;
        let before = previous.as_deref().map(|splits| split_named(splits, &parameters.split)).transpose()?;
        check_ignored(&parameters, &schema, train)?;
        let mut issues = constraint_issues(&schema, &now, before.unwrap_or(train), &parameters);
        issues.extend(row_issues(&schema, &now, previous.as_deref(), &parameters));
        let compared = match before {
            Some(before) => vec![(train, compare(before, train, Against::Previous, &issues, &parameters)?)],
            None => compare_splits(train, &now, &issues, &parameters)?,
        };
        let mut measured: BTreeMap<&str, Vec<DriftSkewInfo>> = BTreeMap::new();
        for (split, compared) in compared {
            issues.extend(compared.issues);
            measured.insert(&split.name, compared.measured);
        }
        write(&task.output("anomalies")?, &schema, &now, &issues, &measured)?;
        outcome(&issues, &now)
    }
}

countersign_sdk::export!(Validate);

fn splits(folder: &Path) -> Result<Vec<Split>, Error> {
    let unreadable =
        |path: &Path, error: &dyn std::fmt::Display| Error::InvalidInput(format!("read {}: {error}", path.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry?;
        if entry.path().join(statistics::FILE).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let read = |name: String| {
        let file = folder.join(&name).join(statistics::FILE);
        let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
        let list = DatasetFeatureStatisticsList::decode(bytes.as_slice()).map_err(|error| unreadable(&file, &error))?;
        let statistics = list.datasets.into_iter().next().ok_or_else(|| unreadable(&file, &"it holds no dataset"))?;
        let reference = files::read_json(folder.join(&name).join(reference::FILE))?;
        Ok(Split { name, statistics, reference })
    };
    names.into_iter().map(read).collect()
}

fn read_schema(folder: &Path) -> Result<Schema, Error> {
    let file = folder.join(schema::FILE);
    let unreadable = |error: &dyn std::fmt::Display| Error::InvalidInput(format!("read {}: {error}", file.display()));
    let bytes = std::fs::read(&file).map_err(|error| unreadable(&error))?;
    Schema::decode(bytes.as_slice()).map_err(|error| unreadable(&error))
}

fn split_named<'a>(splits: &'a [Split], name: &str) -> Result<&'a Split, Error> {
    splits.iter().find(|split| split.name == name).ok_or_else(|| {
        let names: Vec<&str> = splits.iter().map(|split| split.name.as_str()).collect();
        Error::InvalidInput(format!("`split` is `{name}`, but the statistics have {}", names.join(", ")))
    })
}

/// A misspelt name would look like a feature that never drifts.
fn check_ignored(parameters: &Parameters, schema: &Schema, train: &Split) -> Result<(), Error> {
    let known = |name: &String| schema.feature(name).is_some() || train.statistics.feature(name).is_some();
    match parameters.ignore_drift.iter().find(|name| !known(name)) {
        Some(name) => Err(Error::InvalidInput(format!("`ignore_drift` names `{name}`, which is no feature"))),
        None => Ok(()),
    }
}

fn constraint_issues(schema: &Schema, now: &[Split], basis: &Split, parameters: &Parameters) -> Vec<Issue> {
    let usual = |name: &str| {
        let missing = distribution::missing(basis.reference.features.get(name)?);
        Some(1.0 - missing as f64 / basis.reference.rows.max(1) as f64)
    };
    let of = |split: &Split| constraints::check(schema, &split.name, &split.statistics, &usual, parameters);
    now.iter().flat_map(of).collect()
}

fn row_issues(schema: &Schema, now: &[Split], before: Option<&[Split]>, parameters: &Parameters) -> Vec<Issue> {
    let rows = |splits: &[Split]| splits.iter().map(|split| split.reference.rows).sum();
    let constraints = schema.dataset_constraints.as_ref();
    let comparator = constraints.and_then(|constraints| constraints.num_examples_drift_comparator);
    let fraction = comparator.and_then(|comparator| comparator.min_fraction_threshold);
    let least = constraints.and_then(|constraints| constraints.min_examples_count);
    let fraction = fraction.unwrap_or(parameters.min_rows_fraction);
    distribution::rows(&parameters.split, rows(now), before.map(rows), least, fraction)
}

/// On the first delivery the only reference is the delivery itself: a bad split shows.
fn compare_splits<'a>(
    train: &'a Split,
    now: &'a [Split],
    issues: &[Issue],
    parameters: &Parameters,
) -> Result<Vec<(&'a Split, Compared)>, Error> {
    let others = now.iter().filter(|split| split.name != train.name);
    others.map(|split| Ok((split, compare(train, split, Against::Split(&train.name), issues, parameters)?))).collect()
}

fn compare(
    before: &Split,
    now: &Split,
    against: Against<'_>,
    issues: &[Issue],
    parameters: &Parameters,
) -> Result<Compared, Error> {
    let settled = ["empty feature", "missing column", "type change", "new column"];
    let told = issues.iter().filter(|issue| settled.contains(&issue.kind) && issue.splits.contains(&now.name));
    let skip: BTreeSet<String> =
        told.filter_map(|issue| issue.feature.clone()).chain(parameters.ignore_drift.iter().cloned()).collect();
    let features = to_count(&before.reference, &now.reference, &skip);
    let mut counted: BTreeMap<String, Vec<u64>> =
        features.iter().map(|(name, edges)| ((*name).to_string(), vec![0; edges.len() + 1])).collect();
    host::progress(0, features.len() as u64, "features", &format!("counting {}", now.name));
    for features in features.chunks(AT_ONCE) {
        for row in rows::rows(&counting(&sql::table("examples", &now.name), features))? {
            let [feature, bin, rows] = row.as_slice() else { continue };
            let counts = features.get(feature.count() as usize).and_then(|(name, _)| counted.get_mut(*name));
            if let Some(count) = counts.and_then(|counts| counts.get_mut(bin.count() as usize)) {
                *count = rows.count();
            }
        }
    }
    let (before, now, split) = (&before.reference, &now.reference, now.name.as_str());
    Ok(Comparing { before, now, counted: &counted, split, against, skip: &skip }.all(parameters))
}

fn write(
    output: &Path,
    schema: &Schema,
    now: &[Split],
    issues: &[Issue],
    measured: &BTreeMap<&str, Vec<DriftSkewInfo>>,
) -> Result<(), Error> {
    for split in now {
        let measured = measured.get(split.name.as_str()).map_or(&[][..], Vec::as_slice);
        let folder = output.join(&split.name);
        std::fs::create_dir_all(&folder)?;
        let message = report::anomalies(schema, &split.name, issues, measured);
        std::fs::write(folder.join(anomalies::FILE), message.encode_to_vec())?;
    }
    Ok(())
}

fn outcome(issues: &[Issue], now: &[Split]) -> Result<Outcome, Error> {
    let merged = report::merged(issues);
    let names: Vec<&str> = now.iter().map(|split| split.name.as_str()).collect();
    let features = now.iter().map(|split| split.statistics.features.len()).max().unwrap_or(0);
    let summary = report::summary(&merged, now.len(), &format!("{features} features in {}", names.join(" and ")));
    let mut findings = Vec::new();
    for issue in &merged {
        findings.push(report::finding(issue, now.len(), rows_to_look_at(issue)?));
    }
    host::metric("findings", findings.len() as f64);
    Ok(Outcome::new(summary).with(findings))
}

fn rows_to_look_at(issue: &Issue) -> Result<Vec<u64>, Error> {
    let Some(condition) = &issue.look else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    for split in &issue.splits {
        let table = sql::table("examples", split);
        let sql = format!("SELECT \"_line\" FROM {table} WHERE {condition} ORDER BY \"_line\" LIMIT {ROWS}");
        lines.extend(rows::rows(&sql)?.iter().filter_map(|row| row.first()).map(Cell::count));
    }
    lines.sort_unstable();
    lines.truncate(ROWS);
    Ok(lines)
}
