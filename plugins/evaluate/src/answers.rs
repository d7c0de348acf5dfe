//! Gathers every labelled example with what both models say of it, and turns that into the evaluation. The one place where rows,
//! predictions, slices and rules meet.

use crate::estimate::{self, Predictions};
use crate::parameters::Parameters;
use crate::scorer::Scorer;
use crate::slices::{self, Column};
use crate::{Rows, measure, message_of, rules, wording};
use arrow_array::RecordBatch;
use countersign_formats::evaluation::Evaluation;
use countersign_formats::examples::{ColumnType, ExamplesIndex};
use countersign_formats::model::Label;
use countersign_onnx::columns;
use countersign_sdk::{Error, Finding, Severity, host};
use std::path::Path;

/// SQL for everything that labels, slices and both models need.
pub fn select(parameters: &Parameters, candidate: &Scorer, baseline: Option<&Scorer>) -> String {
    let inputs = [Some(candidate), baseline].into_iter().flatten().flat_map(|scorer| &scorer.index().inputs);
    let wanted = [candidate.index().label.name.as_str()]
        .into_iter()
        .chain(parameters.slices.iter().map(String::as_str))
        .chain(inputs.map(|input| input.name.as_str()));
    columns::select(wanted, "examples", &parameters.split)
}

/// Every labelled example: where it came from, what it is, what the models say.
pub struct Answers {
    lines: Vec<u64>,
    labels: Vec<usize>,
    unlabelled: Vec<u64>,
    columns: Vec<(String, Column)>,
    candidate: Predictions,
    /// None without a baseline; the reason when it could not be used.
    baseline: Option<Result<Predictions, String>>,
}

impl Answers {
    /// Reads the split once and runs both models over it. A baseline that fails on the way is dropped, with the reason.
    ///
    /// # Errors
    /// What the engine answered, or what the candidate can not read.
    pub fn gather(
        batches: Rows,
        parameters: &Parameters,
        examples: &ExamplesIndex,
        mut candidate: Scorer,
        mut baseline: Option<Result<Scorer, String>>,
        total: u64,
    ) -> Result<Self, Error> {
        let label = candidate.index().label.clone();
        let mut slices = empty_columns(&parameters.slices, examples);
        let (mut lines, mut labels, mut unlabelled) = (Vec::new(), Vec::new(), Vec::new());
        for batch in batches {
            let batch = batch?;
            let classes = columns::class_indices(&batch, &label).map_err(unreadable)?;
            let batch_lines = columns::lines(&batch).map_err(unreadable)?;
            let mut keep = Vec::new();
            for (row, (class, line)) in classes.into_iter().zip(batch_lines).enumerate() {
                match class {
                    Some(class) => {
                        keep.push(row);
                        labels.push(class);
                        lines.push(line);
                    }
                    None => unlabelled.push(line),
                }
            }
            candidate.add(&batch, &keep)?;
            if let Some(Ok(scorer)) = &mut baseline
                && let Err(error) = scorer.add(&batch, &keep)
            {
                baseline = Some(Err(message_of(&error)));
            }
            for (name, column) in &mut slices {
                gather_slice(&batch, name, &keep, column)?;
            }
            host::progress((labels.len() + unlabelled.len()) as u64, total, "rows", "");
        }
        let baseline = baseline.map(|baseline| baseline.map(Scorer::finish));
        Ok(Self { lines, labels, unlabelled, columns: slices, candidate: candidate.finish(), baseline })
    }

    /// Measures, judges, and says what was found.
    pub fn evaluate(&self, parameters: &Parameters, label: Label) -> (Evaluation, Vec<Finding>) {
        let baseline = self.baseline.as_ref().and_then(|baseline| baseline.as_ref().ok());
        let measurement = measure::Measurement {
            labels: &self.labels,
            candidate: &self.candidate,
            baseline,
            headline: parameters.headline,
            min_examples: parameters.min_slice_examples,
        };
        let max_values = parameters.max_slice_values as usize;
        let cuts: Vec<_> =
            self.columns.iter().flat_map(|(name, column)| slices::cut(name, column, max_values)).collect();
        let (overall, slices) = (measurement.overall(), measurement.slices(&cuts));
        let (rules, judged) = rules::judge(&parameters.rules, &overall, &slices);
        let mut findings = self.findings(&label);
        findings.extend(judged);
        findings.extend(measure::regressions(&overall, &slices, parameters.headline));
        let evaluation = Evaluation {
            split: parameters.split.clone(),
            classes: label.classes,
            headline: parameters.headline.to_string(),
            margin_method: estimate::margin_method(parameters.headline).map(str::to_string),
            overall,
            slices,
            min_slice_examples: parameters.min_slice_examples,
            has_baseline: baseline.is_some(),
            baseline_unusable: self.baseline_unusable().map(str::to_string),
            examples_without_label: self.unlabelled.len() as u64,
            rules,
        };
        (evaluation, findings)
    }

