use super::*;
use ndarray::array;

/// Numbers without a pattern, and without a random generator.
fn wild(rows: usize, columns: usize, phase: f32) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 7 + j * 13) as f32 * 0.37 + phase).sin())
}

fn network() -> Network {
    let layer = |i, o, phase| Layer { w: wild(i, o, phase), b: wild(1, o, phase + 2.0).into_iter().collect() };
    Network::new(vec![layer(4, 6, 0.3), layer(6, 5, 1.1), layer(5, 3, 0.8)]).unwrap()
}

fn mean_loss(network: &Network, x: &Array2<f32>, labels: &[usize]) -> f64 {
    losses(network.forward(x.view()).logits.view(), labels).iter().sum::<f64>() / labels.len() as f64
}

/// A step small enough for a straight line, large enough for single precision.
const STEP: f32 = 1e-2;

fn close(analytic: f32, measured: f64) {
    let gap = (f64::from(analytic) - measured).abs();
    assert!(gap < 2e-3, "analytic {analytic}, measured {measured}");
}

#[test]
fn weight_gradients_are_the_slopes_of_the_loss() {
    let (network, x, labels) = (network(), wild(8, 4, 0.5), [0, 1, 2, 2, 1, 0, 1, 2]);
    let seen = network.forward(x.view());
    let gradients = network.weight_gradients(x.view(), &seen, loss_gradient(seen.logits.view(), &labels));
    for (l, gradient) in gradients.iter().enumerate() {
        for at in [(0, 0), (1, 2), (3, 1)] {
            let moved = |by: f32| {
                let mut other = network.clone();
                other.layers[l].w[at] += by;
                mean_loss(&other, &x, &labels)
            };
            close(gradient.w[at], (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP));
        }
        let moved = |by: f32| {
            let mut other = network.clone();
            other.layers[l].b[1] += by;
            mean_loss(&other, &x, &labels)
        };
        close(gradient.b[1], (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP));
    }
}

#[test]
fn input_gradients_are_the_slopes_of_each_target() {
    let (network, x, classes) = (network(), wild(5, 4, 0.9), [2, 0, 1, 1, 0]);
    let value = |target: Target, x: &Array2<f32>, row: usize| {
        let logits = network.forward(x.view()).logits;
        match target {
            Target::Logit => f64::from(logits[(row, classes[row])]),
            Target::Probability => f64::from(softmax(logits.view())[(row, classes[row])]),
            Target::LogProbability => -losses(logits.view(), &classes)[row],
        }
    };
    for target in [Target::Logit, Target::Probability, Target::LogProbability] {
        let seen = network.forward(x.view());
        let seed = output_gradient(target, seen.logits.view(), &classes);
        let gradient = network.input_gradients(&seen, seed);
        for row in 0..5 {
            for column in 0..4 {
                let moved = |by: f32| {
                    let mut other = x.clone();
                    other[(row, column)] += by;
                    value(target, &other, row)
                };
                close(gradient[(row, column)], (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP));
            }
        }
    }
}

#[test]
fn forward_is_what_a_hand_works_out() {
    let layers = vec![
        Layer { w: array![[1.0, -1.0], [2.0, 0.5]], b: array![0.0, 1.0] },
        Layer { w: array![[1.0, 0.0], [0.0, 2.0]], b: array![-1.0, 0.0] },
    ];
    let seen = Network::new(layers).unwrap().forward(array![[1.0, 1.0], [-1.0, 0.0]].view());
    assert_eq!(seen.hidden, [array![[3.0, 0.5], [0.0, 2.0]]]);
    assert_eq!(seen.logits, array![[2.0, 1.0], [-1.0, 4.0]]);
}

#[test]
fn a_confident_mistake_has_a_finite_loss() {
    let logits = array![[500.0, -500.0], [0.0, 0.0]];
    assert_eq!(losses(logits.view(), &[1, 0]), [1000.0, f64::from(2f32.ln())]);
    assert_eq!(softmax(logits.view()), array![[1.0, 0.0], [0.5, 0.5]]);
}

#[test]
fn checkpoints_come_back_and_misfits_are_refused() {
    let network = network();
    let bytes = network.to_safetensors().unwrap();
    assert_eq!(Network::from_safetensors(&bytes).unwrap(), network);
    assert_eq!(network.to_safetensors().unwrap(), bytes);
    let mut layers = network.layers;
    layers.remove(1);
    assert!(matches!(Network::new(layers), Err(OnnxError::Layers(_))));
    assert!(matches!(Network::from_safetensors(b"no checkpoint"), Err(OnnxError::Safetensors { .. })));
}
