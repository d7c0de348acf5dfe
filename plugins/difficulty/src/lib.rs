//! Component `difficulty`: Variance of Gradients and its cheap neighbours for every example of a split, what they are worth (errors by
//! decile, with the direction in words), and which examples look mislabelled.
//!
//! This file is glue. Rows are transformed by the model file's own graph, up to its inner value `features`; gradients are taken with
//! respect to those.

pub mod checkpoints;
pub mod deciles;
pub mod gradients;
pub mod neighbours;
mod parameters;
mod report;
pub mod scoring;
pub mod vog;

use arrow_array::RecordBatch;
use checkpoints::{Checkpoint, Model, check_meaning, load_checkpoints, load_model};
use countersign_formats::difficulty::{FILE, Record, SCORES};
use countersign_formats::examples::{ExamplesIndex, INDEX};
use countersign_onnx::{Network, columns, graph::FEATURES};
use countersign_sdk::files::{read_json, write_json};
use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task, host, query};
use ndarray::Axis;
pub use parameters::{LabelKind, Named, Parameters, Stage};
use scoring::{Scored, Variant, score};
use sha2::{Digest as _, Sha256};

/// The component.
pub struct Difficulty;

countersign_sdk::export!(Difficulty);

impl Component for Difficulty {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new(
            "difficulty",
            env!("CARGO_PKG_VERSION"),
            "Scores how hard each example is, by Variance of Gradients and cheaper scores, and checks what the scores are worth.",
        )
        .input(Port::input("model", "Model").describe("The candidate; its transform is used."))
        .input(Port::input("checkpoints", "Checkpoints").describe("Two or more stages of its training."))
        .input(Port::input("examples", "Examples").describe("Labelled examples."))
        .output(Port::output("difficulty", "ExampleDifficulty").describe("Summary and every example's scores."))
        .capability(Capability::Query)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        run(task, &parameters, &|sql| Ok(Box::new(query::query(sql)?)))
    }
}

/// The answer to a SELECT, batch by batch.
pub type Rows = Box<dyn Iterator<Item = Result<RecordBatch, Error>>>;
/// Something that answers SELECTs.
pub type Engine<'a> = &'a dyn Fn(&str) -> Result<Rows, Error>;

/// The component's work over any engine; [`Difficulty`] brings the host's.
///
/// # Errors
/// As [`Component::execute`].
pub fn run(task: &Task, parameters: &Parameters, engine: Engine<'_>) -> Result<Outcome, Error> {
    let examples: ExamplesIndex = read_json(task.input("examples")?.join(INDEX))?;
    let total = examples.rows.get(&parameters.split).copied().ok_or_else(|| {
        let splits: Vec<&str> = examples.rows.keys().map(String::as_str).collect();
        Error::InvalidInput(format!("split: there is no `{}`, only {}", parameters.split, splits.join(", ")))
    })?;
    let model = load_model(&task.input("model")?)?;
    let loaded = load_checkpoints(&task.input("checkpoints")?, &model.index)?;
    let taken = parameters.last.max(2) as usize;
    let variant = Variant {
        target: parameters.target,
        label: parameters.label,
        stage: parameters.stage.of(loaded.len(), taken),
        early: Stage::Early.of(loaded.len(), taken),
        reduction: parameters.reduction,
    };
    if let Some(last) = loaded.last() {
        check_meaning(variant.target, &last.network, variant.stage.len())?;
    } else {
        return Err(Error::InvalidInput("checkpoints: there is none".to_string()));
    }
    let mut record = record(parameters, &variant, &model, &loaded);
    let networks: Vec<Network> = loaded.into_iter().map(|one| one.network).collect();
    let mut examples = score_split(engine, parameters, &model, &networks, &variant, total)?;
    record.examples_sha256 = std::mem::take(&mut examples.sha256);
    examples.normalise(parameters);
    let (difficulty, findings) = report::summarise(engine, parameters, &model.index, record, &examples)?;
    let output = task.output("difficulty")?;
    report::write_scores(&output.join(SCORES), &model.index.label.classes, &examples)?;
    write_json(output.join(FILE), &difficulty)?;
    host::metric("hardest_tenth_error_share", difficulty.hardest_tenth_error_share);
    host::metric("suspected_mislabelled", difficulty.suspected_mislabelled as f64);
    Ok(Outcome::new(report::summary(&difficulty)).with(findings))
}

