//! Drift on the taxi rows (golden to four digits), and properties that any drift measure has to have.

use crate::compare::{Comparison, Movement, Scope, compare};
use crate::drift::{Against, issue, severity};
use crate::parameters::Parameters;
use countersign_formats::reference::FeatureReference;
use countersign_sdk::Severity;
use std::collections::BTreeMap;

const TAXI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/samples/taxi/taxi_big_tipper.csv");
const SCOPE: Scope = Scope { missing: true, comparisons: 18 };

/// As the statistics step makes it.
fn reference(values: &[f64], missing: u64) -> FeatureReference {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |step: usize| sorted[(step * sorted.len()).div_ceil(20).max(1) - 1];
    let mut edges: Vec<f64> = (1..20).map(at).collect();
    edges.dedup();
    let counts = counted(&edges, values);
    FeatureReference::Numeric { missing, nan: 0, edges, counts, p10: at(2), p50: at(10), p90: at(18) }
}

fn counted(edges: &[f64], values: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() + 1];
    for value in values {
        counts[edges.partition_point(|edge| edge <= value)] += 1;
    }
    counts
}

fn categorical(values: &[String], missing: u64) -> FeatureReference {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for value in values {
        *counts.entry(value.clone()).or_default() += 1;
    }
    FeatureReference::Categorical { missing, values: counts, other: 0 }
}

fn compare_numbers(before: &[f64], now: &[f64]) -> Comparison {
    let (before, after) = (reference(before, 0), reference(now, 0));
    let FeatureReference::Numeric { edges, .. } = &before else { panic!() };
    compare(&before, &after, Some(&counted(edges, now)), SCOPE).unwrap()
}

/// A column's values of the rows that `wanted` takes, and how many are missing.
fn taxi(column: &str, wanted: fn(usize) -> bool) -> (Vec<String>, u64) {
    let text = std::fs::read_to_string(TAXI).unwrap();
    let mut lines = text.lines();
    let at = lines.next().unwrap().split(',').position(|name| name == column).unwrap();
    let rows = lines.enumerate().filter(|(row, _)| wanted(*row)).map(|(_, line)| line.split(',').nth(at).unwrap());
    let (given, missing): (Vec<&str>, Vec<&str>) = rows.partition(|value| !value.is_empty());
    (given.into_iter().map(String::from).collect(), missing.len() as u64)
}

fn train(row: usize) -> bool {
    row % 4 != 3
}

fn eval(row: usize) -> bool {
    row % 4 == 3
}

fn numbers(column: &str, wanted: fn(usize) -> bool) -> Vec<f64> {
    taxi(column, wanted).0.iter().map(|value| value.parse().unwrap()).collect()
}

#[test]
fn the_published_table_to_four_digits() {
    let before = numbers("fare", train);
    let clean = numbers("fare", eval);
    assert_eq!((before.len(), clean.len()), (11_252, 3750));
    let shifted = |factor: f64, added: f64| clean.iter().map(|fare| fare * factor + added).collect::<Vec<_>>();
    let table = [
        (shifted(1.0, 0.0), "0.0009", None),
        (shifted(1.05, 0.0), "0.0069", Some(Severity::Warn)),
        (shifted(1.1, 0.0), "0.0131", Some(Severity::Warn)),
        (shifted(1.25, 0.0), "0.0603", Some(Severity::Block)),
        (shifted(1.8, 3.0), "0.4167", Some(Severity::Block)),
    ];
    for (now, effect, weight) in table {
        let comparison = compare_numbers(&before, &now);
        assert_eq!(format!("{:.4}", comparison.effect), effect);
        assert_eq!(severity(&comparison, &Parameters::default()), weight, "effect {effect}");
    }
    let miles = compare_numbers(&numbers("trip_miles", train), &numbers("trip_miles", eval));
    assert_eq!(format!("{:.4}", miles.effect), "0.0009");
}

