//! A metric's value on some examples, with each example's influence on it: enough for a margin, and for the margin of the
//! difference of two models measured on the same examples. Knows no files and no slices, only row numbers.
//!
//! All but two metrics are a ratio of two sums, so one linearisation serves them; `auc` has DeLong's placements (exact for two
//! classes); `pr_auc` has a value only. What is not defined is `None`, never NaN.

use crate::metric::Metric;

/// One model's probabilities of every example, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Classes, two or more.
    pub classes: usize,
    /// `classes` numbers an example.
    pub probabilities: Vec<f32>,
}

impl Predictions {
    /// The probabilities of one example.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.probabilities[row * self.classes..(row + 1) * self.classes]
    }

    /// The most probable class; the first of equals, so exactly 0.5 is not a positive.
    pub fn predicted(&self, row: usize) -> usize {
        let row = self.row(row);
        (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
    }
}

/// A model's answers on some of the examples.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Class of every example.
    pub labels: &'a [usize],
    /// Probabilities of every example.
    pub predictions: &'a Predictions,
    /// The examples meant.
    pub rows: &'a [usize],
}

/// A value and how much each of the view's rows moved it. The influences sum to about 0; their squares to the variance.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The metric.
    pub value: f64,
    /// In the order of the view's rows; none for `pr_auc`.
    pub influence: Option<Vec<f64>>,
}

/// Two-sided 95 % of the normal distribution.
pub const Z95: f64 = 1.959_963_984_540_054;

/// A metric on a view; none where it is not defined: no examples, one class only, nothing predicted positive.
pub fn estimate(metric: Metric, view: &View<'_>) -> Option<Estimate> {
    match metric {
        Metric::Auc => mean(one_against_rest(view).filter_map(|class| auc(view, class))),
        Metric::PrAuc => mean(one_against_rest(view).filter_map(|class| average_precision(view, class))),
        Metric::Accuracy => ratio(view, |row| (f64::from(view.predictions.predicted(row) == view.labels[row]), 1.0)),
        Metric::LogLoss => {
            ratio(view, |row| (-f64::from(view.predictions.row(row)[view.labels[row]]).max(1e-15).ln(), 1.0))
        }
        Metric::Calibration if view.predictions.classes == 2 => {
            ratio(view, |row| (f64::from(view.predictions.row(row)[1]), f64::from(view.labels[row] == 1)))
        }
        Metric::Calibration => ratio(view, |row| {
            let predicted = view.predictions.predicted(row);
            (f64::from(view.predictions.row(row)[predicted]), f64::from(predicted == view.labels[row]))
        }),
        Metric::Precision => confusion(view, |hit, called, _| (hit, called)),
        Metric::Recall => confusion(view, |hit, _, actual| (hit, actual)),
        Metric::F1 => confusion(view, |hit, called, actual| (2.0 * hit, called + actual)),
    }
}

/// The 95 % half-width of a metric, by [`margin_method`]. None where it can not be estimated: a slice
/// where every pair is ordered rightly has no spread to estimate from.
pub fn margin(metric: Metric, estimate: &Estimate, examples: usize) -> Option<f64> {
    if metric == Metric::Accuracy {
        return Some(wilson(estimate.value, examples as f64));
    }
    let variance: f64 = estimate.influence.as_ref()?.iter().map(|influence| influence * influence).sum();
    (variance > 0.0).then(|| Z95 * variance.sqrt())
}

/// How [`margin`] computes it.
pub fn margin_method(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::Auc => Some("DeLong"),
        Metric::PrAuc => None,
        Metric::Accuracy => Some("Wilson"),
        Metric::Precision | Metric::Recall | Metric::F1 | Metric::LogLoss | Metric::Calibration => {
            Some("ratio of sums")
        }
    }
}

/// The standard error of candidate minus baseline on the same examples: what both get wrong alike cancels.
pub fn change_error(candidate: &Estimate, baseline: &Estimate) -> Option<f64> {
    let pairs = candidate.influence.as_ref()?.iter().zip(baseline.influence.as_ref()?);
    let variance: f64 = pairs.map(|(ours, theirs)| (ours - theirs).powi(2)).sum();
    Some(variance.sqrt())
}

fn wilson(share: f64, examples: f64) -> f64 {
    let z2 = Z95 * Z95 / examples;
    Z95 * (share * (1.0 - share) / examples + z2 / (4.0 * examples)).sqrt() / (1.0 + z2)
}

/// The classes that are scored against the others: the positive one of two, else all.
fn one_against_rest(view: &View<'_>) -> impl Iterator<Item = usize> + use<> {
    let classes = view.predictions.classes;
    if classes == 2 { 1..2 } else { 0..classes }
}

