//! Comparison with the live model, on made-up predictions.

use super::*;

/// Noisy but informative scores; `spoiled` rows get the opposite answer.
fn predictions(labels: &[usize], salt: usize, spoiled: impl Fn(usize) -> bool) -> Predictions {
    let score = |row: usize, label: usize| {
        let noise = ((row * 7_919 + salt) % 1_000) as f32 / 1_000.0;
        let score = 0.25 * label as f32 + 0.75 * noise;
        if spoiled(row) { 1.0 - score } else { score }
    };
    let pairs = labels.iter().enumerate().flat_map(|(row, label)| [1.0 - score(row, *label), score(row, *label)]);
    Predictions { classes: 2, probabilities: pairs.collect() }
}

fn cuts(rows: usize) -> Vec<Cut> {
    let cut = |value: usize| Cut {
        column: "c".to_string(),
        value: value.to_string(),
        rows: (0..rows).filter(|row| row % 8 == value).collect(),
    };
    (0..8).map(cut).collect()
}

fn compare(spoiled: impl Fn(usize) -> bool, min_examples: u64) -> (Slice, Vec<Slice>, Vec<Finding>) {
    let labels: Vec<usize> = (0..1_600).map(|row| (row / 8) % 2).collect();
    let (candidate, baseline) = (predictions(&labels, 0, spoiled), predictions(&labels, 0, |_| false));
    let measurement = Measurement {
        labels: &labels,
        candidate: &candidate,
        baseline: Some(&baseline),
        headline: Metric::Auc,
        min_examples,
    };
    let (overall, slices) = (measurement.overall(), measurement.slices(&cuts(1_600)));
    let findings = regressions(&overall, &slices, Metric::Auc);
    (overall, slices, findings)
}

#[test]
fn the_same_model_raises_nothing() {
    let (overall, slices, findings) = compare(|_| false, 50);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(overall.candidate, overall.baseline);
    assert_eq!(slices.len(), 8);
    assert!(slices.windows(2).all(|pair| pair[0].candidate["auc"] <= pair[1].candidate["auc"]));
}

#[test]
fn a_spoiled_slice_is_named_and_only_it() {
    let (_, slices, findings) = compare(|row| row % 8 == 3, 50);
    let named: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.kind == "slice regression")
        .map(|finding| finding.subject.as_str())
        .collect();
    assert_eq!(named, ["c = 3"]);
    assert_eq!(slices[0].value.as_deref(), Some("3"), "worst first");
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warn && finding.previous.is_some()));
}

#[test]
fn small_slices_are_not_compared() {
    let (_, slices, findings) = compare(|row| row % 8 == 3, 201);
    assert!(slices.iter().all(|slice| slice.small));
    assert!(findings.iter().all(|finding| finding.kind == "regression"));
}

#[test]
fn without_a_baseline_there_is_no_comparison() {
    let labels = [0, 1, 0, 1];
    let candidate = predictions(&labels, 0, |_| false);
    let measurement = Measurement {
        labels: &labels,
        candidate: &candidate,
        baseline: None,
        headline: Metric::LogLoss,
        min_examples: 1,
    };
    let overall = measurement.overall();
    assert!(overall.baseline.is_empty());
    assert!(regressions(&overall, &[], Metric::LogLoss).is_empty());
}

#[test]
fn quantiles_widen_with_the_number_of_comparisons() {
    assert_eq!(simultaneous_quantile(1), Z95);
    // Normal quantiles at 1 - 0.025/10 and 1 - 0.025/100.
    assert!((simultaneous_quantile(10) - 2.807_03).abs() < 1e-3);
    assert!((simultaneous_quantile(100) - 3.480_76).abs() < 1e-3);
}

#[test]
fn the_summary_reads_as_people_say_it() {
    let slice = |candidate: Option<f64>, baseline: Option<Option<f64>>| Slice {
        column: None,
        value: None,
        examples: 3_751,
        small: false,
        candidate: BTreeMap::from([("auc".to_string(), candidate)]),
        baseline: baseline.map(|value| BTreeMap::from([("auc".to_string(), value)])).unwrap_or_default(),
        headline_margin: None,
        change_margin: None,
    };
    let cases = [
        (slice(Some(0.871), Some(Some(0.864))), "auc 0.871 (live 0.864, +0.007) · 3,751 rows"),
        (slice(Some(0.871), None), "auc 0.871 (no live model) · 3,751 rows"),
        (slice(None, Some(None)), "auc not defined (live not defined) · 3,751 rows"),
    ];
    for (slice, expected) in cases {
        assert_eq!(summary(&slice, Metric::Auc), expected);
    }
}
