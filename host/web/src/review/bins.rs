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
    let mut cells: Vec<Cell> = shares
        .into_iter()
        .enumerate()
        .map(|(at, count)| Cell { label: between(points, at), share: share(count, rows) })
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

fn between(points: &[f64], at: usize) -> String {
    let before = at.checked_sub(1).and_then(|before| points.get(before));
    match (before, points.get(at)) {
        (None, Some(to)) => format!("under {}", number(*to)),
        (Some(from), Some(to)) => format!("{} to {}", number(*from), number(*to)),
        (Some(from), None) => format!("{} and more", number(*from)),
        (None, None) => "any value".to_string(),
    }
}

/// At most four significant digits, without a tail of zeros.
fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_string();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:.2e}");
    }
    let digits = if size >= 1000.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        4
    };
    let text = format!("{value:.digits$}");
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
