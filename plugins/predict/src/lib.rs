//! The component `predict`: what one model makes of one example that a person typed. It asks for nothing but its two inputs.
//!
//! Texts become what the model was trained on: a number column is parsed, text is taken as it is, and a column that is left out or
//! empty is missing. An example that the model can not read is an answer (`refused`), not a failure.

use countersign_formats::model::{MODEL_GRAPH, MODEL_INDEX, ModelIndex, RawInput};
use countersign_formats::prediction::{ANSWER, EXAMPLE, Example, Prediction};
use countersign_onnx::graph::PROBABILITIES;
use countersign_onnx::run::Value;
use countersign_onnx::{OnnxError, Program};
use countersign_sdk::{Component, Description, Error, Outcome, Port, Task, files};
use ndarray::Array2;
use std::collections::BTreeMap;

/// Nothing can be set.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {}

/// The component.
pub struct Predict;

impl Component for Predict {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("predict", env!("CARGO_PKG_VERSION"), "Asks a model about one example.")
            .input(Port::input("model", "Model").describe("The model that is asked."))
            .input(Port::input("example", "Example").describe("The example: raw column to text."))
            .output(Port::output("answer", "Answer").describe("The probability of each label, or why there is none."))
    }

    fn execute(task: &Task, _parameters: Parameters) -> Result<Outcome, Error> {
        let model = task.input("model")?;
        let index: ModelIndex = files::read_json(model.join(MODEL_INDEX))?;
        let graph = std::fs::read(model.join(MODEL_GRAPH))
            .map_err(|error| Error::InvalidInput(format!("read {MODEL_GRAPH} of the model: {error}")))?;
        let program = Program::load(&graph).map_err(unusable)?;
        let example: Example = files::read_json(task.input("example")?.join(EXAMPLE))?;
        let answer = match values(&index.inputs, &example) {
            Ok(values) => predict(&program, &index, &values)?,
            Err(refused) => Prediction::Refused { refused },
        };
        files::write_json(task.output("answer")?.join(ANSWER), &answer)?;
        Ok(Outcome::new(match &answer {
            Prediction::Predicted { label, .. } => format!("{} = {label}", index.label.name),
            Prediction::Refused { refused } => refused.clone(),
        }))
    }
}

countersign_sdk::export!(Predict);

/// One row of the graph's inputs. Columns that the model does not read are left alone: the model beside it may read them.
fn values(inputs: &[RawInput], example: &Example) -> Result<BTreeMap<String, Value>, String> {
    let value = |input: &RawInput| {
        let text = example.get(&input.name).map_or("", String::as_str);
        let value = if input.text {
            Value::Text(Array2::from_elem((1, 1), text.to_string()))
        } else {
            Value::Double(Array2::from_elem((1, 1), number(&input.name, text)?))
        };
        Ok((input.name.clone(), value))
    };
    inputs.iter().map(value).collect()
}

fn number(column: &str, text: &str) -> Result<f64, String> {
    match text.trim() {
        "" => Ok(f64::NAN),
        text => text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| format!("column `{column}` takes a number such as 12.5, not `{text}`")),
    }
}

fn predict(program: &Program, index: &ModelIndex, values: &BTreeMap<String, Value>) -> Result<Prediction, Error> {
    let answers = program.run_for(values, &[PROBABILITIES]).map_err(unusable)?;
    let answer = answers.into_values().next().map(Value::into_float).transpose().map_err(unusable)?;
    let classes = &index.label.classes;
    let wrong = |what: String| Error::InvalidInput(format!("model: {what}"));
    let answer = answer.ok_or_else(|| wrong(format!("no output `{PROBABILITIES}`")))?;
    if answer.dim() != (1, classes.len()) {
        let (rows, columns) = answer.dim();
        return Err(wrong(format!("{rows} x {columns} probabilities for one row and {} labels", classes.len())));
    }
    let shares: Vec<f64> = answer.iter().map(|share| f64::from(*share)).collect();
    if let Some(share) = shares.iter().find(|share| !share.is_finite()) {
        return Err(wrong(format!("it answers the probability {share}")));
    }
    // The first of equals, as everywhere else.
    let likelier = |best: usize, at: usize| if shares[at] > shares[best] { at } else { best };
    let best = (0..shares.len()).reduce(likelier).ok_or_else(|| wrong("it knows no label".to_string()))?;
    let label = classes[best].clone();
    Ok(Prediction::Predicted { label, probabilities: classes.iter().cloned().zip(shares).collect() })
}

