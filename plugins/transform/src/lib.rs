//! The component `transform`: from statistics and schema to the graph that turns raw columns into model inputs.
//!
//! Numbers are standardised and clipped, with an extra input that says whether they were missing; text and categories become
//! one input a value. The graph goes into the model file as it is, so serving needs no second script. `plan` decides what
//! becomes an input, `encode` writes it down as ONNX; neither sees a row.

mod encode;
mod plan;
mod request;

use countersign_formats::model::{Label, TRANSFORM_GRAPH, TRANSFORM_INDEX, TransformIndex};
use countersign_formats::tfmd::{
    Message, schema, schema::Schema, statistics, statistics::DatasetFeatureStatisticsList,
};
use countersign_onnx::columns;
use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task, files, query};
use std::collections::BTreeMap;
use std::path::Path;

/// What a pipeline can set.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The column to predict.
    pub label: String,
    /// Columns that the model must not see.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Columns of numbers that are names: hours, areas, codes. Those that the schema calls categorical need not be listed.
    #[serde(default)]
    pub categorical: Vec<String>,
    /// Values of a text or categorical column that get an input of their own, most frequent first; all others share one.
    #[serde(default = "vocabulary_size")]
    #[schemars(range(min = 1, max = 1000))]
    pub vocabulary_size: u32,
    /// Values that occur in fewer rows share one input.
    #[serde(default = "min_frequency")]
    pub min_frequency: u64,
    /// The split that everything is measured on.
    #[serde(default = "split")]
    pub split: String,
}

fn vocabulary_size() -> u32 {
    50
}

fn min_frequency() -> u64 {
    5
}

fn split() -> String {
    "train".to_owned()
}

/// The component.
pub struct Transform;

impl Component for Transform {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new(
            "transform",
            env!("CARGO_PKG_VERSION"),
            "Builds the graph that turns raw columns into model inputs.",
        )
        .input(Port::input("statistics", "Statistics").describe("Means, deviations and frequent values."))
        .input(Port::input("schema", "Schema").describe("Which columns there are; columns out of use are left out."))
        .input(Port::input("examples", "Examples").many().describe("Asked for the label's and the categories' values."))
        .output(
            Port::output("transform", "TransformGraph").describe("The graph as ONNX, and the names of its outputs."),
        )
        .capability(Capability::Query)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        let path = task.input("statistics")?.join(&parameters.split).join(statistics::FILE);
        let statistics: DatasetFeatureStatisticsList = read_message(&path)?;
        let dataset = statistics.datasets.first().ok_or_else(|| empty(&path))?;
        let schema: Schema = read_message(&task.input("schema")?.join(schema::FILE))?;

        let request = request::check(&parameters, dataset, &schema)?;
        let mut counted = BTreeMap::new();
        for column in &request.count {
            counted.insert(column.clone(), frequent_values(column, &parameters)?);
        }
        let plan = plan::plan(dataset, &request, &counted, &parameters)?;
        let label = Label { name: parameters.label.clone(), classes: classes(&parameters)? };
        let index = TransformIndex { inputs: plan.inputs(), label, features: plan.features() };

        let folder = task.output("transform")?;
        let graph = encode::graph(&plan, &index).map_err(|e| Error::Bug(e.to_string()))?;
        std::fs::write(folder.join(TRANSFORM_GRAPH), graph)?;
        files::write_json(folder.join(TRANSFORM_INDEX), &index)?;
        Ok(Outcome::new(format!("{} model inputs", index.features.len())).with(plan.findings()))
    }
}

countersign_sdk::export!(Transform);

fn read_message<M: Message + Default>(path: &Path) -> Result<M, Error> {
    let unreadable = |reason: String| Error::InvalidInput(format!("read {}: {reason}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    M::decode(bytes.as_slice()).map_err(|e| unreadable(e.to_string()))
}

fn empty(path: &Path) -> Error {
    Error::InvalidInput(format!("{} holds no statistics", path.display()))
}

/// Statistics hold frequent values of text only; those of numbers are counted here.
fn frequent_values(column: &str, parameters: &Parameters) -> Result<Vec<(String, u64)>, Error> {
    let (name, table) = (columns::identifier(column), table(parameters));
    let sql = format!(
        "SELECT {name} AS \"value\", count(*) AS \"rows\" FROM {table} WHERE {name} IS NOT NULL \
         GROUP BY {name} ORDER BY \"rows\" DESC, \"value\" LIMIT {}",
        parameters.vocabulary_size
    );
    let mut values = Vec::new();
    for batch in query::query(&sql)? {
        let batch = batch?;
        let bug = |e: countersign_onnx::OnnxError| Error::Bug(e.to_string());
        let rows = columns::numbers(&batch, "rows").map_err(bug)?;
        let texts = columns::texts(&batch, "value").map_err(bug)?;
        values.extend(texts.into_iter().flatten().zip(rows.into_iter().map(|n| n as u64)));
    }
    Ok(values)
}

/// The label's values, in order.
fn classes(parameters: &Parameters) -> Result<Vec<String>, Error> {
    let label = columns::identifier(&parameters.label);
    let sql = format!(
        "SELECT DISTINCT {label} AS \"class\" FROM {} WHERE {label} IS NOT NULL ORDER BY \"class\" LIMIT {}",
        table(parameters),
        request::MOST_CLASSES + 1
    );
    let mut classes = Vec::new();
    for batch in query::query(&sql)? {
        let texts = columns::texts(&batch?, "class").map_err(|e| Error::InvalidInput(e.to_string()))?;
        classes.extend(texts.into_iter().flatten());
    }
    request::check_classes(&parameters.label, &parameters.split, &classes)?;
    Ok(classes)
}

fn table(parameters: &Parameters) -> String {
    format!("\"examples\".{}", columns::identifier(&parameters.split))
}
