//! Gradients of a prediction with respect to the transformed inputs, in closed form through the network.
//! Knows one batch and one checkpoint.

use countersign_onnx::network::{self, Activations, Network};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::Deserialize;

/// What the gradient is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The class's logit: the paper's definition.
    Logit,
    /// The class's softmax probability.
    Softmax,
    /// The logarithm of that probability: the gradient of the loss.
    LogProb,
}

/// Gradients `[examples, inputs]` of each example's class.
pub fn input_gradients(network: &Network, seen: &Activations, target: Target, classes: &[usize]) -> Array2<f32> {
    let kernel = match target {
        Target::Logit => network::Target::Logit,
        Target::Softmax => network::Target::Probability,
        Target::LogProb => network::Target::LogProbability,
    };
    let mut d_logits = network::output_gradient(kernel, seen.logits.view(), classes);
    if target != Target::Logit {
        // A row sums to 0. Taking its largest part from the others keeps the digits that 1 - p loses where p is almost 1.
        for (mut row, &class) in d_logits.rows_mut().into_iter().zip(classes) {
            row[class] = 0.0;
            row[class] = -row.sum();
        }
    }
    network.input_gradients(seen, d_logits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_onnx::Layer;
    use ndarray::Array1;

    /// Two hidden layers of fixed, irregular weights.
    fn network() -> Network {
        let weight = |salt: usize| move |(i, j): (usize, usize)| (((i * 7 + j * 13 + salt) % 11) as f32 - 5.0) / 6.0;
        let layer = |rows, columns, salt| Layer {
            w: Array2::from_shape_fn((rows, columns), weight(salt)),
            b: Array1::from_shape_fn(columns, |j| (j as f32 - 1.0) / 9.0),
        };
        Network::new(vec![layer(4, 6, 1), layer(6, 5, 2), layer(5, 3, 3)]).unwrap()
    }

    fn value(network: &Network, x: &Array2<f32>, target: Target, row: usize, class: usize) -> f64 {
        let logits = network.forward(x.view()).logits;
        let logits: Vec<f64> = logits.row(row).iter().map(|z| f64::from(*z)).collect();
        let log_prob = logits[class] - logits.iter().map(|z| z.exp()).sum::<f64>().ln();
        match target {
            Target::Logit => logits[class],
            Target::Softmax => log_prob.exp(),
            Target::LogProb => log_prob,
        }
    }

    #[test]
    fn closed_form_equals_finite_differences() {
        let network = network();
        let x = Array2::from_shape_fn((6, 4), |(i, j)| ((i * 5 + j * 3) % 7) as f32 / 3.0 - 0.9);
        let classes = [0, 1, 2, 0, 1, 2];
        for target in [Target::Logit, Target::Softmax, Target::LogProb] {
            let seen = network.forward(x.view());
            let gradients = input_gradients(&network, &seen, target, &classes);
            for ((row, input), gradient) in gradients.indexed_iter() {
                let step = 1e-2;
                let moved = |by: f32| {
                    let mut x = x.clone();
                    x[[row, input]] += by;
                    value(&network, &x, target, row, classes[row])
                };
                let difference = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
                let error = (difference - f64::from(*gradient)).abs();
                assert!(error < 2e-3, "{target:?} {row} {input}: {gradient} against {difference}");
            }
        }
    }

    #[test]
    fn a_confident_prediction_keeps_its_digits() {
        // Logits 20 and 0: p = 1 - 2e-9, which 32 bits can not tell from 1.
        let layer =
            Layer { w: Array2::from_shape_fn((1, 2), |(_, j)| if j == 0 { 20.0 } else { 0.0 }), b: Array1::zeros(2) };
        let network = Network::new(vec![layer]).unwrap();
        let seen = network.forward(Array2::ones((1, 1)).view());
        let gradient = f64::from(input_gradients(&network, &seen, Target::Softmax, &[0])[[0, 0]]);
        let expected = 20.0 * (-20.0f64).exp();
        assert!((gradient / expected - 1.0).abs() < 1e-4, "{gradient} against {expected}");
    }
}