#[test]
fn the_message_names_effect_noise_and_direction() {
    let before = numbers("fare", train);
    let now: Vec<f64> = numbers("fare", eval).iter().map(|fare| fare * 1.8 + 3.0).collect();
    let comparison = compare_numbers(&before, &now);
    let issue = issue("fare", "train", Against::Previous, &comparison, &Parameters::default()).unwrap();
    assert!(issue.message.starts_with("fare drifted: effect +0.417 (reference noise 0.003"), "{}", issue.message);
    assert!(issue.message.contains("median 7.85 → 17.1"), "{}", issue.message);
    assert!(issue.look.unwrap().starts_with("CAST(\"fare\" AS DOUBLE) >= "));
}

#[test]
fn no_column_of_a_clean_split_alarms() {
    let header = std::fs::read_to_string(TAXI).unwrap();
    for column in header.lines().next().unwrap().split(',') {
        let (before, missing) = taxi(column, train);
        let (now, missing_now) = taxi(column, eval);
        let read = |values: &[String]| values.iter().map(|value| value.parse::<f64>()).collect::<Result<Vec<_>, _>>();
        let comparison = match (read(&before), read(&now)) {
            (Ok(before), Ok(now)) if !now.is_empty() => {
                let (before, after) = (reference(&before, missing), reference(&now, missing_now));
                let FeatureReference::Numeric { edges, .. } = &before else { panic!() };
                compare(&before, &after, Some(&counted(edges, &now)), SCOPE).unwrap()
            }
            (Ok(_), Ok(_)) => continue,
            _ => {
                let (before, after) = (categorical(&before, missing), categorical(&now, missing_now));
                compare(&before, &after, None, SCOPE).unwrap()
            }
        };
        assert_eq!(severity(&comparison, &Parameters::default()), None, "{column}: {comparison:?}");
        assert!(comparison.effect < comparison.noise, "{column}: {comparison:?}");
    }
}

#[test]
fn a_shift_of_payments_names_the_value() {
    let (before, _) = taxi("payment_type", train);
    let (mut now, _) = taxi("payment_type", eval);
    for value in now.iter_mut().step_by(3) {
        *value = "Cash".to_string();
    }
    let comparison = compare(&categorical(&before, 0), &categorical(&now, 0), None, SCOPE).unwrap();
    let issue = issue("payment_type", "train", Against::Previous, &comparison, &Parameters::default()).unwrap();
    assert_eq!((issue.kind, issue.severity), ("slight drift", Severity::Warn));
    assert!(issue.message.contains("Cash 65.6 % → 7"), "{}", issue.message);
    assert_eq!(issue.look.unwrap(), "\"payment_type\" = 'Cash'");
}

/// SplitMix64: a different sequence for each seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Many small values and a long tail, rounded as fares are.
    fn fare(&mut self) -> f64 {
        ((3.0 - 8.0 * (1.0 - self.next()).ln()) * 20.0).round() / 20.0
    }

    /// A few common values and many rare ones.
    fn company(&mut self) -> String {
        format!("company {}", (1.0 / (self.next() + 0.005)) as u32)
    }
}

#[test]
fn two_halves_of_equal_data_never_alarm() {
    let any_effect =
        Parameters { drift_warn: 0.0, drift_block: 0.0, share_warn: 0.0, share_block: 0.0, ..Parameters::default() };
    for seed in 0..400 {
        let mut random = Random(seed);
        for rows in [20, 150, 1200] {
            let half = |random: &mut Random| (0..rows).map(|_| random.fare()).collect::<Vec<_>>();
            let comparison = compare_numbers(&half(&mut random), &half(&mut random));
            assert_eq!(severity(&comparison, &any_effect), None, "seed {seed}, {rows} rows: {comparison:?}");
            let half = |random: &mut Random| (0..rows).map(|_| random.company()).collect::<Vec<_>>();
            let (before, now) = (categorical(&half(&mut random), 0), categorical(&half(&mut random), 0));
            let comparison = compare(&before, &now, None, SCOPE).unwrap();
            assert_eq!(severity(&comparison, &any_effect), None, "seed {seed}, {rows} rows: {comparison:?}");
        }
    }
}

