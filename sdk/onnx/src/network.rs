//! The numeric kernels of the multi-layer perceptron: forward, loss, and gradients of weights and of inputs.
//!
//! All multiplication goes through ndarray's `dot` (matrixmultiply, which uses SIMD in the sandbox too), so a faster backend
//! has one file to replace. It knows layers and arrays; not files, rows of data, or optimisers.

use crate::error::OnnxError;
use crate::run::{Program, Value};
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

/// One layer, `x w + b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Weights, `[in, out]`.
    pub w: Array2<f32>,
    /// Biases, `[out]`.
    pub b: Array1<f32>,
}

/// Layers with ReLU between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// First to last.
    pub layers: Vec<Layer>,
}

/// What a forward pass leaves for the backward pass.
#[derive(Debug, Clone)]
pub struct Activations {
    /// Output of each hidden layer after ReLU.
    pub hidden: Vec<Array2<f32>>,
    /// Output of the last layer.
    pub logits: Array2<f32>,
}

/// The scalar of an example whose gradient is wanted, for a given class y of that example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Logit of y.
    Logit,
    /// Softmax probability of y.
    Probability,
    /// Logarithm of that probability: the negative of the loss.
    LogProbability,
}

impl Network {
    /// Checks that there are layers and that they fit one another.
    pub fn new(layers: Vec<Layer>) -> Result<Self, OnnxError> {
        let fits = layers.windows(2).all(|pair| pair[0].w.ncols() == pair[1].w.nrows());
        if layers.is_empty() || !fits || layers.iter().any(|l| l.w.ncols() != l.b.len()) {
            return Err(OnnxError::Layers("the layers do not fit one another".into()));
        }
        Ok(Self { layers })
    }

    /// Model inputs D.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |l| l.w.nrows())
    }

    /// Classes C.
    pub fn classes(&self) -> usize {
        self.layers.last().map_or(0, |l| l.b.len())
    }

    /// Widths of the hidden layers.
    pub fn hidden_widths(&self) -> Vec<usize> {
        self.layers.iter().take(self.layers.len().saturating_sub(1)).map(|l| l.b.len()).collect()
    }

    /// Trainable numbers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|l| l.w.len() + l.b.len()).sum()
    }

    /// Forward pass over rows `[n, D]`.
    pub fn forward(&self, x: ArrayView2<'_, f32>) -> Activations {
        let mut hidden: Vec<Array2<f32>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let input = match hidden.last_mut() {
                Some(previous) => {
                    previous.mapv_inplace(|h| h.max(0.0));
                    previous.view()
                }
                None => x,
            };
            let output = input.dot(&layer.w) + &layer.b;
            hidden.push(output);
        }
        let logits = hidden.pop().unwrap_or_default();
        Activations { hidden, logits }
    }

    /// Gradients of all weights, from the gradient with respect to the logits `[n, C]`.
    pub fn weight_gradients(&self, x: ArrayView2<'_, f32>, seen: &Activations, d_logits: Array2<f32>) -> Vec<Layer> {
        let mut gradients = Vec::with_capacity(self.layers.len());
        let mut delta = d_logits;
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let input = if i == 0 { x } else { seen.hidden[i - 1].view() };
            gradients.push(Layer { w: input.t().dot(&delta), b: delta.sum_axis(Axis(0)) });
            if i > 0 {
                delta = through_relu(delta.dot(&layer.w.t()), &seen.hidden[i - 1]);
            }
        }
        gradients.reverse();
        gradients
    }

    /// Gradients of each row's scalar with respect to that row's inputs, `[n, D]`, from its gradient with respect to the
    /// logits ([`output_gradient`]).
    pub fn input_gradients(&self, seen: &Activations, d_logits: Array2<f32>) -> Array2<f32> {
        let mut delta = d_logits;
        for (i, layer) in self.layers.iter().enumerate().rev() {
            delta = delta.dot(&layer.w.t());
            if i > 0 {
                delta = through_relu(delta, &seen.hidden[i - 1]);
            }
        }
        delta
    }

    /// As safetensors: `w1`, `b1`, `w2`, ...
    pub fn to_safetensors(&self) -> Result<Vec<u8>, OnnxError> {
        let bytes = |values: &mut dyn Iterator<Item = &f32>| values.flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (layer, n) in self.layers.iter().zip(1..) {
            tensors.push((format!("w{n}"), layer.w.shape().to_vec(), bytes(&mut layer.w.iter())));
            tensors.push((format!("b{n}"), layer.b.shape().to_vec(), bytes(&mut layer.b.iter())));
        }
        let views = tensors
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, OnnxError>>()?;
        Ok(serialize(views, None)?)
    }

    /// Reads [`Network::to_safetensors`].
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, OnnxError> {
        let file = SafeTensors::deserialize(bytes)?;
        Self::collect(|name| {
            let Ok(tensor) = file.tensor(name) else { return Ok(None) };
            let shape = match tensor.shape() {
                [k] => (1, *k),
                [n, k] => (*n, *k),
                other => return Err(OnnxError::Layers(format!("`{name}` has the shape {other:?}"))),
            };
            let values = tensor.data().as_chunks::<4>().0.iter().map(|c| f32::from_le_bytes(*c)).collect();
            match Array2::from_shape_vec(shape, values) {
                Ok(array) if tensor.dtype() == Dtype::F32 => Ok(Some(array)),
                _ => Err(OnnxError::Layers(format!("`{name}` does not hold 32-bit floats"))),
            }
        })
    }

    /// Reads the layers out of a model's constants.
    pub fn from_program(program: &Program) -> Result<Self, OnnxError> {
        Self::collect(|name| match program.initializer(name) {
            Some(Value::Float(array)) => Ok(Some(array.clone())),
            Some(other) => Err(OnnxError::Layers(format!("`{name}` is {}", other.type_name()))),
            None => Ok(None),
        })
    }

    fn collect(tensor: impl Fn(&str) -> Result<Option<Array2<f32>>, OnnxError>) -> Result<Self, OnnxError> {
        let mut layers = Vec::new();
        while let Some(w) = tensor(&format!("w{}", layers.len() + 1))? {
            let name = format!("b{}", layers.len() + 1);
            let b = tensor(&name)?.ok_or_else(|| OnnxError::Layers(format!("`{name}` is absent")))?;
            layers.push(Layer { w, b: b.into_iter().collect() });
        }
        Self::new(layers)
    }
}