/// The mean of the classes' estimates; none without any.
fn mean(estimates: impl Iterator<Item = Estimate>) -> Option<Estimate> {
    let mut count = 0.0;
    let sum = estimates.reduce(|left, right| {
        count += 1.0;
        let influence = left.influence.zip(right.influence);
        Estimate {
            value: left.value + right.value,
            influence: influence.map(|(left, right)| left.iter().zip(right).map(|(a, b)| a + b).collect()),
        }
    })?;
    count += 1.0;
    Some(Estimate {
        value: sum.value / count,
        influence: sum.influence.map(|influence| influence.iter().map(|one| one / count).collect()),
    })
}

/// A ratio of two sums over the rows, linearised: d(A/B) = (a - A/B b) / B.
fn ratio(view: &View<'_>, terms: impl Fn(usize) -> (f64, f64)) -> Option<Estimate> {
    let terms: Vec<(f64, f64)> = view.rows.iter().map(|&row| terms(row)).collect();
    let (above, below) = terms.iter().fold((0.0, 0.0), |(above, below), (a, b)| (above + a, below + b));
    if below == 0.0 {
        return None;
    }
    let value = above / below;
    Some(Estimate { value, influence: Some(terms.iter().map(|(a, b)| (a - value * b) / below).collect()) })
}

/// A ratio of counts a class, from (right, called so, is so). With more than two classes a class that is called but never is, or
/// is but never called, counts 0 (as scikit-learn's `zero_division=0`), and one that does neither is left out.
fn confusion(view: &View<'_>, terms: impl Fn(f64, f64, f64) -> (f64, f64)) -> Option<Estimate> {
    let classes = view.predictions.classes;
    mean(one_against_rest(view).filter_map(|class| {
        let of = |row: usize| (view.predictions.predicted(row) == class, view.labels[row] == class);
        let found = ratio(view, |row| {
            let (called, actual) = of(row);
            terms(f64::from(called && actual), f64::from(called), f64::from(actual))
        });
        let appears = || view.rows.iter().any(|&row| of(row) != (false, false));
        let zero = || Estimate { value: 0.0, influence: Some(vec![0.0; view.rows.len()]) };
        found.or_else(|| (classes > 2 && appears()).then(zero))
    }))
}

/// Positions in the view by falling score, in groups of equal score.
fn by_score(view: &View<'_>, class: usize) -> (Vec<f32>, Vec<usize>) {
    let scores: Vec<f32> = view.rows.iter().map(|&row| view.predictions.row(row)[class]).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[right].total_cmp(&scores[left]));
    (scores, order)
}

/// The area under the ROC curve and DeLong's placements: for a positive the share of negatives below it, for a negative the share
/// of positives above it, ties half. The factor n/(n-1) makes the sum of squares DeLong's variance exactly.
fn auc(view: &View<'_>, class: usize) -> Option<Estimate> {
    let is_positive = |position: usize| view.labels[view.rows[position]] == class;
    let positives = (0..view.rows.len()).filter(|&position| is_positive(position)).count() as f64;
    let negatives = view.rows.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let (scores, order) = by_score(view, class);
    let mut placement = vec![0.0; order.len()];
    let (mut positives_above, mut negatives_above, mut total) = (0.0, 0.0, 0.0);
    for group in order.chunk_by(|&left, &right| scores[left] == scores[right]) {
        let tied_positives = group.iter().filter(|&&position| is_positive(position)).count() as f64;
        let tied_negatives = group.len() as f64 - tied_positives;
        for &position in group {
            placement[position] = if is_positive(position) {
                (negatives - negatives_above - tied_negatives / 2.0) / negatives
            } else {
                (positives_above + tied_positives / 2.0) / positives
            };
            total += if is_positive(position) { placement[position] } else { 0.0 };
        }
        positives_above += tied_positives;
        negatives_above += tied_negatives;
    }
    let value = total / positives;
    let weight = |size: f64| 1.0 / (size * (size - 1.0)).sqrt();
    let influence = (positives > 1.0 && negatives > 1.0).then(|| {
        let scaled = |(position, placement): (usize, &f64)| {
            (placement - value) * weight(if is_positive(position) { positives } else { negatives })
        };
        placement.iter().enumerate().map(scaled).collect()
    });
    Some(Estimate { value, influence })
}

/// Sum over the thresholds of precision times the gain in recall; equal scores are one threshold.
fn average_precision(view: &View<'_>, class: usize) -> Option<Estimate> {
    let (scores, order) = by_score(view, class);
    let is_positive = |position: &&usize| view.labels[view.rows[**position]] == class;
    let positives = order.iter().filter(is_positive).count() as f64;
    if positives == 0.0 || positives == order.len() as f64 {
        return None;
    }
    let (mut hits, mut called, mut area) = (0.0, 0.0, 0.0);
    for group in order.chunk_by(|&left, &right| scores[left] == scores[right]) {
        let gained = group.iter().filter(is_positive).count() as f64;
        hits += gained;
        called += group.len() as f64;
        area += gained / positives * hits / called;
    }
    Some(Estimate { value: area, influence: None })
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