/// What is about to be computed; the examples' digest comes when they are read.
fn record(parameters: &Parameters, variant: &Variant, model: &Model, loaded: &[Checkpoint]) -> Record {
    let names = |range: &std::ops::Range<usize>| loaded[range.clone()].iter().map(|one| one.file.clone()).collect();
    Record {
        target: parameters.target.name().to_string(),
        label: parameters.label.name().to_string(),
        stage: parameters.stage.name().to_string(),
        checkpoints: names(&variant.stage),
        checkpoint_sha256: loaded[variant.stage.clone()].iter().map(|one| one.sha256.clone()).collect(),
        early_checkpoints: names(&variant.early),
        all_checkpoints: loaded.len() as u64,
        reduction: parameters.reduction.name().to_string(),
        normalisation: parameters.normalisation.name().to_string(),
        inputs: model.index.features.len() as u64,
        dtype: "f32".to_string(),
        channels: "none".to_string(),
        model_sha256: model.sha256.clone(),
        examples_sha256: String::new(),
        seed: 0,
        engine: format!("difficulty {}", env!("CARGO_PKG_VERSION")),
    }
}

/// Every labelled example's scores.
#[derive(Debug, Default)]
pub struct Examples {
    lines: Vec<u64>,
    scored: Vec<Scored>,
    sha256: String,
}

impl Examples {
    /// Within the classes whose gradients were taken.
    fn normalise(&mut self, parameters: &Parameters) {
        let class = |scored: &Scored| match parameters.label {
            LabelKind::True => scored.label,
            LabelKind::Predicted => scored.predicted,
        };
        let classes: Vec<usize> = self.scored.iter().map(class).collect();
        let mut scores: Vec<f64> = self.scored.iter().map(|scored| scored.vog).collect();
        vog::normalise(&mut scores, &classes, parameters.normalisation);
        self.scored.iter_mut().zip(scores).for_each(|(scored, score)| scored.vog = score);
    }
}

/// Reads the split once; rows without a known label are left out.
fn score_split(
    engine: Engine<'_>,
    parameters: &Parameters,
    model: &Model,
    networks: &[Network],
    variant: &Variant,
    total: u64,
) -> Result<Examples, Error> {
    let of_model = |error: countersign_onnx::OnnxError| Error::InvalidInput(format!("model: {error}"));
    let wanted = model.index.inputs.iter().map(|input| input.name.as_str()).chain([model.index.label.name.as_str()]);
    let sql = columns::select(wanted, "examples", &parameters.split);
    let mut examples = Examples::default();
    let mut digest = Sha256::new();
    let mut read = 0;
    for batch in engine(&sql)? {
        let batch = batch?;
        let inputs = columns::inputs(&batch, &model.index.inputs).map_err(of_model)?;
        let made = model.program.run_for(&inputs, &[FEATURES]).map_err(of_model)?.into_values().next();
        let features =
            made.ok_or_else(|| Error::Bug(format!("no value `{FEATURES}`")))?.into_float().map_err(of_model)?;
        if features.dim() != (batch.num_rows(), model.index.features.len()) {
            let (names, made) = (model.index.features.len(), features.ncols());
            return Err(Error::InvalidInput(format!("model: it makes {made} inputs, but model.json names {names}")));
        }
        let classes = columns::class_indices(&batch, &model.index.label).map_err(of_model)?;
        let lines = columns::lines(&batch).map_err(of_model)?;
        let keep: Vec<usize> = (0..classes.len()).filter(|&row| classes[row].is_some()).collect();
        let labels: Vec<usize> = classes.into_iter().flatten().collect();
        let rows = features.select(Axis(0), &keep);
        for (position, &row) in keep.iter().enumerate() {
            digest.update(lines[row].to_le_bytes());
            digest.update((labels[position] as u64).to_le_bytes());
            rows.row(position).iter().for_each(|value| digest.update(value.to_le_bytes()));
        }
        let scored = score(networks, rows.view(), &labels, variant);
        if let Some(position) = scored.iter().position(|scored| !scored.is_finite()) {
            let line = lines[keep[position]];
            return Err(Error::InvalidInput(format!("checkpoints: the scores of line {line} are not finite numbers")));
        }
        examples.lines.extend(keep.iter().map(|&row| lines[row]));
        examples.scored.extend(scored);
        read += batch.num_rows() as u64;
        host::progress(read, total, "rows", "");
    }
    examples.sha256 = hex::encode(digest.finalize());
    Ok(examples)
}
