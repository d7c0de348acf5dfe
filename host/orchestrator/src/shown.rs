//! The numbers a reviewer is shown, taken from the artifacts that hold them.

use crate::error::OrchestratorError;
use crate::layout;
use countersign_formats::difficulty::Difficulty;
use countersign_formats::evaluation::{Evaluation, Slice};
use countersign_formats::{difficulty, evaluation, examples};
use countersign_model::artifact::ArtifactKind;
use countersign_model::evidence::{Shown, ShownDifficulty, ShownExample, ShownMetric, ShownSlice};
use std::path::Path;

/// Slices shown: the worst.
const SLICES: usize = 5;
/// Hard examples shown.
const EXAMPLES: usize = 5;

/// Whether numbers are taken from artifacts of this kind.
pub(crate) fn reads(kind: &ArtifactKind) -> bool {
    matches!(kind.as_str(), ArtifactKind::EXAMPLES | ArtifactKind::EVALUATION | ArtifactKind::EXAMPLE_DIFFICULTY)
}

/// Adds an artifact's numbers.
pub(crate) fn read(shown: &mut Shown, kind: &ArtifactKind, path: &Path) -> Result<(), OrchestratorError> {
    let unreadable = |problem: String| OrchestratorError::Definition {
        run: path.display().to_string(),
        problem: format!("a published {kind} can not be read: {problem}"),
    };
    match kind.as_str() {
        ArtifactKind::EXAMPLES => {
            let index: examples::ExamplesIndex = layout::json(path, examples::INDEX).map_err(unreadable)?;
            shown.rows = index.rows;
            shown.rows_set_aside = index.rejected;
        }
        ArtifactKind::EVALUATION => evaluate(shown, &layout::json(path, evaluation::FILE).map_err(unreadable)?),
        ArtifactKind::EXAMPLE_DIFFICULTY => {
            shown.difficulty = Some(hard(layout::json(path, difficulty::FILE).map_err(unreadable)?));
        }
        _ => {}
    }
    Ok(())
}

fn evaluate(shown: &mut Shown, evaluation: &Evaluation) {
    let metric = |name: &String| ShownMetric {
        name: name.clone(),
        candidate: evaluation.overall.candidate.get(name).copied().flatten(),
        baseline: evaluation.overall.baseline.get(name).copied().flatten(),
    };
    // The headline first, the rest by name.
    let rest = evaluation.overall.candidate.keys().filter(|name| **name != evaluation.headline);
    shown.metrics = std::iter::once(&evaluation.headline).chain(rest).map(metric).collect();
    shown.slices = evaluation.slices.iter().take(SLICES).map(|slice| one_slice(slice, &evaluation.headline)).collect();
}

fn one_slice(slice: &Slice, headline: &str) -> ShownSlice {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    ShownSlice {
        slice: format!("{} = {}", text(&slice.column), text(&slice.value)),
        examples: slice.examples,
        metric: headline.to_string(),
        candidate: slice.candidate.get(headline).copied().flatten(),
        baseline: slice.baseline.get(headline).copied().flatten(),
        margin: slice.headline_margin,
    }
}

fn hard(difficulty: Difficulty) -> ShownDifficulty {
    let record = &difficulty.record;
    let variant = format!("{}, {} label, {} {}", record.target, record.label, record.stage, record.checkpoints.len());
    let example = |example: difficulty::HardExample| ShownExample {
        row: example.row,
        label: example.label,
        predicted: example.predicted,
        score: example.vog,
        columns: example.columns,
    };
    ShownDifficulty {
        variant,
        error_by_decile: difficulty.error_by_decile,
        direction: difficulty.direction,
        hardest_tenth_error_share: difficulty.hardest_tenth_error_share,
        suspected_mislabelled: difficulty.suspected_mislabelled,
        hardest: difficulty.hardest.into_iter().take(EXAMPLES).map(example).collect(),
    }
}