fn through_relu(mut delta: Array2<f32>, activation: &Array2<f32>) -> Array2<f32> {
    Zip::from(&mut delta).and(activation).for_each(|d, h| {
        if *h <= 0.0 {
            *d = 0.0;
        }
    });
    delta
}

/// Softmax of each row.
pub fn softmax(logits: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut out = logits.to_owned();
    for mut row in out.rows_mut() {
        let top = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        row.mapv_inplace(|z| (z - top).exp());
        let sum = row.sum();
        row.mapv_inplace(|e| e / sum);
    }
    out
}

/// Cross-entropy of each row's label, computed in log space so that a confident mistake stays finite.
pub fn losses(logits: ArrayView2<'_, f32>, labels: &[usize]) -> Vec<f64> {
    let loss = |(row, label): (ndarray::ArrayView1<'_, f32>, &usize)| {
        let top = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let sum: f32 = row.iter().map(|z| (z - top).exp()).sum();
        f64::from(sum.ln() + top - row[*label])
    };
    logits.rows().into_iter().zip(labels).map(loss).collect()
}

/// Gradient of the mean cross-entropy with respect to the logits.
pub fn loss_gradient(logits: ArrayView2<'_, f32>, labels: &[usize]) -> Array2<f32> {
    let mut gradient = softmax(logits);
    for (mut row, label) in gradient.rows_mut().into_iter().zip(labels) {
        row[*label] -= 1.0;
    }
    let rows = labels.len().max(1) as f32;
    gradient.mapv_inplace(|g| g / rows);
    gradient
}

/// Gradient of each row's [`Target`] with respect to its logits, for the class given by row.
pub fn output_gradient(target: Target, logits: ArrayView2<'_, f32>, classes: &[usize]) -> Array2<f32> {
    let mut gradient = match target {
        Target::Logit => Array2::zeros(logits.dim()),
        Target::Probability | Target::LogProbability => softmax(logits),
    };
    for (mut row, class) in gradient.rows_mut().into_iter().zip(classes) {
        let scale = if target == Target::Probability { row[*class] } else { 1.0 };
        row.mapv_inplace(|p| -p * scale);
        row[*class] += scale;
    }
    gradient
}

#[cfg(test)]
mod tests;
