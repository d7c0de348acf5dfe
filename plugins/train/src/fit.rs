//! The training loop.

use crate::Parameters;
use crate::adam::Adam;
use crate::data::Dataset;
use crate::random::Random;
use countersign_onnx::network::{loss_gradient, losses};
use countersign_onnx::{Layer, Network};
use countersign_sdk::Error;
use ndarray::{Array1, Array2};

/// How to train.
pub struct Settings {
    /// Times that every row is seen.
    pub epochs: u32,
    /// Rows a step.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f32,
    /// Pull of weights towards zero.
    pub weight_decay: f32,
}

impl From<&Parameters> for Settings {
    fn from(parameters: &Parameters) -> Self {
        Self {
            epochs: parameters.epochs,
            batch_size: parameters.batch_size.max(1) as usize,
            learning_rate: parameters.learning_rate as f32,
            weight_decay: parameters.weight_decay as f32,
        }
    }
}

/// An epoch that is done.
pub struct Epoch<'a> {
    /// 1-based.
    pub number: u32,
    /// Mean loss over its steps.
    pub loss: f64,
    /// The network after it.
    pub network: &'a Network,
}

/// What training gave.
pub struct Fitted {
    /// The network.
    pub network: Network,
    /// Mean loss of the last epoch.
    pub loss: f64,
}

/// A network to start from: uniform weights after He, biases zero. A model input that no row of the data has starts at zero and so
/// stays silent, instead of adding noise when it first occurs in production.
pub fn fresh(inputs: usize, hidden: &[u32], classes: usize, data: &Dataset, random: &mut Random) -> Network {
    let mut widths = vec![inputs];
    widths.extend(hidden.iter().map(|w| *w as usize));
    widths.push(classes);
    let mut layer = |pair: &[usize]| {
        let bound = (6.0 / pair[0].max(1) as f32).sqrt();
        let w = Array2::from_shape_simple_fn((pair[0], pair[1]), || random.symmetric() * bound);
        Layer { w, b: Array1::zeros(pair[1]) }
    };
    let mut layers: Vec<Layer> = widths.windows(2).map(&mut layer).collect();
    if let Some(first) = layers.first_mut() {
        for (mut row, active) in first.w.rows_mut().into_iter().zip(data.active()) {
            if !active {
                row.fill(0.0);
            }
        }
    }
    Network { layers }
}

/// Trains, and calls back after each epoch.
pub fn fit(
    mut network: Network,
    data: &Dataset,
    settings: &Settings,
    random: &mut Random,
    mut done: impl FnMut(&Epoch<'_>) -> Result<(), Error>,
) -> Result<Fitted, Error> {
    let mut adam = Adam::new(&network, settings.learning_rate, settings.weight_decay);
    let mut order: Vec<usize> = (0..data.rows()).collect();
    let mut loss = f64::NAN;
    for number in 1..=settings.epochs {
        random.shuffle(&mut order);
        let mut sum = 0.0;
        for rows in order.chunks(settings.batch_size) {
            let (x, labels) = data.select(rows);
            let seen = network.forward(x.view());
            sum += losses(seen.logits.view(), &labels).iter().sum::<f64>();
            let gradients = network.weight_gradients(x.view(), &seen, loss_gradient(seen.logits.view(), &labels));
            adam.step(&mut network, &gradients);
        }
        loss = sum / data.rows() as f64;
        if !loss.is_finite() {
            return Err(Error::Refused(format!(
                "the loss is no finite number in epoch {number}: try a learning_rate below {}",
                settings.learning_rate
            )));
        }
        done(&Epoch { number, loss, network: &network })?;
    }
    Ok(Fitted { network, loss })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes that a line does not part: whether both coordinates have one sign.
    fn quadrants() -> Dataset {
        let mut random = Random::new(3);
        let x = Array2::from_shape_simple_fn((400, 2), || random.symmetric());
        let labels: Vec<_> = x.rows().into_iter().map(|r| Some(usize::from(r[0] * r[1] > 0.0))).collect();
        Dataset::of(&x, &labels)
    }

    fn train(seed: u64, learning_rate: f32) -> Result<(Vec<f64>, Network), Error> {
        let data = quadrants();
        let mut random = Random::new(seed);
        let settings = Settings { epochs: 40, batch_size: 32, learning_rate, weight_decay: 0.0 };
        let start = fresh(2, &[16], 2, &data, &mut random);
        let mut losses = Vec::new();
        let fitted = fit(start, &data, &settings, &mut random, |epoch| {
            losses.push(epoch.loss);
            Ok(())
        })?;
        Ok((losses, fitted.network))
    }

    #[test]
    fn training_learns_what_no_line_can_part() {
        let (losses, _) = train(1, 0.01).unwrap();
        assert_eq!(losses.len(), 40);
        assert!(losses[0] > 0.5 && losses[39] < 0.1, "{losses:?}");
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_seed_others() {
        let bytes = |seed| train(seed, 0.01).unwrap().1.to_safetensors().unwrap();
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn a_loss_that_explodes_is_refused_with_a_hint() {
        assert!(matches!(train(1, 1e30), Err(Error::Refused(message)) if message.contains("learning_rate")));
    }

    #[test]
    fn an_input_that_no_row_has_starts_silent() {
        let x = Array2::from_shape_fn((10, 2), |(i, j)| if j == 0 { i as f32 } else { 0.0 });
        let data = Dataset::of(&x, &[Some(0); 10]);
        let network = fresh(2, &[4], 2, &data, &mut Random::new(1));
        assert!(network.layers[0].w.row(0).iter().all(|w| *w != 0.0));
        assert!(network.layers[0].w.row(1).iter().all(|w| *w == 0.0));
    }
}
