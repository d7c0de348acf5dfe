//! Metrics against values computed by hand, by brute force, or by scikit-learn.

use super::*;

fn binary(scores: &[f32]) -> Predictions {
    Predictions { classes: 2, probabilities: scores.iter().flat_map(|score| [1.0 - score, *score]).collect() }
}

fn value(metric: Metric, labels: &[usize], predictions: &Predictions) -> Option<f64> {
    let rows: Vec<usize> = (0..labels.len()).collect();
    estimate(metric, &View { labels, predictions, rows: &rows }).map(|estimate| estimate.value)
}

fn close(seen: Option<f64>, expected: f64) {
    let seen = seen.expect("defined");
    assert!((seen - expected).abs() < 1e-6, "{seen} against {expected}");
}

#[test]
fn textbook_binary_values() {
    // scikit-learn's own example: roc_auc_score 0.75, average_precision_score 0.8333.
    let (labels, predictions) = ([0, 0, 1, 1], binary(&[0.1, 0.4, 0.35, 0.8]));
    close(value(Metric::Auc, &labels, &predictions), 0.75);
    close(value(Metric::PrAuc, &labels, &predictions), 0.833_333_33);
    close(value(Metric::Accuracy, &labels, &predictions), 0.75);
    close(value(Metric::Precision, &labels, &predictions), 1.0);
    close(value(Metric::Recall, &labels, &predictions), 0.5);
    close(value(Metric::F1, &labels, &predictions), 2.0 / 3.0);
    let loss = -(0.9f64.ln() + 0.6f64.ln() + 0.35f64.ln() + 0.8f64.ln()) / 4.0;
    close(value(Metric::LogLoss, &labels, &predictions), loss);
    close(value(Metric::Calibration, &labels, &predictions), 1.65 / 2.0);
}

#[test]
fn ties_count_half() {
    // Pairs: (0.5 against 0.5) half, (0.5 against 0.2) one, (0.9 against either) two: 3.5 of 4.
    close(value(Metric::Auc, &[1, 1, 0, 0], &binary(&[0.5, 0.9, 0.5, 0.2])), 0.875);
    close(value(Metric::Auc, &[1, 0, 1, 0], &binary(&[0.3; 4])), 0.5);
    // One threshold only: precision is the base rate.
    close(value(Metric::PrAuc, &[1, 0, 0, 0], &binary(&[0.3; 4])), 0.25);
}

/// A fixed sequence of numbers in 0..1.
fn numbers(count: usize, mut state: u64) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn auc_and_its_variance_are_what_all_pairs_say() {
    let coarse: Vec<f32> = numbers(60, 1).iter().map(|score| (score * 8.0).floor() / 8.0).collect();
    let labels: Vec<usize> =
        coarse.iter().zip(numbers(60, 2)).map(|(score, noise)| usize::from(score + noise > 1.1)).collect();
    let of = |class: usize| -> Vec<f64> {
        coarse.iter().zip(&labels).filter(|(_, label)| **label == class).map(|(score, _)| f64::from(*score)).collect()
    };
    let (positives, negatives) = (of(1), of(0));
    let beats = |positive: f64, negative: f64| match positive.total_cmp(&negative) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let variance = |values: &[f64]| {
        let mean = mean(values);
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
    };
    let v10: Vec<f64> =
        positives.iter().map(|p| mean(&negatives.iter().map(|n| beats(*p, *n)).collect::<Vec<_>>())).collect();
    let v01: Vec<f64> =
        negatives.iter().map(|n| mean(&positives.iter().map(|p| beats(*p, *n)).collect::<Vec<_>>())).collect();
    let delong = variance(&v10) / positives.len() as f64 + variance(&v01) / negatives.len() as f64;

    let predictions = binary(&coarse);
    let rows: Vec<usize> = (0..labels.len()).collect();
    let seen = estimate(Metric::Auc, &View { labels: &labels, predictions: &predictions, rows: &rows }).unwrap();
    assert!((seen.value - mean(&v10)).abs() < 1e-12);
    assert!((margin(Metric::Auc, &seen, 60).unwrap() - Z95 * delong.sqrt()).abs() < 1e-12);
    assert_eq!(change_error(&seen, &seen), Some(0.0), "a model against itself has no spread");
}

#[test]
fn only_the_rows_of_the_view_count() {
    let (labels, predictions) = ([0, 1, 1, 0], binary(&[0.1, 0.9, 0.2, 0.8]));
    let auc = |rows: &[usize]| estimate(Metric::Auc, &View { labels: &labels, predictions: &predictions, rows });
    assert_eq!(auc(&[0, 1]).unwrap().value, 1.0);
    assert_eq!(auc(&[2, 3]).unwrap().value, 0.0);
}

#[test]
fn what_is_not_defined_is_none() {
    let one_class = binary(&[0.1, 0.2]);
    for metric in [Metric::Auc, Metric::PrAuc, Metric::Precision, Metric::Recall, Metric::F1, Metric::Calibration] {
        assert_eq!(value(metric, &[0, 0], &one_class), None, "{metric}");
    }
    for metric in Metric::ALL {
        assert_eq!(value(metric, &[], &binary(&[])), None, "{metric} of nothing");
        assert_eq!(value(metric, &[], &Predictions { classes: 3, probabilities: vec![] }), None, "{metric} of nothing");
    }
    // A probability of 0 for the label is a large loss, not an infinite one.
    close(value(Metric::LogLoss, &[1], &binary(&[0.0])), -(1e-15f64.ln()));
    let perfect = estimate(
        Metric::Auc,
        &View { labels: &[0, 0, 1, 1], predictions: &binary(&[0.1, 0.2, 0.8, 0.9]), rows: &[0, 1, 2, 3] },
    );
    assert_eq!(margin(Metric::Auc, &perfect.unwrap(), 4), None, "no spread to estimate from");
}

#[test]
fn more_classes_are_averaged() {
    // Labels 0, 1, 2, 2; predicted 0, 1, 2, 0.
    let predictions =
        Predictions { classes: 3, probabilities: vec![0.8, 0.1, 0.1, 0.2, 0.6, 0.2, 0.1, 0.2, 0.7, 0.5, 0.2, 0.3] };
    let labels = [0, 1, 2, 2];
    close(value(Metric::Accuracy, &labels, &predictions), 0.75);
    close(value(Metric::Precision, &labels, &predictions), (0.5 + 1.0 + 1.0) / 3.0);
    close(value(Metric::Recall, &labels, &predictions), (1.0 + 1.0 + 0.5) / 3.0);
    close(value(Metric::F1, &labels, &predictions), (2.0 / 3.0 + 1.0 + 2.0 / 3.0) / 3.0);
    close(value(Metric::Auc, &labels, &predictions), 1.0);
    close(value(Metric::Calibration, &labels, &predictions), (0.8 + 0.6 + 0.7 + 0.5) / 3.0);
    // A class that is never called counts 0 in precision; one that does not appear is left out.
    close(
        value(Metric::Precision, &[0, 0, 1], &Predictions { classes: 3, probabilities: [0.8, 0.1, 0.1].repeat(3) }),
        (2.0 / 3.0) / 2.0,
    );
}

#[test]
fn wilson_is_never_zero() {
    let all_right = estimate(
        Metric::Accuracy,
        &View { labels: &[1; 10], predictions: &binary(&[0.9; 10]), rows: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    );
    // Wilson's interval of 10 of 10 is 0.7225 to 1.
    close(margin(Metric::Accuracy, &all_right.unwrap(), 10), (1.0 - 0.722_467) / 2.0);
}
