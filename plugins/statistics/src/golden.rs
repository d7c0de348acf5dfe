//! Our statistics of the taxi rows against those that TFDV 1.16.1 made of the same rows (`tests/data/tfdv-golden`).

use crate::Profile;
use crate::numeric::{Moments, NumericProfile, cuts, positions, quantiles};
use crate::text::{LISTED, TextProfile};
use countersign_formats::reference::FeatureReference;
use countersign_formats::tfmd::statistics::{DataType, FeatureNameStatistics, HistogramType};
use std::collections::BTreeMap;

const TAXI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/samples/taxi/taxi_big_tipper.csv");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/tfdv-golden/base_train/stats.pbtxt");

/// What the engine would have answered about these numbers.
fn profile_of_numbers(rows: u64, values: &[f64]) -> NumericProfile {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let moments = Moments {
        present: values.len() as u64,
        nan: 0,
        finite: values.len() as u64,
        zeros: values.iter().filter(|value| **value == 0.0).count() as u64,
        min: sorted[0],
        max: sorted[sorted.len() - 1],
        mean,
        std_dev: (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt(),
    };
    let found: Vec<(u64, f64)> = positions(moments.finite).iter().map(|at| (*at, sorted[*at as usize - 1])).collect();
    let quantiles = quantiles(moments.finite, &found).unwrap();
    let cuts = cuts(&quantiles);
    let mut counts = vec![0; cuts.len() + 1];
    for value in values {
        counts[cuts.partition_point(|cut| cut <= value)] += 1;
    }
    NumericProfile { rows, moments, quantiles, counts }
}

fn profile_of_texts(rows: u64, values: &[&str]) -> TextProfile {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let unique = counts.len() as u64;
    let mut values: Vec<(String, u64)> = counts.into_iter().map(|(value, count)| (value.to_string(), count)).collect();
    values.sort_by(|a, b| (b.1, &b.0).cmp(&(a.1, &a.0)));
    values.truncate(LISTED);
    TextProfile { rows, present: values.iter().map(|(_, count)| count).sum(), unique, values }
}

/// The columns of the rows with i mod 4 != 3, without missing values.
fn base_train() -> Vec<(String, u64, Vec<String>)> {
    let text = std::fs::read_to_string(TAXI).unwrap();
    assert!(!text.contains('"'), "a plain split at commas will do");
    let mut lines = text.lines();
    let mut columns: Vec<(String, u64, Vec<String>)> =
        lines.next().unwrap().split(',').map(|name| (name.to_string(), 0, Vec::new())).collect();
    for (_, line) in lines.enumerate().filter(|(row, _)| row % 4 != 3) {
        for ((_, rows, values), value) in columns.iter_mut().zip(line.split(',')) {
            *rows += 1;
            values.extend((!value.is_empty()).then(|| value.to_string()));
        }
    }
    columns
}

/// As TFDV reads them: whole columns of integers exactly, everything else in single precision.
fn numbers(values: &[String]) -> Option<Vec<f64>> {
    let whole = values.iter().all(|value| value.parse::<i64>().is_ok());
    let read = |value: &String| if whole { value.parse().ok() } else { value.parse::<f32>().ok().map(f64::from) };
    values.iter().map(read).collect()
}

fn measured() -> BTreeMap<String, Profile> {
    let profile = |(name, rows, values): (String, u64, Vec<String>)| {
        let profile = match numbers(&values) {
            Some(numbers) => Profile::Numeric(DataType::Float, profile_of_numbers(rows, &numbers)),
            None => Profile::Text(profile_of_texts(rows, &values.iter().map(String::as_str).collect::<Vec<_>>())),
        };
        (name, profile)
    };
    base_train().into_iter().map(profile).collect()
}

/// A message in text form: its fields, and its messages, by name.
#[derive(Default, Debug)]
struct TextMessage {
    fields: BTreeMap<String, String>,
    messages: BTreeMap<String, Vec<TextMessage>>,
}

impl TextMessage {
    fn parse<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Self {
        let mut message = Self::default();
        while let Some(line) = lines.next().map(str::trim) {
            if line == "}" {
                break;
            } else if let Some(name) = line.strip_suffix(" {") {
                message.messages.entry(name.to_string()).or_default().push(Self::parse(lines));
            } else if let Some((name, value)) = line.split_once(": ") {
                message.fields.insert(name.to_string(), value.trim_matches('"').to_string());
            }
        }
        message
    }

    fn number(&self, name: &str) -> f64 {
        self.fields.get(name).map_or(0.0, |value| value.parse().unwrap())
    }

    fn all(&self, name: &str) -> &[TextMessage] {
        self.messages.get(name).map_or(&[], Vec::as_slice)
    }
}

fn golden() -> Vec<TextMessage> {
    let text = std::fs::read_to_string(GOLDEN).unwrap();
    let mut list = TextMessage::parse(&mut text.lines());
    list.messages.remove("datasets").unwrap().remove(0).messages.remove("features").unwrap()
}

fn near(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let error = (ours - theirs).abs() / theirs.abs().max(1e-12);
    assert!(ours == theirs || error <= tolerance, "{what}: {ours}, TFDV {theirs}");
}

fn check_numbers(name: &str, ours: &FeatureNameStatistics, theirs: &TextMessage, values: &[f64]) {
    let numeric = ours.numeric().unwrap();
    assert_eq!(numeric.num_zeros as f64, theirs.number("num_zeros"), "{name}: zeros");
    near(numeric.mean, theirs.number("mean"), 1e-6, &format!("{name}: mean"));
    near(numeric.std_dev, theirs.number("std_dev"), 1e-6, &format!("{name}: std_dev"));
    near(numeric.min, theirs.number("min"), 1e-6, &format!("{name}: min"));
    near(numeric.max, theirs.number("max"), 1e-6, &format!("{name}: max"));
    let share_below = |bound: f64| values.iter().filter(|value| **value < bound).count() as f64 / values.len() as f64;
    let rank_error = |ours: f64, theirs: f64| share_below(ours.max(theirs)) - share_below(ours.min(theirs));
    assert!(rank_error(numeric.median, theirs.number("median")) <= 0.01, "{name}: median {}", numeric.median);
    for histogram in &numeric.histograms {
        let mass: f64 = histogram.buckets.iter().map(|bucket| bucket.sample_count).sum();
        near(mass, values.len() as f64, 1e-9, &format!("{name}: mass"));
    }
    let deciles = numeric.histograms.iter().find(|histogram| histogram.r#type() == HistogramType::Quantiles).unwrap();
    let quantiles = |histogram: &&TextMessage| histogram.fields.get("type").is_some_and(|kind| kind == "QUANTILES");
    let theirs = theirs.all("histograms").iter().find(quantiles).unwrap();
    for (bucket, golden) in deciles.buckets.iter().zip(theirs.all("buckets")) {
        let error = rank_error(bucket.high_value, golden.number("high_value"));
        assert!(error <= 0.01, "{name}: decile {} is {error} of the rows off", bucket.high_value);
    }
}

#[test]
fn our_statistics_are_tfdvs() {
    let measured = measured();
    let values: BTreeMap<String, Vec<String>> =
        base_train().into_iter().map(|(name, _, values)| (name, values)).collect();
    let golden = golden();
    assert_eq!(golden.len(), 18);
    for feature in &golden {
        let name = &feature.all("path")[0].fields["step"];
        let ours = measured[name].message(name);
        let theirs = feature.all("num_stats").first().or_else(|| feature.all("string_stats").first()).unwrap();
        let common = &theirs.all("common_stats")[0];
        let ours_common = ours.common().unwrap();
        for (field, value) in [
            ("num_non_missing", ours_common.num_non_missing),
            ("num_missing", ours_common.num_missing),
            ("tot_num_values", ours_common.tot_num_values),
            ("min_num_values", ours_common.min_num_values),
            ("max_num_values", ours_common.max_num_values),
        ] {
            assert_eq!(value as f64, common.number(field), "{name}: {field}");
        }
        match ours.text() {
            None => {
                check_numbers(name, &ours, theirs, &numbers(&values[name]).unwrap());
            }
            Some(text) => {
                assert_eq!(text.unique as f64, theirs.number("unique"), "{name}: unique");
                near(f64::from(text.avg_length), theirs.number("avg_length"), 1e-6, &format!("{name}: avg_length"));
                let top: Vec<(String, f64)> =
                    text.top_values.iter().map(|top| (top.value.clone(), top.frequency)).collect();
                let golden = theirs.all("top_values").iter();
                let golden: Vec<(String, f64)> =
                    golden.map(|top| (top.fields["value"].clone(), top.number("frequency"))).collect();
                assert_eq!(top, golden, "{name}: top values, ties included");
                let ranks = text.rank_histogram.as_ref().unwrap().buckets.len();
                assert_eq!(ranks, theirs.all("rank_histogram")[0].all("buckets").len(), "{name}: ranks");
            }
        }
    }
}

#[test]
fn the_references_bins_hold_every_row_once() {
    for (name, profile) in measured() {
        match profile.reference() {
            FeatureReference::Numeric { missing, nan, edges, counts, p10, p50, p90 } => {
                assert_eq!(missing + nan + counts.iter().sum::<u64>(), 11_252, "{name}");
                assert_eq!(counts.len(), edges.len() + 1, "{name}");
                assert!(edges.len() <= 19 && edges.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {edges:?}");
                assert!(p10 <= p50 && p50 <= p90, "{name}");
            }
            FeatureReference::Categorical { missing, values, other } => {
                assert_eq!(missing + other + values.values().sum::<u64>(), 11_252, "{name}");
            }
        }
    }
}
