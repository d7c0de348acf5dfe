//! Tables with known answers; the ones in percent are measured ones of a small convolutional network on Fashion-MNIST.

use super::*;

fn percent(rates: [f64; 10]) -> Vec<Decile> {
    rates.into_iter().map(|rate| Decile { examples: 300, errors: (rate * 3.0).round() as usize }).collect()
}

#[test]
fn measured_tables_get_the_direction_a_person_reads() {
    let cases = [
        ("softmax, predicted, late", HIGH_IS_HARD, [0.0, 0.3, 1.0, 0.3, 3.0, 3.7, 8.3, 18.0, 33.7, 46.3]),
        ("same, class-normalised", HIGH_IS_HARD, [4.7, 3.3, 5.7, 2.7, 1.0, 3.0, 1.0, 21.3, 34.0, 38.0]),
        ("softmax, true, late", HIGH_IS_HARD, [0.0, 0.3, 1.7, 4.0, 5.3, 7.3, 12.3, 19.0, 28.7, 36.0]),
        ("logit, true, late: a U", NO_ORDER, [16.3, 10.3, 10.0, 9.3, 8.3, 9.3, 11.3, 8.3, 13.3, 18.0]),
        ("logit, predicted, all: weak", NO_ORDER, [10.7, 7.0, 13.3, 7.7, 10.3, 12.0, 8.3, 8.7, 12.7, 24.0]),
        ("turned round", FLIPPED, [46.3, 33.7, 18.0, 8.3, 3.7, 3.0, 0.3, 1.0, 0.3, 0.0]),
        ("flat", NO_ORDER, [10.0; 10]),
        ("no errors", NO_ORDER, [0.0; 10]),
        ("all errors", NO_ORDER, [100.0; 10]),
    ];
    for (name, expected, rates) in cases {
        let (seen, reason) = direction(&percent(rates));
        assert_eq!(seen, expected, "{name}: {reason}");
    }
    assert_eq!(direction(&[]).0, NO_ORDER);
}

#[test]
fn a_rise_within_the_noise_is_no_order() {
    let few: Vec<Decile> = (0..10).map(|tenth| Decile { examples: 10, errors: tenth / 4 }).collect();
    assert_eq!(direction(&few).0, NO_ORDER);
}

#[test]
fn deciles_of_made_up_scores() {
    // 103 examples; the 10 with the highest scores are the wrong ones.
    let scores: Vec<f64> = (0..103).map(|row| f64::from((row * 37) % 103)).collect();
    let wrong: Vec<bool> = scores.iter().map(|score| *score >= 93.0).collect();
    let order = ranked(scores.iter().copied());
    let deciles = table(&order, &wrong);
    assert_eq!(deciles.len(), 10);
    assert_eq!(deciles.iter().map(|decile| decile.examples).sum::<usize>(), 103);
    assert!(deciles.iter().all(|decile| decile.examples == 10 || decile.examples == 11));
    assert_eq!(deciles.iter().map(|decile| decile.errors).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
    assert_eq!(direction(&deciles).0, HIGH_IS_HARD);
    let turned = ranked(scores.iter().map(|score| -score));
    assert_eq!(direction(&table(&turned, &wrong)).0, FLIPPED);
    assert!(table(&order[..9], &wrong).is_empty());
}

#[test]
fn overlap_counts_the_common_highest_tenth() {
    let order: Vec<usize> = (0..40).collect();
    let half: Vec<usize> = (0..36).rev().chain([38, 39, 36, 37]).collect();
    assert_eq!(overlap(&order, &order), 1.0);
    assert_eq!(overlap(&order, &half), 1.0);
    let other: Vec<usize> = (2..38).chain([0, 1, 38, 39]).collect();
    assert_eq!(overlap(&order, &other), 0.5);
    assert_eq!(overlap(&[], &[]), 0.0);
    assert_eq!(highest_tenth(&[7]), [7]);
}

#[test]
fn suspects_need_every_sign() {
    let clean = Neighbours { mean_loss: 0.1, aum: 3.0, ..Neighbours::default() };
    let mut scores = vec![clean; 200];
    assert!(suspects(&scores, 2).is_empty(), "clean data may have none");
    scores[5] = Neighbours { mean_loss: 3.0, aum: -3.0, ..clean };
    scores[9] = Neighbours { mean_loss: 4.0, aum: -4.0, ..clean };
    // Hard, but the label is not implausible: ln(10) is 2.30.
    scores[11] = Neighbours { mean_loss: 2.2, aum: -2.0, ..clean };
    // A few huge losses, yet right on the whole.
    scores[13] = Neighbours { mean_loss: 5.0, aum: 0.5, ..clean };
    assert_eq!(suspects(&scores, 2), [9, 5]);
    assert_eq!(suspects(&scores, 10), [9], "ln(50) is 3.91");
    assert!(suspects(&[], 2).is_empty());
}