#[test]
fn more_shift_is_more_effect() {
    let before = numbers("fare", train);
    let clean = numbers("fare", eval);
    let mut last = 0.0;
    for percent in [0, 5, 10, 20, 30, 50, 80, 120, 200] {
        let now: Vec<f64> = clean.iter().map(|fare| fare * (1.0 + f64::from(percent) / 100.0)).collect();
        let comparison = compare_numbers(&before, &now);
        assert!(comparison.effect > last, "+{percent} %: {} after {last}", comparison.effect);
        assert_eq!(percent >= 5, severity(&comparison, &Parameters::default()).is_some(), "+{percent} %");
        last = comparison.effect;
    }
}

#[test]
fn one_outlier_changes_less_than_the_noise() {
    let before = numbers("fare", train);
    let now = numbers("fare", eval);
    let clean = compare_numbers(&before, &now);
    for outlier in [1e12, -1e12] {
        let mut wild = now.clone();
        wild[17] = outlier;
        let mut wild_before = before.clone();
        wild_before[17] = outlier;
        for comparison in [compare_numbers(&before, &wild), compare_numbers(&wild_before, &now)] {
            assert!((comparison.effect - clean.effect).abs() < clean.noise / 10.0, "{comparison:?}");
            assert_eq!(severity(&comparison, &Parameters::default()), None);
        }
    }
}

#[test]
fn missing_values_are_a_cell_unless_they_are_told_on_their_own() {
    let values: Vec<f64> = (0..2000).map(f64::from).collect();
    let (before, now) = (reference(&values, 0), reference(&values[..1000], 1000));
    let FeatureReference::Numeric { edges, .. } = &before else { panic!() };
    let same: Vec<f64> = values.iter().copied().step_by(2).collect();
    let counted = counted(edges, &same);
    let with = compare(&before, &now, Some(&counted), SCOPE).unwrap();
    assert!(with.effect > 0.2 && with.missing == Some((0.0, 0.5)), "{with:?}");
    let without = compare(&before, &now, Some(&counted), Scope { missing: false, ..SCOPE }).unwrap();
    assert!(without.effect < without.noise && without.missing.is_none(), "{without:?}");
}

#[test]
fn values_that_became_nan_are_told() {
    let values: Vec<f64> = (0..2000).map(f64::from).collect();
    let before = reference(&values, 0);
    let FeatureReference::Numeric { edges, counts, p10, p50, p90, .. } = before.clone() else { panic!() };
    let counted: Vec<u64> = counts.iter().map(|count| count * 9 / 10).collect();
    let now = FeatureReference::Numeric { missing: 0, nan: 200, edges, counts: counted.clone(), p10, p50, p90 };
    let comparison = compare(&before, &now, Some(&counted), SCOPE).unwrap();
    let issue = issue("fare", "train", Against::Previous, &comparison, &Parameters::default()).unwrap();
    assert!(issue.message.ends_with(" · NaN 0 % → 10 %"), "{}", issue.message);
}

#[test]
fn numbers_and_text_are_not_comparable_and_cut_off_lists_share_their_rest() {
    let text = FeatureReference::Categorical { missing: 0, values: BTreeMap::from([("a".into(), 90)]), other: 10 };
    assert_eq!(compare(&reference(&[1.0, 2.0], 0), &text, Some(&[1, 1]), SCOPE), None);
    let longer = BTreeMap::from([("a".to_string(), 90), ("b".to_string(), 10)]);
    let longer = FeatureReference::Categorical { missing: 0, values: longer, other: 0 };
    let comparison = compare(&text, &longer, None, SCOPE).unwrap();
    assert_eq!(comparison.effect, 0.0, "`b` may have been among the others");
    assert!(matches!(comparison.movement, Movement::Categorical { .. }));
}
