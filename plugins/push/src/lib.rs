//! The component `push`: puts together what is deployed. It checks that the file can be run and says what it is; the host alone
//! places it into the target, and only under a permit.

use countersign_formats::model::{MODEL_GRAPH, MODEL_INDEX, ModelIndex, PUSHED_INDEX, PushedIndex};
use countersign_onnx::Program;
use countersign_sdk::{Component, Description, Error, Outcome, Port, Task, files};
use sha2::{Digest, Sha256};

/// Nothing can be set: where it goes is the pipeline's and the host's business.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {}

/// The component.
pub struct Push;

impl Component for Push {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("push", env!("CARGO_PKG_VERSION"), "Puts together the files that are deployed.")
            .input(Port::input("model", "Model").describe("The model that was signed off."))
            .output(Port::output("pushed", "PushedModel").describe("The same files, with a note of what they are."))
    }

    fn execute(task: &Task, _parameters: Parameters) -> Result<Outcome, Error> {
        let (model, pushed) = (task.input("model")?, task.output("pushed")?);
        let index: ModelIndex = files::read_json(model.join(MODEL_INDEX))?;
        let graph = std::fs::read(model.join(MODEL_GRAPH))
            .map_err(|e| Error::InvalidInput(format!("read {MODEL_GRAPH} of the model: {e}")))?;
        check(&graph, &index)?;

        let model_sha256 = hex::encode(Sha256::digest(&graph));
        let summary = format!("{MODEL_GRAPH} {} · {} kB", &model_sha256[..12], graph.len().div_ceil(1000));
        std::fs::write(pushed.join(MODEL_GRAPH), graph)?;
        // Copied byte by byte, not written again: a field that this version does not know must survive.
        std::fs::copy(model.join(MODEL_INDEX), pushed.join(MODEL_INDEX))?;
        let note = PushedIndex { model_sha256, inputs: index.inputs, label: index.label };
        files::write_json(pushed.join(PUSHED_INDEX), &note)?;
        Ok(Outcome::new(summary))
    }
}

countersign_sdk::export!(Push);

/// A file that can not be run, or reads other columns than its index says, would fail at the first request.
fn check(graph: &[u8], index: &ModelIndex) -> Result<(), Error> {
    let program = Program::load(graph).map_err(|e| Error::InvalidInput(format!("the model can not be run: {e}")))?;
    let columns: Vec<&str> = index.inputs.iter().map(|input| input.name.as_str()).collect();
    if program.inputs().iter().map(String::as_str).eq(columns.iter().copied()) {
        return Ok(());
    }
    Err(Error::InvalidInput(format!(
        "{MODEL_GRAPH} reads the columns {}, but {MODEL_INDEX} says {}",
        program.inputs().join(", "),
        columns.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::model::{Label, RawInput};
    use countersign_onnx::{GraphBuilder, graph, proto::DataType};
    use std::fs;

    fn model(folder: &std::path::Path, column: &str) {
        let mut builder = GraphBuilder::new("model");
        builder.input("fare", DataType::Double, 1);
        builder.node("Cast", &["fare"], "logits", vec![graph::integer("to", 1)]);
        builder.output("logits", DataType::Float, 1);
        fs::write(folder.join(MODEL_GRAPH), graph::encode(&builder.finish(&[]).unwrap())).unwrap();
        let index = ModelIndex {
            inputs: vec![RawInput { name: column.into(), text: false }],
            label: Label { name: "y".into(), classes: vec!["0".into(), "1".into()] },
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

    #[test]
    fn what_is_pushed_is_the_model_byte_by_byte_and_its_digest() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        model(from.path(), "fare");
        let task = Task::new(1).with_input("model", [from.path()]).with_output("pushed", to.path());
        Push::execute(&task, Parameters {}).unwrap();
        let bytes = fs::read(from.path().join(MODEL_GRAPH)).unwrap();
        assert_eq!(fs::read(to.path().join(MODEL_GRAPH)).unwrap(), bytes);
        assert_eq!(fs::read(to.path().join(MODEL_INDEX)).unwrap(), fs::read(from.path().join(MODEL_INDEX)).unwrap());
        let note: PushedIndex = files::read_json(to.path().join(PUSHED_INDEX)).unwrap();
        assert_eq!(note.model_sha256, hex::encode(Sha256::digest(&bytes)));
        assert_eq!(note.inputs[0].name, "fare");
    }

    #[test]
    fn a_model_that_does_not_run_or_fit_its_index_is_not_pushed() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let task = Task::new(1).with_input("model", [from.path()]).with_output("pushed", to.path());
        model(from.path(), "tips");
        let error = Push::execute(&task, Parameters {}).unwrap_err();
        assert!(
            matches!(&error, Error::InvalidInput(m) if m.contains("reads the columns fare, but model.json says tips"))
        );
        fs::write(from.path().join(MODEL_GRAPH), b"not a model").unwrap();
        assert!(
            matches!(Push::execute(&task, Parameters {}), Err(Error::InvalidInput(m)) if m.contains("can not be run"))
        );
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
    }
}
