//! Scores a batch of transformed rows over all checkpoints. Holds gradients of one chunk of rows at a time: memory is chunk times
//! inputs, whatever the number of checkpoints and rows.

use crate::gradients::{Target, input_gradients};
use crate::neighbours::{Neighbours, Running, predicted};
use crate::parameters::LabelKind;
use crate::vog::{Reduction, Spread};
use countersign_onnx::Network;
use ndarray::{ArrayView2, Axis};
use std::ops::Range;

/// Rows whose gradients are held at once.
const CHUNK: usize = 1_024;

/// What is computed.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What the gradient is of.
    pub target: Target,
    /// Whose class.
    pub label: LabelKind,
    /// Checkpoints that VoG takes.
    pub stage: Range<usize>,
    /// Checkpoints that EL2N takes.
    pub early: Range<usize>,
    /// How the spread becomes a number.
    pub reduction: Reduction,
}

/// One example's scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Given class.
    pub label: usize,
    /// Class predicted at the last checkpoint.
    pub predicted: usize,
    /// VoG.
    pub vog: f64,
    /// The cheap scores.
    pub neighbours: Neighbours,
}

impl Scored {
    /// Whether every score is a number.
    pub fn is_finite(&self) -> bool {
        let Neighbours { mean_loss, aum, el2n, confidence, variability, forgetting: _ } = self.neighbours;
        [self.vog, mean_loss, aum, el2n, confidence, variability].into_iter().all(f64::is_finite)
    }
}

/// Scores rows `[n, inputs]` with their labels; checkpoints oldest first, at least one.
pub fn score(checkpoints: &[Network], rows: ArrayView2<'_, f32>, labels: &[usize], variant: &Variant) -> Vec<Scored> {
    rows.axis_chunks_iter(Axis(0), CHUNK)
        .zip(labels.chunks(CHUNK))
        .flat_map(|(rows, labels)| score_chunk(checkpoints, rows, labels, variant))
        .collect()
}

fn score_chunk(checkpoints: &[Network], rows: ArrayView2<'_, f32>, labels: &[usize], variant: &Variant) -> Vec<Scored> {
    let Some(last) = checkpoints.last() else { return Vec::new() };
    let answers: Vec<usize> =
        last.forward(rows).logits.rows().into_iter().map(|row| predicted(&row.to_vec())).collect();
    let classes = match variant.label {
        LabelKind::True => labels,
        LabelKind::Predicted => &answers,
    };
    let mut spread = Spread::new(rows.nrows(), rows.ncols());
    let mut running = Running::new(rows.nrows());
    for (position, network) in checkpoints.iter().enumerate() {
        let seen = network.forward(rows);
        running.add(seen.logits.view(), labels, variant.early.contains(&position));
        if variant.stage.contains(&position) {
            spread.add(input_gradients(network, &seen, variant.target, classes).view());
        }
    }
    let vog = spread.scores(variant.reduction);
    let scored = labels.iter().zip(&answers).zip(vog.into_iter().zip(running.finish()));
    scored.map(|((&label, &predicted), (vog, neighbours))| Scored { label, predicted, vog, neighbours }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_onnx::Layer;
    use ndarray::{Array1, Array2};

    fn network(salt: usize) -> Network {
        let layer = |rows, columns, salt: usize| Layer {
            w: Array2::from_shape_fn((rows, columns), |(i, j)| (((i * 7 + j * 13 + salt) % 11) as f32 - 5.0) / 6.0),
            b: Array1::from_shape_fn(columns, |j| (j as f32 - 1.0) / 9.0),
        };
        Network::new(vec![layer(3, 4, salt), layer(4, 3, salt + 1)]).unwrap()
    }

    /// Three classes: with two, a probability's gradient and its complement's differ in sign only, and VoG does not tell them apart.
    fn setting() -> (Vec<Network>, Array2<f32>, Vec<usize>) {
        let rows = Array2::from_shape_fn((CHUNK + 50, 3), |(i, j)| ((i * 5 + j * 3) % 17) as f32 / 8.0 - 1.0);
        let labels = (0..rows.nrows()).map(|row| row % 3).collect();
        ((0..4).map(network).collect(), rows, labels)
    }

    fn variant(label: LabelKind) -> Variant {
        Variant { target: Target::Softmax, label, stage: 1..4, early: 0..2, reduction: Reduction::Std }
    }

    #[test]
    fn chunks_change_nothing() {
        let (checkpoints, rows, labels) = setting();
        let all = score(&checkpoints, rows.view(), &labels, &variant(LabelKind::Predicted));
        assert_eq!(all.len(), labels.len());
        let tail = rows.slice(ndarray::s![CHUNK.., ..]);
        let tail = score(&checkpoints, tail, &labels[CHUNK..], &variant(LabelKind::Predicted));
        for (left, right) in all[CHUNK..].iter().zip(&tail) {
            assert!((left.vog - right.vog).abs() < 1e-6 && left.predicted == right.predicted);
        }
        assert!(all.iter().all(Scored::is_finite));
    }

    #[test]
    fn the_predicted_label_is_the_last_checkpoints() {
        let (checkpoints, rows, labels) = setting();
        let logits = checkpoints[3].forward(rows.view()).logits;
        let answers: Vec<usize> = logits.rows().into_iter().map(|row| predicted(&row.to_vec())).collect();
        let of = |labels: &[usize], kind| -> Vec<f64> {
            score(&checkpoints, rows.view(), labels, &variant(kind)).iter().map(|scored| scored.vog).collect()
        };
        assert_ne!(answers, labels);
        assert_eq!(of(&labels, LabelKind::Predicted), of(&answers, LabelKind::True));
        assert_ne!(of(&labels, LabelKind::Predicted), of(&labels, LabelKind::True));
    }
}
