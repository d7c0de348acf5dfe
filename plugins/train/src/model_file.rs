//! Composes `model.onnx`: the transform's nodes, then the network's.

use countersign_formats::model::ModelIndex;
use countersign_onnx::{GraphBuilder, Network, OnnxError, graph};

/// The file's bytes. Its metadata says what the columns of the output mean, for whoever has only this file.
pub fn compose(transform: &[u8], network: &Network, index: &ModelIndex) -> Result<Vec<u8>, OnnxError> {
    let mut builder = GraphBuilder::append_to(graph::decode(transform)?, "model")?;
    builder.network(network);
    let classes = serde_json::to_string(&index.label.classes).map_err(|e| OnnxError::Graph(e.to_string()))?;
    let features = serde_json::to_string(&index.features).map_err(|e| OnnxError::Graph(e.to_string()))?;
    let metadata = [
        ("countersign.artifact", "Model"),
        ("countersign.label", index.label.name.as_str()),
        ("countersign.classes", classes.as_str()),
        ("countersign.features", features.as_str()),
    ];
    Ok(graph::encode(&builder.finish(&metadata)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::fit;
    use crate::random::Random;
    use countersign_formats::model::Label;
    use countersign_onnx::graph::{FEATURES, LOGITS};
    use countersign_onnx::proto::DataType;
    use countersign_onnx::{Program, Value};
    use ndarray::{Array2, array};
    use std::collections::BTreeMap;

    fn transform() -> Vec<u8> {
        let mut builder = GraphBuilder::new("transform");
        builder.input("a", DataType::Double, 1);
        builder.input("b", DataType::Double, 1);
        builder.doubles("/mean", &[2], &[10.0, 20.0]);
        builder.node("Concat", &["a", "b"], "/raw", vec![graph::integer("axis", 1)]);
        builder.node("Sub", &["/raw", "/mean"], "/centred", vec![]);
        builder.node("Cast", &["/centred"], FEATURES, vec![graph::integer("to", 1)]);
        builder.output(FEATURES, DataType::Float, 2);
        graph::encode(&builder.finish(&[]).unwrap())
    }

    #[test]
    fn the_file_answers_from_raw_columns_what_the_network_answers_from_features() {
        let features: Array2<f32> = array![[0.5, -1.0], [2.0, 0.25], [-3.0, 1.0]];
        let data = Dataset::of(&features, &[Some(0), Some(1), Some(1)]);
        let network = fit::fresh(2, &[4, 3], 2, &data, &mut Random::new(5));
        let index = ModelIndex {
            inputs: Vec::new(),
            label: Label { name: "y".into(), classes: vec!["no".into(), "yes".into()] },
            features: vec!["a".into(), "b".into()],
            architecture: "mlp".into(),
            hidden: vec![4, 3],
            parameters: network.parameters() as u64,
            trained_on_rows: 3,
            epochs: 1,
            final_loss: 0.1,
            warm_started: None,
        };
        let bytes = compose(&transform(), &network, &index).unwrap();
        assert_eq!(bytes, compose(&transform(), &network, &index).unwrap());
        let program = Program::load(&bytes).unwrap();
        let column = |i: usize, mean: f64| {
            Value::Double(Array2::from_shape_fn((3, 1), |(r, _)| f64::from(features[(r, i)]) + mean))
        };
        let raw = BTreeMap::from([("a".to_owned(), column(0, 10.0)), ("b".to_owned(), column(1, 20.0))]);
        let out = program.run_for(&raw, &[FEATURES, LOGITS]).unwrap();
        assert_eq!(out[FEATURES], Value::Float(features.clone()));
        assert_eq!(out[LOGITS], Value::Float(network.forward(features.view()).logits));
        assert_eq!(program.outputs(), ["logits", "probabilities"]);
        assert_eq!(Network::from_program(&program).unwrap(), network);
    }
}