    fn baseline_unusable(&self) -> Option<&str> {
        self.baseline.as_ref()?.as_ref().err().map(String::as_str)
    }

    /// What is wrong before any rule is judged.
    fn findings(&self, label: &Label) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(reason) = self.baseline_unusable() {
            let message = format!("the live model can not be compared with: {reason}");
            findings.push(Finding::new("baseline unusable", Severity::Ask, "baseline", message).seen(reason));
        }
        if !self.unlabelled.is_empty() {
            let message = format!(
                "{} examples are not measured: `{}` is missing or none of {}",
                wording::thousands(self.unlabelled.len()),
                label.name,
                label.classes.join(", ")
            );
            let rows = self.unlabelled.iter().take(10).copied().collect();
            findings.push(Finding::new("missing label", Severity::Warn, &label.name, message).rows(rows));
        }
        if self.labels.is_empty() {
            let message = "no labelled example to measure on";
            findings.push(
                Finding::new("too few rows", Severity::Ask, &label.name, message).expected("1 or more").seen("0"),
            );
        }
        findings
    }

    /// Writes every prediction, each number as short as it can be and still be the same 32-bit float when read.
    ///
    /// # Errors
    /// `Bug` when the file can not be written.
    pub fn write_predictions(&self, path: &Path, label: &Label) -> Result<(), Error> {
        let failed = |error: csv::Error| Error::Bug(format!("write {}: {error}", path.display()));
        let baseline = self.baseline.as_ref().and_then(|baseline| baseline.as_ref().ok());
        let classes = label.classes.len();
        let mut writer = csv::Writer::from_path(path).map_err(failed)?;
        let mut record = vec!["_line".to_string(), "label".to_string()];
        record.extend((0..classes).map(|class| format!("p{class}")));
        record.extend((0..classes).filter(|_| baseline.is_some()).map(|class| format!("b{class}")));
        writer.write_record(&record).map_err(failed)?;
        for (row, (line, class)) in self.lines.iter().zip(&self.labels).enumerate() {
            record.clear();
            record.extend([line.to_string(), label.classes[*class].clone()]);
            record.extend(self.candidate.row(row).iter().map(f32::to_string));
            record.extend(baseline.iter().flat_map(|baseline| baseline.row(row)).map(f32::to_string));
            writer.write_record(&record).map_err(failed)?;
        }
        Ok(writer.flush()?)
    }
}

fn empty_columns(names: &[String], examples: &ExamplesIndex) -> Vec<(String, Column)> {
    let is_float = |name: &String| {
        examples.columns.iter().any(|column| column.name == *name && column.column_type == ColumnType::Float)
    };
    let empty = |name: &String| if is_float(name) { Column::Numbers(Vec::new()) } else { Column::values() };
    names.iter().map(|name| (name.clone(), empty(name))).collect()
}

fn gather_slice(batch: &RecordBatch, name: &str, keep: &[usize], column: &mut Column) -> Result<(), Error> {
    if matches!(column, Column::Numbers(_)) {
        let numbers = columns::numbers(batch, name).map_err(unreadable)?;
        keep.iter().for_each(|&row| column.push_number(Some(numbers[row])));
    } else {
        let mut texts = columns::texts(batch, name).map_err(unreadable)?;
        keep.iter().for_each(|&row| column.push_value(texts[row].take()));
    }
    Ok(())
}

fn unreadable(error: countersign_onnx::OnnxError) -> Error {
    Error::InvalidInput(error.to_string())
}
