//! VoG against golden data: values made by another implementation in 64 bits, and values that the method's authors published.
//! Tolerance 1e-5 relative, and the same order.

use countersign_onnx::{Layer, Network};
use countersign_plugin_difficulty::gradients::{Target, input_gradients};
use countersign_plugin_difficulty::vog::{Normalisation, Reduction, Spread, normalise};
use ndarray::{Array2, ArrayView2};
use safetensors::{Dtype, SafeTensors};

struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        let path = format!("{}/tests/data/vog-golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Self(std::fs::read(path).unwrap())
    }

    /// A tensor of any type, as 64-bit floats, and its shape.
    fn tensor(&self, name: &str) -> (Vec<f64>, Vec<usize>) {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let data = tensor.data();
        let values = match tensor.dtype() {
            Dtype::U8 => data.iter().map(|byte| f64::from(*byte)).collect(),
            Dtype::I32 => data.as_chunks().0.iter().map(|bytes| f64::from(i32::from_le_bytes(*bytes))).collect(),
            Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect(),
            Dtype::F64 => data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
            other => panic!("{name} is {other:?}"),
        };
        (values, tensor.shape().to_vec())
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.tensor(name).0
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.values(name).into_iter().map(|value| value as f32).collect()
    }

    fn classes(&self) -> Vec<usize> {
        self.values("y").into_iter().map(|class| class as usize).collect()
    }

    fn network(&self, checkpoint: usize) -> Network {
        let layer = |n: usize| {
            let name = format!("ck{checkpoint:02}_w{n}");
            let shape = self.tensor(&name).1;
            Layer {
                w: Array2::from_shape_vec((shape[0], shape[1]), self.floats(&name)).unwrap(),
                b: self.floats(&format!("ck{checkpoint:02}_b{n}")).into(),
            }
        };
        Network::new(vec![layer(1), layer(2)]).unwrap()
    }
}

fn order(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    order
}

fn compare(what: &str, seen: &[f64], expected: &[f64]) {
    assert_eq!(seen.len(), expected.len());
    for (row, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        let error = (seen - expected).abs() / expected.abs().max(1e-3);
        assert!(error < 1e-5, "{what} of example {row}: {seen} against {expected}");
    }
}

/// Rank correlation 1.0: the same order, save for values that the golden file itself can not tell apart.
fn same_order(seen: &[f64], expected: &[f64]) {
    for pair in order(seen).windows(2) {
        let (low, high) = (expected[pair[0]], expected[pair[1]]);
        assert!(high >= low * (1.0 - 1e-5), "{low} before {high}");
    }
}

fn check(golden: &Golden, x: &Array2<f32>, checkpoints: usize) {
    let classes = golden.classes();
    let mut spread = Spread::new(x.nrows(), x.ncols());
    for checkpoint in 0..checkpoints {
        let network = golden.network(checkpoint);
        let seen = network.forward(x.view());
        spread.add(input_gradients(&network, &seen, Target::Logit, &classes).view());
    }
    let std = spread.scores(Reduction::Std);
    compare("std", &std, &golden.values("vog_std"));
    same_order(&std, &golden.values("vog_std"));
    compare("variance", &spread.scores(Reduction::Variance), &golden.values("vog_var"));
    compare("paper", &spread.scores(Reduction::Paper), &golden.values("vog_lit"));
    let mut normalised = std;
    normalise(&mut normalised, &classes, Normalisation::Class);
    let expected = golden.values("vog_norm");
    for (seen, expected) in normalised.iter().zip(&expected) {
        // A distance in standard deviations: absolute, since a value near the class's mean has no relative precision.
        assert!((seen - expected).abs() < 1e-4, "normalised {seen} against {expected}");
    }
}

#[test]
fn mlp_on_fashion_mnist() {
    let golden = Golden::open("mlp");
    let (pixels, shape) = golden.tensor("x_u8");
    let x: Vec<f32> = pixels.into_iter().map(|pixel| pixel as f32 / 255.0).collect();
    check(&golden, &Array2::from_shape_vec((shape[0], shape[1] * shape[2]), x).unwrap(), 6);
}

#[test]
fn gradients_and_logits_of_the_mlp() {
    let golden = Golden::open("mlp");
    let x: Vec<f32> = golden.values("x_u8").into_iter().map(|pixel| pixel as f32 / 255.0).collect();
    let x = Array2::from_shape_vec((500, 784), x).unwrap();
    let classes = golden.classes();
    let (gradients, logits) = (golden.floats("grads_first8"), golden.floats("logits"));
    for checkpoint in 0..6 {
        let network = golden.network(checkpoint);
        let seen = network.forward(x.view());
        let expected = &logits[checkpoint * 5_000..(checkpoint + 1) * 5_000];
        for (seen, expected) in seen.logits.iter().zip(expected) {
            assert!((seen - expected).abs() < 1e-4, "logit {seen} against {expected}");
        }
        let of_all = input_gradients(&network, &seen, Target::Logit, &classes);
        let expected = &gradients[checkpoint * 8 * 784..(checkpoint + 1) * 8 * 784];
        for (seen, expected) in of_all.rows().into_iter().take(8).flatten().zip(expected) {
            assert!((seen - expected).abs() < 1e-5, "gradient {seen} against {expected}");
        }
    }
}

#[test]
fn toy_blobs() {
    let golden = Golden::open("toy");
    let x = Array2::from_shape_vec((50, 2), golden.floats("x")).unwrap();
    check(&golden, &x, 15);
}

#[test]
fn values_that_the_authors_published() {
    let golden = Golden::open("authors");
    let (gradients, shape) = (golden.floats("grads"), golden.tensor("grads").1);
    let (images, inputs) = (shape[1], shape[2] * shape[3]);
    let mut spread = Spread::new(images, inputs);
    for gradients in gradients.chunks(images * inputs) {
        spread.add(ArrayView2::from_shape((images, inputs), gradients).unwrap());
    }
    compare("published VoG", &spread.scores(Reduction::Std), &golden.values("published_vog"));
}
