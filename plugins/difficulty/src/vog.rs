//! Variance of Gradients (Agarwal, D'souza and Hooker, CVPR 2022): how much the gradient of a prediction with respect to its input
//! moved between checkpoints.
//!
//! Gradients are fed one checkpoint at a time and streamed (Welford), so memory is examples times inputs whatever the number of
//! checkpoints. What a gradient is of, and how it was computed, is not known here.

use ndarray::{Array2, ArrayView2, Zip};
use schemars::JsonSchema;
use serde::Deserialize;

/// How the spread of one input value's gradients over K checkpoints becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Population standard deviation, as the authors' published values.
    Std,
    /// Population variance.
    Variance,
    /// The paper's formula to the letter: sum of squares over the square root of K.
    Paper,
}

/// What is done with the scores of examples of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// Nothing.
    None,
    /// Distance to the class's mean in population standard deviations of the class.
    Class,
    /// The absolute value of that.
    ClassAbs,
}

/// Mean and sum of squared deviations of gradients, `[examples, inputs]`.
#[derive(Debug, Clone)]
pub struct Spread {
    checkpoints: u32,
    mean: Array2<f32>,
    squares: Array2<f32>,
}

impl Spread {
    /// Of no checkpoint yet.
    pub fn new(examples: usize, inputs: usize) -> Self {
        let zeros = || Array2::zeros((examples, inputs));
        Self { checkpoints: 0, mean: zeros(), squares: zeros() }
    }

    /// Adds the gradients of one more checkpoint.
    ///
    /// # Panics
    /// When the shape is not the one that it was made for.
    pub fn add(&mut self, gradients: ArrayView2<'_, f32>) {
        self.checkpoints += 1;
        let share = 1.0 / self.checkpoints as f32;
        Zip::from(&mut self.mean).and(&mut self.squares).and(gradients).for_each(|mean, squares, gradient| {
            let before = gradient - *mean;
            *mean += before * share;
            *squares += before * (gradient - *mean);
        });
    }

    /// VoG of every example: the mean over its inputs.
    pub fn scores(&self, reduction: Reduction) -> Vec<f64> {
        let checkpoints = f64::from(self.checkpoints);
        let of = |squares: f32| match reduction {
            Reduction::Std => (f64::from(squares) / checkpoints).sqrt(),
            Reduction::Variance => f64::from(squares) / checkpoints,
            Reduction::Paper => f64::from(squares) / checkpoints.sqrt(),
        };
        let inputs = self.squares.ncols() as f64;
        self.squares
            .rows()
            .into_iter()
            .map(|row| row.iter().map(|squares| of(*squares)).sum::<f64>() / inputs)
            .collect()
    }
}

/// Normalises scores within each class. A class whose scores are all equal gets 0: none of its examples stands out.
pub fn normalise(scores: &mut [f64], classes: &[usize], normalisation: Normalisation) {
    if normalisation == Normalisation::None {
        return;
    }
    for class in 0..classes.iter().max().map_or(0, |last| last + 1) {
        let members: Vec<usize> = (0..scores.len()).filter(|&row| classes[row] == class).collect();
        let count = members.len().max(1) as f64;
        let mean = members.iter().map(|&row| scores[row]).sum::<f64>() / count;
        let std = (members.iter().map(|&row| (scores[row] - mean).powi(2)).sum::<f64>() / count).sqrt();
        for row in members {
            let distance = if std > 0.0 { (scores[row] - mean) / std } else { 0.0 };
            scores[row] = if normalisation == Normalisation::ClassAbs { distance.abs() } else { distance };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Three checkpoints, two examples, two inputs; the second example's gradients do not move.
    fn spread() -> Spread {
        let mut spread = Spread::new(2, 2);
        for gradients in
            [array![[1.0, 0.0], [5.0, -5.0]], array![[2.0, 0.0], [5.0, -5.0]], array![[6.0, 3.0], [5.0, -5.0]]]
        {
            spread.add(gradients.view());
        }
        spread
    }

    fn close(seen: f64, expected: f64) {
        assert!((seen - expected).abs() < 1e-6, "{seen} against {expected}");
    }

    #[test]
    fn reductions_by_hand() {
        // Squared deviations: 4 + 1 + 9 = 14 and 1 + 1 + 4 = 6.
        let cases = [
            (Reduction::Std, ((14.0f64 / 3.0).sqrt() + 2.0f64.sqrt()) / 2.0),
            (Reduction::Variance, (14.0 / 3.0 + 2.0) / 2.0),
            (Reduction::Paper, (14.0 + 6.0) / 3.0f64.sqrt() / 2.0),
        ];
        for (reduction, expected) in cases {
            let scores = spread().scores(reduction);
            close(scores[0], expected);
            close(scores[1], 0.0);
        }
    }

    #[test]
    fn streaming_equals_two_passes() {
        let (checkpoints, examples, inputs) = (17, 5, 7);
        let gradient =
            |t: usize, n: usize, p: usize| 100.0 + ((t * 31 + n * 17 + p * 7) % 23) as f32 * 0.37 - (t as f32) * 0.05;
        let mut spread = Spread::new(examples, inputs);
        for t in 0..checkpoints {
            spread.add(Array2::from_shape_fn((examples, inputs), |(n, p)| gradient(t, n, p)).view());
        }
        for (n, seen) in spread.scores(Reduction::Std).into_iter().enumerate() {
            let of_input = |p: usize| {
                let values: Vec<f64> = (0..checkpoints).map(|t| f64::from(gradient(t, n, p))).collect();
                let mean = values.iter().sum::<f64>() / checkpoints as f64;
                (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / checkpoints as f64).sqrt()
            };
            let expected = (0..inputs).map(of_input).sum::<f64>() / inputs as f64;
            assert!((seen / expected - 1.0).abs() < 1e-5, "{seen} against {expected}");
        }
    }

    #[test]
    fn normalised_within_the_class() {
        let classes = [0, 0, 2, 2, 0, 3];
        let normalised = |normalisation| {
            let mut scores = [1.0, 3.0, 10.0, 10.0, 5.0, 4.0];
            normalise(&mut scores, &classes, normalisation);
            scores
        };
        let z = (1.5f64).sqrt();
        assert_eq!(normalised(Normalisation::None), [1.0, 3.0, 10.0, 10.0, 5.0, 4.0]);
        for (seen, expected) in normalised(Normalisation::Class).into_iter().zip([-z, 0.0, 0.0, 0.0, z, 0.0]) {
            close(seen, expected);
        }
        for (seen, expected) in normalised(Normalisation::ClassAbs).into_iter().zip([z, 0.0, 0.0, 0.0, z, 0.0]) {
            close(seen, expected);
        }
    }
}
