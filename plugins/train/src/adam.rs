//! Adam with decoupled weight decay (AdamW, Loshchilov and Hutter 2019). Biases do not decay.

use countersign_onnx::{Layer, Network};
use ndarray::{Array1, Array2, Zip};

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The optimiser's memory of a network.
pub struct Adam {
    learning_rate: f32,
    weight_decay: f32,
    steps: i32,
    mean: Vec<Layer>,
    square: Vec<Layer>,
}

impl Adam {
    /// No steps yet.
    pub fn new(network: &Network, learning_rate: f32, weight_decay: f32) -> Self {
        let zero = |layer: &Layer| Layer { w: Array2::zeros(layer.w.dim()), b: Array1::zeros(layer.b.len()) };
        let zeros: Vec<Layer> = network.layers.iter().map(zero).collect();
        Self { learning_rate, weight_decay, steps: 0, mean: zeros.clone(), square: zeros }
    }

    /// One step against the gradients.
    pub fn step(&mut self, network: &mut Network, gradients: &[Layer]) {
        self.steps += 1;
        // Both averages start at zero; this takes the start out of them.
        let scale = self.learning_rate * (1.0 - BETA_2.powi(self.steps)).sqrt() / (1.0 - BETA_1.powi(self.steps));
        let keep = 1.0 - self.learning_rate * self.weight_decay;
        for (i, (layer, gradient)) in network.layers.iter_mut().zip(gradients).enumerate() {
            let (mean, square) = (&mut self.mean[i], &mut self.square[i]);
            Zip::from(&mut layer.w).and(&gradient.w).and(&mut mean.w).and(&mut square.w).for_each(|w, g, m, v| {
                *w = *w * keep - scale * direction(*g, m, v);
            });
            Zip::from(&mut layer.b).and(&gradient.b).and(&mut mean.b).and(&mut square.b).for_each(|b, g, m, v| {
                *b -= scale * direction(*g, m, v);
            });
        }
    }
}

fn direction(gradient: f32, mean: &mut f32, square: &mut f32) -> f32 {
    *mean = BETA_1 * *mean + (1.0 - BETA_1) * gradient;
    *square = BETA_2 * *square + (1.0 - BETA_2) * gradient * gradient;
    *mean / (square.sqrt() + EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn first_step_is_the_learning_rate_against_the_sign_and_only_weights_decay() {
        let mut network = Network::new(vec![Layer { w: array![[2.0, -2.0]], b: array![1.0, 1.0] }]).unwrap();
        let mut adam = Adam::new(&network, 0.1, 0.5);
        adam.step(&mut network, &[Layer { w: array![[0.3, -7.0]], b: array![0.0, 4.0] }]);
        let expected = Layer { w: array![[1.9 - 0.1, -1.9 + 0.1]], b: array![1.0, 0.9] };
        let gap = (&network.layers[0].w - &expected.w).mapv(f32::abs).sum()
            + (&network.layers[0].b - &expected.b).mapv(f32::abs).sum();
        assert!(gap < 1e-5, "{network:?}");
    }
}
