//! Component `evaluate`: measures a model on a split, overall and by slice, against the live model, and judges rules.
//!
//! This file is glue: it reads files and rows, and hands numbers to modules that know neither. Both models run as the very ONNX files
//! that are or would be deployed, on the same raw rows.

mod answers;
mod estimate;
mod measure;
mod metric;
mod parameters;
mod rules;
mod scorer;
mod slices;
mod wording;

use answers::Answers;
use arrow_array::RecordBatch;
use countersign_formats::evaluation::{FILE, PREDICTIONS};
use countersign_formats::examples::{ExamplesIndex, INDEX};
use countersign_formats::model::Label;
use countersign_sdk::files::{read_json, write_json};
use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task, host, query};
pub use metric::Metric;
pub use parameters::{Parameters, Rule};
use scorer::Scorer;
use std::path::Path;

/// The component.
pub struct Evaluate;

countersign_sdk::export!(Evaluate);

impl Component for Evaluate {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new(
            "evaluate",
            env!("CARGO_PKG_VERSION"),
            "Measures a model overall and by slice, against the live model, and judges rules.",
        )
        .input(Port::input("model", "Model").describe("The candidate."))
        .input(
            Port::input("examples", "Examples").describe("Labelled examples, with every column that the model reads."),
        )
        .input(Port::input("baseline", "Model").describe("The live model, to compare with.").optional())
        .output(Port::output("evaluation", "Evaluation").describe("Metrics, slices, rules and every prediction."))
        .capability(Capability::Query)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        run(task, &parameters, &|sql| Ok(Box::new(query::query(sql)?)))
    }
}

/// The answer to a SELECT, batch by batch.
pub type Rows = Box<dyn Iterator<Item = Result<RecordBatch, Error>>>;

/// The component's work over any engine that answers SELECTs; [`Evaluate`] brings the host's.
///
/// # Errors
/// As [`Component::execute`].
pub fn run(
    task: &Task,
    parameters: &Parameters,
    engine: &dyn Fn(&str) -> Result<Rows, Error>,
) -> Result<Outcome, Error> {
    parameters.check().map_err(Error::InvalidInput)?;
    let examples: ExamplesIndex = read_json(task.input("examples")?.join(INDEX))?;
    let total = check_data(parameters, &examples)?;
    let candidate = Scorer::load(&task.input("model")?, None)?;
    let label = candidate.index().label.clone();
    let baseline = task.optional_input("baseline").map(|directory| load_baseline(&directory, &label, &examples));
    let sql = answers::select(parameters, &candidate, baseline.as_ref().and_then(|baseline| baseline.as_ref().ok()));
    let answers = Answers::gather(engine(&sql)?, parameters, &examples, candidate, baseline, total)?;
    let output = task.output("evaluation")?;
    answers.write_predictions(&output.join(PREDICTIONS), &label)?;
    let (evaluation, findings) = answers.evaluate(parameters, label);
    for (models, prefix) in [(&evaluation.overall.candidate, ""), (&evaluation.overall.baseline, "baseline.")] {
        for (name, value) in models {
            if let Some(value) = value {
                host::metric(&format!("{prefix}{name}"), *value);
            }
        }
    }
    write_json(output.join(FILE), &evaluation)?;
    Ok(Outcome::new(measure::summary(&evaluation.overall, parameters.headline)).with(findings))
}

/// Checks the parameters against the data; answers the split's rows.
fn check_data(parameters: &Parameters, examples: &ExamplesIndex) -> Result<u64, Error> {
    for column in &parameters.slices {
        if !examples.columns.iter().any(|known| known.name == *column) {
            let hint = metric::nearest(column, examples.columns.iter().map(|known| known.name.as_str()));
            return Err(Error::InvalidInput(format!("slices: the examples have no column `{column}`{hint}")));
        }
    }
    examples.rows.get(&parameters.split).copied().ok_or_else(|| {
        let hint = metric::nearest(&parameters.split, examples.rows.keys().map(String::as_str));
        Error::InvalidInput(format!("split: the examples have no split `{}`{hint}", parameters.split))
    })
}

/// The live model, or why it can not be compared with.
fn load_baseline(directory: &Path, label: &Label, examples: &ExamplesIndex) -> Result<Scorer, String> {
    let scorer = Scorer::load(directory, Some(label)).map_err(|error| message_of(&error))?;
    let there: Vec<&str> = examples.columns.iter().map(|column| column.name.as_str()).collect();
    match scorer.missing(&there).as_slice() {
        [] => Ok(scorer),
        gone => Err(format!("it reads `{}`, which the data does not have", gone.join("`, `"))),
    }
}

fn message_of(error: &Error) -> String {
    match error {
        Error::InvalidInput(message) | Error::Refused(message) | Error::Transient(message) | Error::Bug(message) => {
            message.clone()
        }
    }
}
