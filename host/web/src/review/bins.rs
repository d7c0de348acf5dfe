//! One feature of several datasets on common cells, so that their shapes can be laid over one another.
//!
//! Every dataset has bins on its own quantiles. Numbers are drawn on twelve cells that the first dataset spans: ten of equal width between
//! its 5 % and 95 % quantiles and one tail on either side. Between the edges of another dataset's bins its values are taken to be spread evenly.

use countersign_formats::reference::FeatureReference;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Cells between the tails.
const WIDTHS: u32 = 10;
/// A feature with no more edges than this is drawn on its own bins: they are exact.
const FEW: usize = 11;
/// Texts drawn; the others together are one cell.
const TEXTS: usize = 8;
/// What tells any two numbers apart.
const MOST_DIGITS: usize = 17;

/// One dataset's values of one feature.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Series {
    /// `train`, `eval`, `previous`.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Shares by cell; the same cells in every series of a feature.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cell {
    /// What is in it: `3.2 to 4.5`, `Cash`, `(missing)`.
    pub label: String,
    /// Share of the rows, 0 to 1.
    pub share: f64,
}

/// The same feature of several datasets on common cells, or nothing when they are of different types or there is none.
pub(super) fn common(datasets: &[(&str, &FeatureReference)]) -> Vec<Series> {
    let Some((_, first)) = datasets.first() else { return Vec::new() };
    match first {
        FeatureReference::Numeric { edges, .. } => {
            let points = points(edges);
            datasets.iter().filter_map(|(name, reference)| numeric(name, reference, &points)).collect()
        }
        FeatureReference::Categorical { .. } => {
            let texts = texts(datasets);
            datasets.iter().filter_map(|(name, reference)| categorical(name, reference, &texts)).collect()
        }
    }
}

/// The inner edges to draw on.
fn points(edges: &[f64]) -> Vec<f64> {
    match (edges.first(), edges.last()) {
        (Some(low), Some(high)) if edges.len() > FEW && high > low => {
            let width = (high - low) / f64::from(WIDTHS);
            (0..=WIDTHS).map(|step| low + width * f64::from(step)).collect()
        }
        _ => edges.to_vec(),
    }
}

fn numeric(name: &str, reference: &FeatureReference, points: &[f64]) -> Option<Series> {
    let FeatureReference::Numeric { missing, nan, edges, counts, .. } = reference else { return None };
    let valued: u64 = counts.iter().sum();
    let rows = valued + missing + nan;
    let mut shares = Vec::with_capacity(points.len() + 1);
    let mut below = 0.0;
    for point in points {
        let now = count_below(edges, counts, *point);
        shares.push(now - below);
        below = now;
    }
    shares.push(real(valued) - below);
    let edges = written(points);
    let mut cells: Vec<Cell> = shares
        .into_iter()
        .enumerate()
        .map(|(at, count)| Cell { label: between(&edges, at), share: share(count, rows) })
        .collect();
    cells.push(Cell { label: "(missing)".to_string(), share: share(real(missing + nan), rows) });
    Some(Series { name: name.to_string(), rows, cells })
}

/// Values below `point`. The outer bins have no outer edge; they are taken to be as wide as their neighbours.
fn count_below(edges: &[f64], counts: &[u64], point: f64) -> f64 {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return 0.0 };
    let lower = first - edges.get(1).map_or(1.0, |next| next - first);
    let upper = last + edges.iter().rev().nth(1).map_or(1.0, |before| last - before);
    let starts = std::iter::once(&lower).chain(edges);
    let ends = edges.iter().chain(std::iter::once(&upper));
    let parts = starts.zip(ends).map(|(start, end)| ((point - start) / (end - start)).clamp(0.0, 1.0));
    parts.zip(counts).map(|(part, count)| part * real(*count)).sum()
}

/// The most frequent values over all datasets together, each dataset weighing the same.
fn texts(datasets: &[(&str, &FeatureReference)]) -> Vec<String> {
    let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
    for (_, reference) in datasets {
        if let FeatureReference::Categorical { values, .. } = reference {
            let all: u64 = values.values().sum();
            for (value, count) in values {
                *weights.entry(value).or_default() += share(real(*count), all);
            }
        }
    }
    let mut weights: Vec<(&str, f64)> = weights.into_iter().collect();
    weights.sort_by(|(left, a), (right, b)| b.total_cmp(a).then_with(|| left.cmp(right)));
    weights.into_iter().take(TEXTS).map(|(value, _)| value.to_string()).collect()
}

fn categorical(name: &str, reference: &FeatureReference, texts: &[String]) -> Option<Series> {
    let FeatureReference::Categorical { missing, values, other } = reference else { return None };
    let valued: u64 = values.values().sum::<u64>() + other;
    let rows = valued + missing;
    let mut shown = 0;
    let mut cells = Vec::with_capacity(texts.len() + 2);
    for text in texts {
        let count = values.get(text).copied().unwrap_or(0);
        shown += count;
        cells.push(Cell { label: text.clone(), share: share(real(count), rows) });
    }
    cells.push(Cell { label: "(other)".to_string(), share: share(real(valued - shown), rows) });
    cells.push(Cell { label: "(missing)".to_string(), share: share(real(*missing), rows) });
    Some(Series { name: name.to_string(), rows, cells })
}

