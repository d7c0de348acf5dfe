//! What a comparison means: nothing, slight drift, or drift; and how it is told.

use crate::compare::{Comparison, MISSING, Movement};
use crate::issue::Issue;
use crate::parameters::Parameters;
use countersign_formats::tfmd::anomalies::AnomalyType;
use countersign_sdk::{Severity, figures, sql};

/// What the data was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against<'a> {
    /// The previous delivery: drift.
    Previous,
    /// Another split of the same delivery: the split went wrong.
    Split(&'a str),
}

/// How bad the effect is: none where it is within the noise or under every threshold.
pub fn severity(comparison: &Comparison, parameters: &Parameters) -> Option<Severity> {
    let level = |size: f64, noise: f64, warn: f64, block: f64| match size {
        size if size <= noise || size < warn => None,
        size if size < block => Some(Severity::Warn),
        _ => Some(Severity::Block),
    };
    let shape = level(comparison.effect, comparison.noise, parameters.drift_warn, parameters.drift_block);
    match &comparison.movement {
        Movement::Numeric { .. } => shape,
        Movement::Categorical { changed: (_, before, now), noise, .. } => {
            shape.max(level((now - before).abs(), *noise, parameters.share_warn, parameters.share_block))
        }
    }
}

/// The issue, if the comparison is one.
pub fn issue(
    feature: &str,
    split: &str,
    against: Against<'_>,
    comparison: &Comparison,
    parameters: &Parameters,
) -> Option<Issue> {
    let weight = severity(comparison, parameters)?;
    let (kind, weight, verb) = match (against, weight) {
        (Against::Previous, Severity::Block) => ("drift", Severity::Block, "drifted".to_string()),
        (Against::Previous, _) => ("slight drift", Severity::Warn, "drifted a little".to_string()),
        (Against::Split(other), _) => ("split skew", Severity::Warn, format!("differs from `{other}`")),
    };
    let message = format!("{feature} {verb}: {}", told(comparison));
    let (previous, seen) = states(comparison);
    let issue = Issue::of(feature, split, kind, weight, message).figures(expected(comparison, parameters), seen);
    let issue = issue.before(previous);
    Some(issue.look(look(feature, &comparison.movement)).anomaly(anomaly(comparison, parameters)))
}

/// What would have been no drift.
fn expected(comparison: &Comparison, parameters: &Parameters) -> String {
    let effect = figures::number(parameters.drift_warn.max(comparison.noise));
    match &comparison.movement {
        Movement::Numeric { .. } => format!("a divergence under {effect}"),
        Movement::Categorical { noise, .. } => {
            let share = figures::percent(parameters.share_warn.max(*noise));
            format!("a divergence under {effect}, no share changed by {share}")
        }
    }
}

fn anomaly(comparison: &Comparison, parameters: &Parameters) -> AnomalyType {
    if comparison.effect > comparison.noise && comparison.effect >= parameters.drift_warn {
        AnomalyType::ComparatorJensenShannonDivergenceHigh
    } else {
        AnomalyType::ComparatorLInftyHigh
    }
}

/// `effect +0.417 (reference noise 0.0035) · median 7.85 → 16.9`.
fn told(comparison: &Comparison) -> String {
    let sign = match comparison.movement.shifts().map(|shifts| shifts.iter().sum::<f64>()) {
        Some(shift) if shift > 0.0 => "+",
        Some(shift) if shift < 0.0 => "-",
        _ => "",
    };
    let effect = figures::number(comparison.effect);
    let mut text = format!("effect {sign}{effect} (reference noise {})", figures::number(comparison.noise));
    match &comparison.movement {
        Movement::Numeric { before, now, .. } => {
            let at = most_moved(&comparison.movement);
            let name = ["10 % quantile", "median", "90 % quantile"][at];
            text.push_str(&format!(" · {name} {} → {}", figures::number(before[at]), figures::number(now[at])));
        }
        Movement::Categorical { changed: (value, before, now), .. } => {
            text.push_str(&format!(" · {value} {} → {}", figures::percent(*before), figures::percent(*now)));
        }
    }
    let by_missing = matches!(&comparison.movement, Movement::Categorical { changed, .. } if changed.0 == MISSING);
    let missing = comparison.missing.filter(|_| !by_missing);
    for (name, shares) in [("missing", missing), ("NaN", Some(comparison.nan))] {
        if let Some((before, now)) = shares.filter(|(before, now)| (now - before).abs() >= 0.01) {
            text.push_str(&format!(" · {name} {} → {}", figures::percent(before), figures::percent(now)));
        }
    }
    text
}

/// The median, unless it stayed where it was and a tail did not.
fn most_moved(movement: &Movement) -> usize {
    let shifts = movement.shifts().unwrap_or_default().map(f64::abs);
    match shifts {
        [low, median, high] if median < 0.02 && low.max(high) > median => usize::from(high >= low) * 2,
        _ => 1,
    }
}

fn states(comparison: &Comparison) -> (String, String) {
    let numbers = |[low, middle, high]: &[f64; 3]| {
        let [low, middle, high] = [low, middle, high].map(|value| figures::number(*value));
        format!("10 % under {low}, median {middle}, 90 % under {high}")
    };
    match &comparison.movement {
        Movement::Numeric { before, now, .. } => {
            let mut seen = numbers(now);
            if let Some(shift) = comparison.movement.shifts() {
                seen.push_str(&format!(" (median moved by {} of the former spread)", figures::percent(shift[1])));
            }
            (numbers(before), seen)
        }
        Movement::Categorical { changed: (value, before, now), .. } => {
            (format!("{value} {}", figures::percent(*before)), format!("{value} {}", figures::percent(*now)))
        }
    }
}

/// The rows that there are more of.
fn look(feature: &str, movement: &Movement) -> String {
    let column = sql::name(feature);
    match movement {
        Movement::Numeric { gained: (from, to), .. } => {
            let value = format!("CAST({column} AS DOUBLE)");
            let upper = if to.is_finite() { "<" } else { "<=" };
            format!("{value} >= {} AND {value} {upper} {}", sql::number(*from), sql::number(*to))
        }
        Movement::Categorical { gained, .. } if gained == MISSING => format!("{column} IS NULL"),
        Movement::Categorical { gained, .. } => format!("{column} = {}", sql::text(gained)),
    }
}
