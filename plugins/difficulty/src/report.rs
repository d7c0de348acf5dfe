//! Turns scores into the summary that a reviewer reads, and into the table of all of them.

use crate::deciles::{self, Decile};
use crate::parameters::Parameters;
use crate::{Engine, Examples};
use countersign_formats::difficulty::{Difficulty, FLIPPED, HIGH_IS_HARD, HardExample, Record};
use countersign_formats::model::ModelIndex;
use countersign_onnx::columns;
use countersign_sdk::{Error, Finding, Severity};
use std::collections::BTreeMap;
use std::path::Path;

/// Examples listed in each table of the summary.
const LISTED: usize = 50;
/// Lines named in a finding.
const NAMED: usize = 10;

/// The summary and what was found. Asks the engine for the raw columns of the examples that it lists.
///
/// # Errors
/// What the engine answered.
pub fn summarise(
    engine: Engine<'_>,
    parameters: &Parameters,
    model: &ModelIndex,
    record: Record,
    examples: &Examples,
) -> Result<(Difficulty, Vec<Finding>), Error> {
    let scored = &examples.scored;
    let wrong: Vec<bool> = scored.iter().map(|one| one.predicted != one.label).collect();
    let errors = wrong.iter().filter(|wrong| **wrong).count();
    let order = deciles::ranked(scored.iter().map(|one| one.vog));
    let by_aum = deciles::ranked(scored.iter().map(|one| -one.neighbours.aum));
    let table = deciles::table(&order, &wrong);
    let (direction, reason) = deciles::direction(&table);
    let neighbours: Vec<_> = scored.iter().map(|one| one.neighbours).collect();
    let suspects = deciles::suspects(&neighbours, model.label.classes.len());
    let tenth = deciles::highest_tenth(&order);
    let in_tenth = tenth.iter().filter(|&&row| wrong[row]).count();
    let hardest: Vec<usize> = order.iter().rev().take(LISTED).copied().collect();
    let listed_suspects: Vec<usize> = suspects.iter().take(LISTED).copied().collect();
    let raw =
        raw_columns(engine, parameters, model, hardest.iter().chain(&listed_suspects).map(|&row| examples.lines[row]))?;
    let findings = findings(direction, &reason, examples, &suspects);
    let listed = |rows: &[usize]| rows.iter().map(|&row| hard_example(model, examples, row, &raw)).collect();
    let difficulty = Difficulty {
        record,
        split: parameters.split.clone(),
        examples: scored.len() as u64,
        base_error: share(errors, scored.len()),
        error_by_decile: table.iter().map(Decile::error).collect(),
        direction: direction.to_string(),
        direction_reason: reason,
        hardest_tenth_error_share: share(in_tenth, errors),
        overlap_with_aum: deciles::overlap(&order, &by_aum),
        hardest_tenth_by_class: by_class(model, examples, tenth),
        suspected_mislabelled: suspects.len() as u64,
        suspects: listed(&listed_suspects),
        hardest: listed(&hardest),
    };
    Ok((difficulty, findings))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn by_class(model: &ModelIndex, examples: &Examples, tenth: &[usize]) -> BTreeMap<String, f64> {
    let count = |class: usize| tenth.iter().filter(|&&row| examples.scored[row].label == class).count();
    model
        .label
        .classes
        .iter()
        .enumerate()
        .map(|(class, name)| (name.clone(), share(count(class), tenth.len())))
        .collect()
}

type Raw = BTreeMap<u64, BTreeMap<String, String>>;

fn hard_example(model: &ModelIndex, examples: &Examples, row: usize, raw: &Raw) -> HardExample {
    let (line, scored) = (examples.lines[row], &examples.scored[row]);
    HardExample {
        row: line,
        label: model.label.classes[scored.label].clone(),
        predicted: model.label.classes[scored.predicted].clone(),
        vog: scored.vog,
        aum: scored.neighbours.aum,
        el2n: scored.neighbours.el2n,
        mean_loss: scored.neighbours.mean_loss,
        columns: raw.get(&line).cloned().unwrap_or_default(),
    }
}

/// The columns that the model reads, of a few lines.
fn raw_columns(
    engine: Engine<'_>,
    parameters: &Parameters,
    model: &ModelIndex,
    lines: impl Iterator<Item = u64>,
) -> Result<Raw, Error> {
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    if lines.is_empty() {
        return Ok(Raw::new());
    }
    let unreadable = |error: countersign_onnx::OnnxError| Error::InvalidInput(error.to_string());
    let names = || model.inputs.iter().map(|input| input.name.as_str());
    let listed: Vec<String> = [columns::LINE].into_iter().chain(names()).map(columns::identifier).collect();
    let (table, line) = (columns::identifier(&parameters.split), columns::identifier(columns::LINE));
    let sql = format!("SELECT {} FROM \"examples\".{table} WHERE {line} IN ({})", listed.join(", "), lines.join(", "));
    let mut raw = Raw::new();
    for batch in engine(&sql)? {
        let batch = batch?;
        let lines = columns::lines(&batch).map_err(unreadable)?;
        for name in names() {
            for (line, text) in lines.iter().zip(columns::texts(&batch, name).map_err(unreadable)?) {
                let Some(text) = text else { continue };
                raw.entry(*line).or_default().insert(name.to_string(), text);
            }
        }
    }
    Ok(raw)
}

fn findings(direction: &str, reason: &str, examples: &Examples, suspects: &[usize]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let message = match direction {
        HIGH_IS_HARD => None,
        FLIPPED => {
            Some(format!("the examples with the highest scores are the easiest, read the ranking backwards: {reason}"))
        }
        _ => Some(format!("the scores do not order the errors, do not rank by them: {reason}")),
    };
    findings.extend(
        message.map(|message| {
            Finding::new(direction, Severity::Warn, "vog", message).expected(HIGH_IS_HARD).seen(direction)
        }),
    );
    if !suspects.is_empty() {
        let message = format!(
            "{} examples look mislabelled: worst 2 % in both margin and mean loss, and the label under a fifth of chance",
            suspects.len()
        );
        let rows = suspects.iter().take(NAMED).map(|&row| examples.lines[row]).collect();
        findings.push(Finding::new("suspected mislabelled", Severity::Info, "label", message).rows(rows));
    }
    findings
}

/// `hardest 10 % of examples hold 46 % of the errors · high = hard`.
pub fn summary(difficulty: &Difficulty) -> String {
    format!(
        "hardest 10 % of examples hold {:.0} % of the errors · {}",
        100.0 * difficulty.hardest_tenth_error_share,
        difficulty.direction
    )
}

/// Writes every example's scores, in delivered order.
///
/// # Errors
/// `Bug` when the file can not be written.
pub fn write_scores(path: &Path, classes: &[String], examples: &Examples) -> Result<(), Error> {
    let failed = |error: csv::Error| Error::Bug(format!("write {}: {error}", path.display()));
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    let header = [
        "_line",
        "label",
        "predicted",
        "wrong",
        "vog",
        "mean_loss",
        "aum",
        "el2n",
        "confidence",
        "variability",
        "forgetting",
    ];
    writer.write_record(header).map_err(failed)?;
    for (line, scored) in examples.lines.iter().zip(&examples.scored) {
        let neighbours = &scored.neighbours;
        let record = [
            line.to_string(),
            classes[scored.label].clone(),
            classes[scored.predicted].clone(),
            u8::from(scored.predicted != scored.label).to_string(),
            scored.vog.to_string(),
            neighbours.mean_loss.to_string(),
            neighbours.aum.to_string(),
            neighbours.el2n.to_string(),
            neighbours.confidence.to_string(),
            neighbours.variability.to_string(),
            neighbours.forgetting.to_string(),
        ];
        writer.write_record(&record).map_err(failed)?;
    }
    Ok(writer.flush()?)
}