fn between(edges: &[String], at: usize) -> String {
    let before = at.checked_sub(1).and_then(|before| edges.get(before));
    match (before, edges.get(at)) {
        (None, Some(to)) => format!("under {to}"),
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("{from} and more"),
        (None, None) => "any value".to_string(),
    }
}

/// Edges with as many digits as it takes to tell each from the next: three, or more.
fn written(points: &[f64]) -> Vec<String> {
    let all = |digits: usize| -> Vec<String> { points.iter().map(|point| number(*point, digits)).collect() };
    let differ = |edges: &Vec<String>| edges.windows(2).all(|pair| pair[0] != pair[1]);
    (3..MOST_DIGITS).map(all).find(differ).unwrap_or_else(|| all(MOST_DIGITS))
}

/// So many significant digits, without a tail of zeros; whole numbers below a million as they are.
fn number(value: f64, digits: usize) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e6 {
        return format!("{value:.0}");
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:.*e}", digits - 1);
    }
    let powers = [0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5];
    let decimals = (digits + 2).saturating_sub(powers.iter().filter(|power| size >= **power).count());
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

fn share(count: f64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { (count / real(of)).clamp(0.0, 1.0) }
}

/// Counts of rows stay far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(edges: Vec<f64>, counts: Vec<u64>, missing: u64) -> FeatureReference {
        FeatureReference::Numeric { missing, nan: 0, edges, counts, p10: 0.0, p50: 0.0, p90: 0.0 }
    }

    #[test]
    fn equal_data_on_other_bins_looks_equal() {
        // 100 values spread evenly over 0..100: once in twenty bins, once in five.
        let fine = numbers((1..20).map(|step| f64::from(step) * 5.0).collect(), vec![5; 20], 0);
        let coarse = numbers((1..5).map(|step| f64::from(step) * 20.0).collect(), vec![20; 5], 0);
        let series = common(&[("train", &fine), ("previous", &coarse)]);
        assert_eq!(series[0].cells.len(), 13, "ten, two tails, missing");
        for (train, previous) in series[0].cells.iter().zip(&series[1].cells) {
            assert_eq!(train.label, previous.label);
            assert!((train.share - previous.share).abs() < 1e-9, "{} {} {}", train.label, train.share, previous.share);
        }
        let all: f64 = series[0].cells.iter().map(|cell| cell.share).sum();
        assert!((all - 1.0).abs() < 1e-9);
    }

    #[test]
    fn edges_are_told_apart_with_no_more_digits_than_it_takes() {
        assert_eq!(written(&[41.880_994, 41.892_042, 41.922_686]), ["41.88", "41.89", "41.92"]);
        assert_eq!(written(&[17_031_010_000.0, 17_031_320_000.0]), ["1.70310e10", "1.70313e10"]);
        assert_eq!(written(&[0.0, 0.25, 12.5, 1500.0]), ["0", "0.25", "12.5", "1500"]);
        assert_eq!(written(&[0.001_23, 0.5]), ["0.00123", "0.5"]);
        assert_eq!(written(&[1e-9, 2e-9]), ["1.00e-9", "2.00e-9"]);
        assert_eq!(written(&[0.0, -0.0, 1.0]).len(), 3);
    }

    #[test]
    fn data_that_moved_ends_up_in_the_tail() {
        let before = numbers((1..20).map(f64::from).collect(), vec![5; 20], 0);
        let after = numbers((101..120).map(f64::from).collect(), vec![5; 20], 100);
        let series = common(&[("train", &before), ("previous", &after)]);
        let tail = &series[1].cells[11];
        assert_eq!((tail.label.as_str(), tail.share), ("19 and more", 0.5));
        assert_eq!(series[1].cells[12].share, 0.5, "the rest is missing");
    }

    #[test]
    fn few_values_keep_their_own_bins_and_texts_their_names() {
        let few = numbers(vec![1.0, 2.0], vec![1, 2, 1], 0);
        let labels: Vec<String> = common(&[("train", &few)])[0].cells.iter().map(|cell| cell.label.clone()).collect();
        assert_eq!(labels, ["under 1", "1 to 2", "2 and more", "(missing)"]);
        let shares: Vec<f64> = common(&[("train", &few)])[0].cells.iter().map(|cell| cell.share).collect();
        assert_eq!(shares, [0.25, 0.5, 0.25, 0.0]);
        let constant = numbers(vec![], vec![3], 1);
        assert_eq!(common(&[("train", &constant)])[0].cells[0].label, "any value");
        let text = |values: &[(&str, u64)]| FeatureReference::Categorical {
            missing: 0,
            values: values.iter().map(|(value, count)| ((*value).to_string(), *count)).collect(),
            other: 2,
        };
        let series = common(&[("train", &text(&[("a", 6)])), ("eval", &text(&[("b", 2)]))]);
        assert_eq!(series[1].cells.iter().map(|cell| cell.share).collect::<Vec<_>>(), [0.0, 0.5, 0.5, 0.0]);
        assert!(
            common(&[("train", &few), ("eval", &text(&[]))]).len() == 1,
            "types that differ are not laid over one another"
        );
    }
}
