//! Measures one cut of the examples, and compares cuts with the live model. Knows predictions and labels, no files.

use crate::estimate::{Estimate, Predictions, View, Z95, change_error, estimate, margin};
use crate::metric::Metric;
use crate::slices::{Cut, Standing, worst_first};
use crate::wording::{change, name, number, thousands};
use countersign_formats::evaluation::Slice;
use countersign_sdk::{Finding, Severity};
use std::collections::BTreeMap;

/// What is measured, and how.
#[derive(Debug, Clone, Copy)]
pub struct Measurement<'a> {
    /// Class of every example.
    pub labels: &'a [usize],
    /// The candidate's answers.
    pub candidate: &'a Predictions,
    /// The live model's answers.
    pub baseline: Option<&'a Predictions>,
    /// The metric that gets margins.
    pub headline: Metric,
    /// Fewer examples are small.
    pub min_examples: u64,
}

type Metrics = BTreeMap<String, Option<f64>>;

impl Measurement<'_> {
    /// All examples.
    pub fn overall(&self) -> Slice {
        let rows: Vec<usize> = (0..self.labels.len()).collect();
        self.slice(None, None, &rows)
    }

    /// Every cut, worst candidate first, small ones last.
    pub fn slices(&self, cuts: &[Cut]) -> Vec<Slice> {
        let measured = cuts.iter().map(|cut| self.slice(Some(&cut.column), Some(&cut.value), &cut.rows));
        let mut ranked: Vec<(Standing, Slice)> = measured.map(|slice| (self.standing(&slice), slice)).collect();
        ranked.sort_by(|left, right| {
            worst_first(&left.0, &right.0)
                .then_with(|| (&left.1.column, &left.1.value).cmp(&(&right.1.column, &right.1.value)))
        });
        ranked.into_iter().map(|(_, slice)| slice).collect()
    }

    fn standing(&self, slice: &Slice) -> Standing {
        let value = slice.candidate.get(self.headline.as_str()).copied().flatten();
        let goodness = value.map(|value| self.headline.goodness(value));
        Standing { small: slice.small, goodness, examples: slice.examples }
    }

    fn slice(&self, column: Option<&str>, value: Option<&str>, rows: &[usize]) -> Slice {
        let (candidate, ours) = self.metrics(self.candidate, rows);
        let baseline = self.baseline.map(|predictions| self.metrics(predictions, rows));
        let theirs = baseline.as_ref().and_then(|(_, headline)| headline.as_ref());
        let change = ours.as_ref().zip(theirs).and_then(|(ours, theirs)| change_error(ours, theirs));
        Slice {
            column: column.map(str::to_string),
            value: value.map(str::to_string),
            examples: rows.len() as u64,
            small: (rows.len() as u64) < self.min_examples,
            candidate,
            headline_margin: ours.as_ref().and_then(|ours| margin(self.headline, ours, rows.len())),
            change_margin: change.map(|error| Z95 * error),
            baseline: baseline.map(|(metrics, _)| metrics).unwrap_or_default(),
        }
    }

    /// Every metric's value, and the headline's whole estimate.
    fn metrics(&self, predictions: &Predictions, rows: &[usize]) -> (Metrics, Option<Estimate>) {
        let view = View { labels: self.labels, predictions, rows };
        let mut headline = None;
        let mut metrics = BTreeMap::new();
        for metric in Metric::ALL {
            let estimate = estimate(metric, &view).filter(|estimate| estimate.value.is_finite());
            metrics.insert(metric.to_string(), estimate.as_ref().map(|estimate| estimate.value));
            if metric == self.headline {
                headline = estimate;
            }
        }
        (metrics, headline)
    }
}

/// Warns of a headline that fell by more than chance: overall at 95 %, slices at 95 % over all that are compared, so that a hundred
/// slices of two equal models raise a false alarm in one evaluation of twenty, not five in each.
pub fn regressions(overall: &Slice, slices: &[Slice], headline: Metric) -> Vec<Finding> {
    let compared: Vec<(&Slice, Fall)> = slices
        .iter()
        .filter(|slice| !slice.small)
        .filter_map(|slice| Some((slice, Fall::of(slice, headline)?)))
        .collect();
    let quantile = simultaneous_quantile(compared.len().max(1));
    let overall = Fall::of(overall, headline).filter(|fall| fall.beyond(Z95)).map(|fall| {
        let message = format!("{headline} is worse than the live model's by more than chance explains");
        fall.finding(Finding::new("regression", Severity::Warn, headline.as_str(), message), Z95)
    });
    let slices = compared.iter().filter(|(_, fall)| fall.beyond(quantile)).map(|(slice, fall)| {
        let message = format!(
            "{headline} of {} ({} examples) is worse than the live model's by more than chance explains over {} slices",
            name(slice),
            thousands(slice.examples as usize),
            compared.len()
        );
        fall.finding(Finding::new("slice regression", Severity::Warn, name(slice), message), quantile)
    });
    overall.into_iter().chain(slices).collect()
}

/// The headline of candidate and live model on one slice.
#[derive(Debug, Clone, Copy)]
struct Fall {
    candidate: f64,
    baseline: f64,
    /// How much worse; negative where better.
    worse: f64,
    error: f64,
}

impl Fall {
    fn of(slice: &Slice, headline: Metric) -> Option<Self> {
        let candidate = slice.candidate.get(headline.as_str()).copied().flatten()?;
        let baseline = slice.baseline.get(headline.as_str()).copied().flatten()?;
        let error = slice.change_margin? / Z95;
        Some(Self { candidate, baseline, worse: headline.goodness(baseline) - headline.goodness(candidate), error })
    }

    fn beyond(&self, quantile: f64) -> bool {
        self.worse > 0.0 && self.worse > quantile * self.error
    }

    fn finding(&self, finding: Finding, quantile: f64) -> Finding {
        let margin = quantile * self.error;
        finding
            .expected(format!("no worse than {}, give or take {margin:.4}", number(self.baseline)))
            .seen(format!("{} ({})", number(self.candidate), change(self.candidate - self.baseline)))
            .previous(number(self.baseline))
    }
}

/// The normal quantile that all of `count` two-sided 95 % intervals keep together (Bonferroni; Abramowitz and Stegun 26.2.23, good to
/// 0.0005).
fn simultaneous_quantile(count: usize) -> f64 {
    if count == 1 {
        return Z95;
    }
    let t = (-2.0 * (0.025 / count as f64).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

/// `auc 0.871 (live 0.864, +0.007) · 3,751 rows`.
pub fn summary(overall: &Slice, headline: Metric) -> String {
    let candidate = overall.candidate.get(headline.as_str()).copied().flatten();
    let baseline = overall.baseline.get(headline.as_str()).copied();
    let value = candidate.map_or("not defined".to_string(), |value| format!("{value:.3}"));
    let live = match (candidate, baseline) {
        (_, None) => "no live model".to_string(),
        (Some(candidate), Some(Some(baseline))) => format!("live {baseline:.3}, {:+.3}", candidate - baseline),
        (None, Some(Some(baseline))) => format!("live {baseline:.3}"),
        (_, Some(None)) => "live not defined".to_string(),
    };
    format!("{headline} {value} ({live}) · {} rows", thousands(overall.examples as usize))
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
