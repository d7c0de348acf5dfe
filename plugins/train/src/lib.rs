//! The component `train`: rows through the transform's graph, a multi-layer perceptron, and a model file that holds both.
//!
//! `data` gathers, `fit` learns, `warm` starts from an earlier model, `model_file` writes ONNX. The kernels are
//! `countersign_onnx::network`, the same that evaluation runs. Given the same inputs, parameters and seed it makes the same
//! bytes: nothing here asks for a clock or for randomness of its own.

mod adam;
mod data;
mod fit;
mod model_file;
mod outputs;
mod random;
mod warm;

use countersign_formats::model::{
    MODEL_GRAPH, MODEL_INDEX, ModelIndex, TRANSFORM_GRAPH, TRANSFORM_INDEX, TransformIndex,
};
use countersign_onnx::{Network, OnnxError, Program, columns};
use countersign_sdk::{
    Capability, Component, Description, Error, Finding, Outcome, Port, Severity, Task, files, host, query,
};
use fit::Settings;
use outputs::Checkpoints;
use random::Random;
use std::path::Path;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Multi-layer perceptron with ReLU.
    Mlp,
}

/// Which epochs leave a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
pub enum Keep {
    /// The first 3 and the last 5: what example difficulty needs.
    #[serde(rename = "early and late")]
    EarlyAndLate,
    /// Every epoch.
    #[serde(rename = "all")]
    All,
}

/// What a pipeline can set.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// What is trained.
    pub model: Architecture,
    /// Widths of the hidden layers.
    #[schemars(length(max = 8), inner(range(min = 1, max = 4096)))]
    pub hidden: Vec<u32>,
    /// Times that every row is seen.
    #[schemars(range(min = 1, max = 10000))]
    pub epochs: u32,
    /// Rows a step.
    #[schemars(range(min = 1, max = 65536))]
    pub batch_size: u32,
    /// Adam's step size.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// How strongly weights are pulled towards zero, apart from the gradient (AdamW); each step takes off this times the learning rate.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Which epochs leave a checkpoint.
    pub checkpoints: Keep,
    /// Start from the weights of the model bound to `base`, where there is one.
    pub warm_start: bool,
    /// The split to learn from.
    pub split: String,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            model: Architecture::Mlp,
            hidden: vec![64, 32],
            epochs: 12,
            batch_size: 128,
            learning_rate: 0.001,
            weight_decay: 0.5,
            checkpoints: Keep::EarlyAndLate,
            warm_start: true,
            split: "train".to_owned(),
        }
    }
}

/// The component.
pub struct Train;

impl Component for Train {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new(
            "train",
            env!("CARGO_PKG_VERSION"),
            "Trains a classifier and writes it as ONNX, transformation included.",
        )
        .input(Port::input("examples", "Examples").many().describe("The rows; of several spans, all of them."))
        .input(Port::input("transform", "TransformGraph").describe("Turns raw columns into model inputs."))
        .input(Port::input("base", "Model").optional().describe("An earlier model to start from."))
        .output(Port::output("model", "Model").describe("The model as ONNX, and its index."))
        .output(Port::output("checkpoints", "Checkpoints").describe("Weights after some epochs, as safetensors."))
        .capability(Capability::Query)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        let Parameters { model: Architecture::Mlp, .. } = parameters;
        let transform = task.input("transform")?;
        let index: TransformIndex = files::read_json(transform.join(TRANSFORM_INDEX))?;
        let graph = std::fs::read(transform.join(TRANSFORM_GRAPH))?;
        let data = gather(&graph, &index, &parameters.split)?;

        let mut random = Random::new(task.seed());
        let cold = fit::fresh(index.features.len(), &parameters.hidden, index.label.classes.len(), &data, &mut random);
        let (start, base) = match task.optional_input("base").filter(|_| parameters.warm_start) {
            Some(folder) => warm_start(&folder, &index, cold)?,
            None => (cold, warm::Outcome::NoBase),
        };

        let mut checkpoints = Checkpoints::new(task.output("checkpoints")?, parameters.checkpoints, parameters.epochs);
        let fitted = fit::fit(start, &data, &Settings::from(&parameters), &mut random, |epoch| {
            host::progress(epoch.number.into(), parameters.epochs.into(), "epochs", &format!("loss {:.3}", epoch.loss));
            checkpoints.keep(epoch)
        })?;
        checkpoints.finish()?;
        host::metric("loss", fitted.loss);