fn unusable(error: OnnxError) -> Error {
    Error::InvalidInput(format!("model: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::model::Label;
    use countersign_onnx::{GraphBuilder, graph, proto::DataType};
    use std::fs;
    use std::path::Path;

    /// `probabilities = [1 - fare, fare]`, as far as the sign goes: the graph multiplies and adds.
    fn model(folder: &Path) {
        let mut builder = GraphBuilder::new("model");
        builder.input("fare", DataType::Double, 1);
        builder.input("company", DataType::String, 1);
        builder.node("Cast", &["fare"], "number", vec![graph::integer("to", 1)]);
        builder.floats("weights", &[1, 2], &[-1.0, 1.0]);
        builder.floats("bias", &[2], &[1.0, 0.0]);
        builder.node("MatMul", &["number", "weights"], "product", Vec::new());
        builder.node("Add", &["product", "bias"], PROBABILITIES, Vec::new());
        builder.output(PROBABILITIES, DataType::Float, 2);
        fs::write(folder.join(MODEL_GRAPH), graph::encode(&builder.finish(&[]).unwrap())).unwrap();
        let index = ModelIndex {
            inputs: vec![
                RawInput { name: "fare".into(), text: false },
                RawInput { name: "company".into(), text: true },
            ],
            label: Label { name: "tip".into(), classes: vec!["no".into(), "yes".into()] },
            features: vec!["fare".into()],
            architecture: "mlp".into(),
            hidden: Vec::new(),
            parameters: 0,
            trained_on_rows: 1,
            epochs: 1,
            final_loss: 0.5,
            warm_started: None,
        };
        files::write_json(folder.join(MODEL_INDEX), &index).unwrap();
    }

    fn ask(example: &[(&str, &str)]) -> Result<Prediction, Error> {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [from, shown, to] = &folders;
        model(from.path());
        let example: Example = example.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        files::write_json(shown.path().join(EXAMPLE), &example).unwrap();
        let task = Task::new(0).with_input("model", [from.path()]).with_input("example", [shown.path()]);
        Predict::execute(&task.with_output("answer", to.path()), Parameters {})?;
        files::read_json(to.path().join(ANSWER))
    }

    #[test]
    fn a_typed_example_gets_every_labels_probability() {
        let answer = ask(&[("fare", " 0.75 "), ("company", "Blue Ribbon"), ("unknown column", "x")]).unwrap();
        let probabilities = vec![("no".to_string(), 0.25), ("yes".to_string(), 0.75)];
        assert_eq!(answer, Prediction::Predicted { label: "yes".into(), probabilities });
        let answer = ask(&[("fare", "0.5")]).unwrap();
        assert!(matches!(answer, Prediction::Predicted { label, .. } if label == "no"), "the first of equals");
    }

    #[test]
    fn what_is_no_number_is_refused_by_name() {
        for text in ["twelve", "inf", "NaN", "1,5"] {
            let answer = ask(&[("fare", text)]).unwrap();
            assert!(
                matches!(&answer, Prediction::Refused { refused } if refused.contains("`fare`") && refused.contains(text))
            );
        }
    }

    #[test]
    fn what_is_left_out_is_missing_as_in_training() {
        let inputs = [RawInput { name: "fare".into(), text: false }, RawInput { name: "company".into(), text: true }];
        let values = values(&inputs, &Example::from([("fare".into(), "  ".into())])).unwrap();
        assert!(matches!(&values["fare"], Value::Double(value) if value[[0, 0]].is_nan()));
        assert!(matches!(&values["company"], Value::Text(value) if value[[0, 0]].is_empty()));
        // This graph has no rule for a missing fare: its answer is no probability, and that is the model's fault.
        assert!(matches!(ask(&[]), Err(Error::InvalidInput(message)) if message.contains("NaN")));
    }
}
