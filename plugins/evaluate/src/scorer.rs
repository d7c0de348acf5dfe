//! Runs a model file over batches of raw rows and keeps its probabilities. Knows ONNX and Arrow, no metric.

use crate::estimate::Predictions;
use arrow_array::RecordBatch;
use countersign_formats::model::{Label, MODEL_GRAPH, MODEL_INDEX, ModelIndex};
use countersign_onnx::{Program, columns, graph::PROBABILITIES};
use countersign_sdk::{Error, files::read_json};
use std::path::Path;

/// A model at work.
pub struct Scorer {
    index: ModelIndex,
    program: Program,
    /// Where each wanted class is among the model's.
    order: Vec<usize>,
    predictions: Predictions,
}

impl Scorer {
    /// Loads a `Model`. Its classes are given in the order of `label`, or in their own without one.
    ///
    /// # Errors
    /// `InvalidInput` when the files are not a model, or when it answers another question than `label`.
    pub fn load(directory: &Path, label: Option<&Label>) -> Result<Self, Error> {
        let index: ModelIndex = read_json(directory.join(MODEL_INDEX))?;
        let path = directory.join(MODEL_GRAPH);
        let bytes =
            std::fs::read(&path).map_err(|error| Error::InvalidInput(format!("read {}: {error}", path.display())))?;
        let program = Program::load(&bytes).map_err(unusable)?;
        let order = class_order(&index.label, label.unwrap_or(&index.label)).map_err(Error::InvalidInput)?;
        let predictions = Predictions { classes: order.len(), probabilities: Vec::new() };
        Ok(Self { index, program, order, predictions })
    }

    /// What the model says of itself.
    pub fn index(&self) -> &ModelIndex {
        &self.index
    }

    /// Columns it reads that are not there.
    pub fn missing<'a>(&'a self, there: &[&str]) -> Vec<&'a str> {
        self.index.inputs.iter().map(|input| input.name.as_str()).filter(|name| !there.contains(name)).collect()
    }

    /// Answers the rows of a batch that are to be kept.
    ///
    /// # Errors
    /// `InvalidInput` when a column has another type than the model reads, or the model answers NaN.
    pub fn add(&mut self, batch: &RecordBatch, keep: &[usize]) -> Result<(), Error> {
        let inputs = columns::inputs(batch, &self.index.inputs).map_err(unusable)?;
        let answers = self.program.run_for(&inputs, &[PROBABILITIES]).map_err(unusable)?;
        let Some(answer) = answers.into_values().next() else {
            return Err(Error::InvalidInput(format!("model: no output `{PROBABILITIES}`")));
        };
        let answer = answer.into_float().map_err(unusable)?;
        if answer.dim() != (batch.num_rows(), self.order.len()) {
            let (rows, classes) = answer.dim();
            return Err(Error::InvalidInput(format!(
                "model: {rows} x {classes} probabilities for {} rows and {} classes",
                batch.num_rows(),
                self.order.len()
            )));
        }
        for &row in keep {
            for &class in &self.order {
                let probability = answer[[row, class]];
                if !probability.is_finite() {
                    return Err(Error::InvalidInput(format!(
                        "model: row {row} of a batch gets the probability {probability}"
                    )));
                }
                self.predictions.probabilities.push(probability);
            }
        }
        Ok(())
    }

    /// The answers.
    pub fn finish(self) -> Predictions {
        self.predictions
    }
}

/// Where each wanted class is among a model's own.
fn class_order(own: &Label, wanted: &Label) -> Result<Vec<usize>, String> {
    if wanted.classes.len() < 2 {
        return Err(format!("label `{}` has {} classes; a classifier needs two", wanted.name, wanted.classes.len()));
    }
    if own.name != wanted.name || own.classes.len() != wanted.classes.len() {
        return Err(format!(
            "it predicts `{}` ({} classes), not `{}` ({} classes)",
            own.name,
            own.classes.len(),
            wanted.name,
            wanted.classes.len()
        ));
    }
    let place = |class: &String| {
        own.classes
            .iter()
            .position(|known| known == class)
            .ok_or_else(|| format!("it does not know the class `{class}`"))
    };
    wanted.classes.iter().map(place).collect()
}

fn unusable(error: countersign_onnx::OnnxError) -> Error {
    Error::InvalidInput(format!("model: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, classes: &[&str]) -> Label {
        Label { name: name.to_string(), classes: classes.iter().map(|class| class.to_string()).collect() }
    }

    #[test]
    fn classes_are_matched_by_name() {
        let wanted = label("y", &["a", "b", "c"]);
        assert_eq!(class_order(&label("y", &["c", "a", "b"]), &wanted), Ok(vec![1, 2, 0]));
        for (other, part) in [
            (label("z", &["a", "b", "c"]), "predicts `z`"),
            (label("y", &["a", "b"]), "(2 classes)"),
            (label("y", &["a", "b", "d"]), "class `c`"),
        ] {
            let error = class_order(&other, &wanted).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert!(class_order(&label("y", &["a"]), &label("y", &["a"])).is_err());
    }
}