        let index = model_index(index, &fitted, &data, &parameters, base.reused());
        let folder = task.output("model")?;
        let bytes = model_file::compose(&graph, &fitted.network, &index).map_err(bug)?;
        std::fs::write(folder.join(MODEL_GRAPH), bytes)?;
        files::write_json(folder.join(MODEL_INDEX), &index)?;
        Ok(Outcome::new(summary(&fitted.network, fitted.loss, &base)).with(findings(&data, &index.label.name, &base)))
    }
}

countersign_sdk::export!(Train);

fn gather(graph: &[u8], index: &TransformIndex, split: &str) -> Result<data::Dataset, Error> {
    let program =
        Program::load(graph).map_err(|e| Error::InvalidInput(format!("the transform can not be used: {e}")))?;
    let names = index.inputs.iter().map(|i| i.name.as_str()).chain([index.label.name.as_str()]);
    let mut data = data::Dataset::new(index.features.len());
    for batch in query::query(&columns::select(names, "examples", split))? {
        data.add(&batch?, &program, index).map_err(|e| Error::InvalidInput(e.to_string()))?;
    }
    data.check(&index.label, split)?;
    Ok(data)
}

fn warm_start(folder: &Path, index: &TransformIndex, cold: Network) -> Result<(Network, warm::Outcome), Error> {
    let base: ModelIndex = files::read_json(folder.join(MODEL_INDEX))?;
    let bytes = std::fs::read(folder.join(MODEL_GRAPH))?;
    let network = Program::load(&bytes).and_then(|p| Network::from_program(&p));
    let network = network.map_err(|e| Error::InvalidInput(format!("the base model can not be used: {e}")))?;
    Ok(warm::start(cold, index, &network, &base))
}

fn model_index(
    transform: TransformIndex,
    fitted: &fit::Fitted,
    data: &data::Dataset,
    parameters: &Parameters,
    warm_started: Option<u64>,
) -> ModelIndex {
    ModelIndex {
        inputs: transform.inputs,
        label: transform.label,
        features: transform.features,
        architecture: "mlp".to_owned(),
        hidden: parameters.hidden.clone(),
        parameters: fitted.network.parameters() as u64,
        trained_on_rows: data.rows() as u64,
        epochs: parameters.epochs,
        final_loss: fitted.loss,
        warm_started,
    }
}

fn summary(network: &Network, loss: f64, base: &warm::Outcome) -> String {
    let mut widths = vec![network.inputs()];
    widths.extend(network.hidden_widths());
    widths.push(network.classes());
    let widths: Vec<String> = widths.into_iter().map(|w| w.to_string()).collect();
    format!("mlp {} · loss {loss:.3}{}", widths.join("-"), base.note())
}

fn findings(data: &data::Dataset, label: &str, base: &warm::Outcome) -> Vec<Finding> {
    let mut findings = Vec::new();
    if data.skipped > 0 {
        let message = format!("{} rows have no label of a known class and were not learned from", data.skipped);
        findings.push(Finding::new("missing label", Severity::Info, label, message).seen(data.skipped.to_string()));
    }
    if let warm::Outcome::Cold { reason } = base {
        let message = format!("started cold, not from the base model: {reason}");
        findings.push(Finding::new("cold start", Severity::Info, "base", message));
    }
    findings
}

fn bug(error: OnnxError) -> Error {
    Error::Bug(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_shows_plain_defaults_and_every_choice() {
        let schema = serde_json::to_value(schemars::schema_for!(Parameters)).unwrap();
        let properties = &schema["properties"];
        assert_eq!(properties["learning_rate"]["default"], serde_json::json!(0.001));
        assert_eq!(properties["checkpoints"]["default"], "early and late");
        assert_eq!(schema["additionalProperties"], false);
        let parse = |text: &str| serde_json::from_str::<Parameters>(text);
        assert!(parse(r#"{ "model": "mlp", "hidden": [8], "checkpoints": "all" }"#).is_ok());
        assert!(parse(r#"{ "epoch": 3 }"#).is_err());
    }
}
