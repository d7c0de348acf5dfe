//! Decides what becomes a model input, from statistics alone.

use crate::Parameters;
use crate::request::Request;
use countersign_formats::model::RawInput;
use countersign_formats::tfmd::statistics::{DatasetFeatureStatistics, FeatureNameStatistics, NumericStatistics};
use countersign_sdk::{Error, Finding, Severity};
use std::collections::BTreeMap;

/// Name of the value that stands for all values without an input of their own.
pub const OTHER: &str = "(other)";
/// Name of the value that stands for none.
pub const MISSING: &str = "(missing)";

/// A number to standardise.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Column.
    pub name: String,
    /// Mean of the split.
    pub mean: f64,
    /// Standard deviation of the split, above zero.
    pub std: f64,
    /// Whether the split has rows without it, so that being absent is an input of its own.
    pub missing: bool,
}

/// A column whose values become inputs, one each.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Column.
    pub name: String,
    /// Values with an input of their own, most frequent first.
    pub values: Vec<String>,
}

/// What becomes of the columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Numbers.
    pub numbers: Vec<Number>,
    /// Text and categories.
    pub categories: Vec<Category>,
    /// Columns that say nothing, each with the reason.
    pub dropped: Vec<(String, String)>,
}

impl Plan {
    /// The raw columns that the graph reads.
    pub fn inputs(&self) -> Vec<RawInput> {
        let numbers = self.numbers.iter().map(|n| RawInput { name: n.name.clone(), text: false });
        numbers.chain(self.categories.iter().map(|c| RawInput { name: c.name.clone(), text: true })).collect()
    }

    /// Names of the model inputs: numbers, then what says that a number is missing, then values.
    pub fn features(&self) -> Vec<String> {
        let mut names: Vec<String> = self.numbers.iter().map(|n| n.name.clone()).collect();
        names.extend(self.numbers.iter().filter(|n| n.missing).map(|n| format!("{} is missing", n.name)));
        for category in &self.categories {
            let values = category.values.iter().map(String::as_str).chain([OTHER, MISSING]);
            names.extend(values.map(|value| format!("{} = {value}", category.name)));
        }
        names
    }

    /// One note a column that was left out.
    pub fn findings(&self) -> Vec<Finding> {
        let finding = |(name, reason): &(String, String)| {
            Finding::new("unused column", Severity::Info, name, format!("`{name}` is no model input: {reason}"))
        };
        self.dropped.iter().map(finding).collect()
    }
}

/// The plan. `counted` holds the frequent values of the columns that the request wants counted.
pub fn plan(
    data: &DatasetFeatureStatistics,
    request: &Request,
    counted: &BTreeMap<String, Vec<(String, u64)>>,
    parameters: &Parameters,
) -> Result<Plan, Error> {
    let mut plan = Plan { dropped: request.left_out.clone(), ..Plan::default() };
    for name in &request.columns {
        let Some(feature) = data.feature(name) else { continue };
        let outcome = match (counted.get(name), feature.numeric()) {
            _ if feature.common().is_none_or(|c| c.num_non_missing == 0) => Err("it has no value"),
            (Some(values), _) => category(feature, values.clone(), parameters).map(|c| plan.categories.push(c)),
            (None, Some(stats)) => number(feature, stats).map(|n| plan.numbers.push(n)),
            (None, None) => category(feature, ranked(feature), parameters).map(|c| plan.categories.push(c)),
        };
        if let Err(reason) = outcome {
            plan.dropped.push((name.clone(), format!("{reason} in the split `{}`", parameters.split)));
        }
    }
    if plan.numbers.is_empty() && plan.categories.is_empty() {
        let reasons: Vec<String> = plan.dropped.iter().map(|(name, reason)| format!("`{name}`: {reason}")).collect();
        return Err(Error::InvalidInput(format!("no column is left to learn from ({})", reasons.join("; "))));
    }
    Ok(plan)
}

fn number(feature: &FeatureNameStatistics, stats: &NumericStatistics) -> Result<Number, &'static str> {
    // An infinite value makes the deviation infinite or NaN where it was counted in.
    if !(stats.std_dev.is_finite() && stats.mean.is_finite()) {
        return Err("it has no finite mean and deviation");
    }
    if stats.std_dev <= 0.0 {
        return Err("it has a single value");
    }
    let nan = stats.histograms.iter().any(|h| h.num_nan > 0);
    let missing = nan || feature.common().is_some_and(|c| c.num_missing > 0);
    Ok(Number { name: feature.column(), mean: stats.mean, std: stats.std_dev, missing })
}

fn category(
    feature: &FeatureNameStatistics,
    mut values: Vec<(String, u64)>,
    parameters: &Parameters,
) -> Result<Category, &'static str> {
    let missing = feature.common().is_some_and(|c| c.num_missing > 0);
    let present = feature.common().map_or(0, |c| c.num_non_missing);
    if !missing && values.first().is_some_and(|(_, rows)| *rows >= present) {
        return Err("it has a single value");
    }
    // The two stand-ins must not be mistaken for values; "" is how the graph is told that a text is missing.
    values.retain(|(value, rows)| *rows >= parameters.min_frequency && !["", OTHER, MISSING].contains(&value.as_str()));
    // A frequent value comes first; equally frequent ones in order of text, so that the same data gives the same graph.
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(parameters.vocabulary_size as usize);
    if values.is_empty() && !missing {
        return Err("it has no value that occurs often enough (`min_frequency`)");
    }
    Ok(Category { name: feature.column(), values: values.into_iter().map(|(value, _)| value).collect() })
}

fn ranked(feature: &FeatureNameStatistics) -> Vec<(String, u64)> {
    let buckets =
        feature.text().and_then(|t| t.rank_histogram.as_ref()).map(|r| r.buckets.as_slice()).unwrap_or_default();
    buckets.iter().map(|bucket| (bucket.label.clone(), bucket.sample_count as u64)).collect()
}

#[cfg(test)]
mod tests;
