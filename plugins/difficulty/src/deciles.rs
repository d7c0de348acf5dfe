//! What the scores are worth: errors by decile of the score, the direction read off that table, overlap with AUM, and the examples
//! that look mislabelled. Knows scores, no gradients.
//!
//! The direction is measured every time because it does turn round: the same score that ranks hard examples high late in training
//! ranks them low early on.

use crate::neighbours::Neighbours;
use countersign_formats::difficulty::{FLIPPED, HIGH_IS_HARD, NO_ORDER};

/// Examples and errors of one decile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decile {
    /// Examples.
    pub examples: usize,
    /// Of them predicted wrongly at the last checkpoint.
    pub errors: usize,
}

impl Decile {
    /// Errors per example.
    pub fn error(&self) -> f64 {
        if self.examples == 0 { 0.0 } else { self.errors as f64 / self.examples as f64 }
    }
}

/// Examples by rising score; equal scores by position.
pub fn ranked(scores: impl Iterator<Item = f64>) -> Vec<usize> {
    let scores: Vec<f64> = scores.collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    order
}

/// Where each tenth of so many begins; the last number is the end.
fn bounds(examples: usize) -> [usize; 11] {
    std::array::from_fn(|tenth| tenth * examples / 10)
}

/// The highest tenth of a ranking: at least one example, when there is any.
pub fn highest_tenth(order: &[usize]) -> &[usize] {
    &order[bounds(order.len())[9]..]
}

/// Errors by decile, lowest first; nothing with fewer than ten examples.
pub fn table(order: &[usize], wrong: &[bool]) -> Vec<Decile> {
    if order.len() < 10 {
        return Vec::new();
    }
    let decile = |ends: &[usize]| {
        let members = &order[ends[0]..ends[1]];
        Decile { examples: members.len(), errors: members.iter().filter(|&&row| wrong[row]).count() }
    };
    bounds(order.len()).windows(2).map(decile).collect()
}

/// The least rank correlation of decile and error that counts as an order.
const LEAST_CORRELATION: f64 = 0.4;

/// The direction and why. `high = hard` or `flipped` need two things at once: the rank correlation of decile and error rate is at
/// least 0.4 that way, and highest and lowest decile differ that way by more than chance (two proportions, 95 %). A U-shape passes
/// neither.
pub fn direction(table: &[Decile]) -> (&'static str, String) {
    let (Some(lowest), Some(highest)) = (table.first(), table.last()) else {
        return (NO_ORDER, "fewer than ten examples".to_string());
    };
    if table.iter().all(|decile| decile.errors == 0) {
        return (NO_ORDER, "no example is predicted wrongly".to_string());
    }
    let correlation = rank_correlation(&table.iter().map(Decile::error).collect::<Vec<_>>());
    let z = difference_in_errors(lowest, highest);
    let reason = format!(
        "error {:.1} % in the lowest tenth, {:.1} % in the highest (z {z:+.1}), rank correlation of tenth and error {correlation:+.2}",
        100.0 * lowest.error(),
        100.0 * highest.error()
    );
    let direction = if correlation >= LEAST_CORRELATION && z > 1.96 {
        HIGH_IS_HARD
    } else if correlation <= -LEAST_CORRELATION && z < -1.96 {
        FLIPPED
    } else {
        NO_ORDER
    };
    (direction, reason)
}

/// Highest minus lowest error rate in standard errors of the pooled rate; 0 where both are all right or all wrong.
fn difference_in_errors(lowest: &Decile, highest: &Decile) -> f64 {
    let (low, high) = (lowest.examples as f64, highest.examples as f64);
    let pooled = (lowest.errors + highest.errors) as f64 / (low + high);
    let error = (pooled * (1.0 - pooled) * (1.0 / low + 1.0 / high)).sqrt();
    if error > 0.0 { (highest.error() - lowest.error()) / error } else { 0.0 }
}

/// Spearman's correlation of values with their position, ties by mean rank; 0 when all are equal.
fn rank_correlation(values: &[f64]) -> f64 {
    let ranks: Vec<f64> = values
        .iter()
        .map(|value| {
            let below = values.iter().filter(|other| *other < value).count() as f64;
            let equal = values.iter().filter(|other| *other == value).count() as f64;
            below + (equal - 1.0) / 2.0
        })
        .collect();
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut both, mut positions, mut ranked) = (0.0, 0.0, 0.0);
    for (position, rank) in ranks.iter().enumerate() {
        let (position, rank) = (position as f64 - middle, rank - middle);
        both += position * rank;
        positions += position * position;
        ranked += rank * rank;
    }
    if ranked > 0.0 { both / (positions * ranked).sqrt() } else { 0.0 }
}

/// Share of one ranking's highest tenth that is in the other's too.
pub fn overlap(order: &[usize], other: &[usize]) -> f64 {
    let (mine, theirs) = (highest_tenth(order), highest_tenth(other));
    if mine.is_empty() {
        return 0.0;
    }
    let both = mine.iter().filter(|row| theirs.contains(row)).count();
    both as f64 / mine.len() as f64
}

/// Examples that look mislabelled, highest mean loss first. All of these have to hold: the mean margin is below 0 (the model prefers
/// another label over training as a whole); the margin is among the lowest 2 %, and the mean loss among the highest 2 %; and the
/// mean loss is above ln(5 C), that is, the label's typical probability is under a fifth of chance. The last one lets the answer be
/// none on clean data, where the worst 2 % are merely the hardest.
pub fn suspects(scores: &[Neighbours], classes: usize) -> Vec<usize> {
    let tail = scores.len().div_ceil(50);
    let by_loss = ranked(scores.iter().map(|score| -score.mean_loss));
    let by_margin = ranked(scores.iter().map(|score| score.aum));
    let mut low_margin = vec![false; scores.len()];
    by_margin.iter().take(tail).for_each(|&row| low_margin[row] = true);
    let far_from_chance = (5.0 * classes as f64).ln();
    by_loss
        .into_iter()
        .take(tail)
        .filter(|&row| low_margin[row] && scores[row].aum < 0.0 && scores[row].mean_loss > far_from_chance)
        .collect()
}

#[cfg(test)]
#[path = "deciles_tests.rs"]
mod tests;
