//! Warm start: weights of an earlier model, matched to the new model's inputs by name.

use countersign_formats::model::{ModelIndex, TransformIndex};
use countersign_onnx::Network;
use std::collections::BTreeMap;

/// How the start went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was no earlier model, or it was not wanted.
    NoBase,
    /// The earlier model could not be used.
    Cold {
        /// Why.
        reason: String,
    },
    /// Weights were taken over.
    Warm {
        /// Trainable numbers taken over.
        numbers: u64,
        /// Inputs that the earlier model knew.
        known: usize,
        /// Inputs of the new model.
        inputs: usize,
    },
}

impl Outcome {
    /// Trainable numbers taken over; none after a cold start.
    pub fn reused(&self) -> Option<u64> {
        match self {
            Self::Warm { numbers, .. } => Some(*numbers),
            Self::NoBase | Self::Cold { .. } => None,
        }
    }

    /// For the step's summary.
    pub fn note(&self) -> String {
        match self {
            Self::NoBase => String::new(),
            Self::Cold { .. } => " · cold start".to_owned(),
            Self::Warm { known, inputs, .. } if known == inputs => " · warm start".to_owned(),
            Self::Warm { known, inputs, .. } => format!(" · warm start ({known} of {inputs} inputs known)"),
        }
    }
}

/// Puts the base's weights into a fresh network. Inputs that the base did not have keep their fresh weights.
pub fn start(mut fresh: Network, index: &TransformIndex, base: &Network, known: &ModelIndex) -> (Network, Outcome) {
    if let Some(reason) = misfit(&fresh, index, base, known) {
        return (fresh, Outcome::Cold { reason });
    }
    let rows: BTreeMap<&str, usize> = known.features.iter().map(String::as_str).zip(0..).collect();
    let (mut numbers, mut matched) = (0, 0);
    for (i, (layer, old)) in fresh.layers.iter_mut().zip(&base.layers).enumerate() {
        if i > 0 {
            layer.w.assign(&old.w);
            numbers += old.w.len();
        } else {
            for (mut row, name) in layer.w.rows_mut().into_iter().zip(&index.features) {
                if let Some(from) = rows.get(name.as_str()) {
                    row.assign(&old.w.row(*from));
                    numbers += row.len();
                    matched += 1;
                }
            }
        }
        layer.b.assign(&old.b);
        numbers += old.b.len();
    }
    (fresh, Outcome::Warm { numbers: numbers as u64, known: matched, inputs: index.features.len() })
}

fn misfit(fresh: &Network, index: &TransformIndex, base: &Network, known: &ModelIndex) -> Option<String> {
    if base.hidden_widths() != fresh.hidden_widths() {
        return Some(format!("its hidden layers are {:?}, not {:?}", base.hidden_widths(), fresh.hidden_widths()));
    }
    if known.label != index.label {
        return Some(format!(
            "it tells {} of `{}` apart, not {} of `{}`",
            known.label.classes.join(", "),
            known.label.name,
            index.label.classes.join(", "),
            index.label.name
        ));
    }
    if base.inputs() != known.features.len() || base.classes() != index.label.classes.len() {
        return Some("its weights do not fit its own index".to_owned());
    }
    if !known.features.iter().any(|name| index.features.contains(name)) {
        return Some("it has no model input in common with this one".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::model::Label;
    use countersign_onnx::Layer;
    use ndarray::{Array1, Array2, array};

    fn label(classes: &[&str]) -> Label {
        Label { name: "y".into(), classes: classes.iter().map(|c| (*c).to_owned()).collect() }
    }

    fn base() -> (Network, ModelIndex) {
        let layers = vec![
            Layer { w: array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], b: array![7.0, 8.0] },
            Layer { w: array![[9.0, 10.0], [11.0, 12.0]], b: array![13.0, 14.0] },
        ];
        let index = ModelIndex {
            inputs: Vec::new(),
            label: label(&["0", "1"]),
            features: ["fare", "hour", "gone"].map(str::to_owned).to_vec(),
            architecture: "mlp".into(),
            hidden: vec![2],
            parameters: 14,
            trained_on_rows: 10,
            epochs: 1,
            final_loss: 0.5,
            warm_started: None,
        };
        (Network::new(layers).unwrap(), index)
    }

    fn fresh(inputs: usize, hidden: usize) -> Network {
        let zero = |i, o| Layer { w: Array2::zeros((i, o)), b: Array1::zeros(o) };
        Network::new(vec![zero(inputs, hidden), zero(hidden, 2)]).unwrap()
    }

    fn index(features: &[&str], classes: &[&str]) -> TransformIndex {
        let features = features.iter().map(|f| (*f).to_owned()).collect();
        TransformIndex { inputs: Vec::new(), label: label(classes), features }
    }

    #[test]
    fn weights_are_matched_by_the_name_of_the_input() {
        let (network, known) = base();
        let index = index(&["hour", "new", "fare"], &["0", "1"]);
        let (started, outcome) = start(fresh(3, 2), &index, &network, &known);
        assert_eq!(started.layers[0].w, array![[3.0, 4.0], [0.0, 0.0], [1.0, 2.0]]);
        assert_eq!(started.layers[0].b, network.layers[0].b);
        assert_eq!(started.layers[1], network.layers[1]);
        assert_eq!(outcome, Outcome::Warm { numbers: 4 + 2 + 4 + 2, known: 2, inputs: 3 });
        assert_eq!(outcome.note(), " · warm start (2 of 3 inputs known)");
    }

    #[test]
    fn a_base_that_does_not_fit_means_a_cold_start_with_the_reason() {
        let (network, known) = base();
        let reason = |fresh: Network, index: TransformIndex| match start(fresh.clone(), &index, &network, &known) {
            (same, Outcome::Cold { reason }) if same == fresh => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(fresh(1, 5), index(&["fare"], &["0", "1"])), "its hidden layers are [2], not [5]");
        assert_eq!(
            reason(fresh(1, 2), index(&["fare"], &["no", "yes"])),
            "it tells 0, 1 of `y` apart, not no, yes of `y`"
        );
        assert_eq!(reason(fresh(1, 2), index(&["new"], &["0", "1"])), "it has no model input in common with this one");
    }
}
