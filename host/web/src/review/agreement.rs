//! Whether two measurements of difficulty rank the same examples alike.

use super::difficulty::Scores;
use super::documents;
use super::sources::{ReviewError, Sources};
use countersign_formats::difficulty::{self, Difficulty, Record};
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::execution::Execution;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Whether this run and the one before rank the same examples alike.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Agreement {
    /// Rank correlation (Spearman), -1 to 1; none where it was not computed.
    pub spearman: Option<f64>,
    /// Examples that both have.
    pub rows: usize,
    /// The run before.
    pub run: Option<String>,
    /// Why there is no number.
    pub why_not: Option<String>,
}

impl Agreement {
    pub(super) fn none(why: impl Into<String>) -> Self {
        Self { spearman: None, rows: 0, run: None, why_not: Some(why.into()) }
    }
}

/// Compares with what the same step measured before.
pub(super) async fn agreement(
    sources: &Sources,
    execution: &Execution,
    digest: &Digest,
    now: &Difficulty,
    scores: &Scores,
) -> Result<Agreement, ReviewError> {
    let before = sources.store.previous_execution(&execution.pipeline, &execution.step, &execution.run).await?;
    let Some(before) = before else { return Ok(Agreement::none("this is the first run that measured it")) };
    let mut outputs = before.state.result().into_iter().flat_map(|result| result.outputs.values());
    let artifact = outputs.rfind(|artifact| artifact.kind.as_str() == ArtifactKind::EXAMPLE_DIFFICULTY);
    let Some(artifact) = artifact else { return Ok(Agreement::none("the run before measured nothing")) };
    let run = Some(before.run.to_string());
    if artifact.digest == *digest {
        return Ok(Agreement { run, ..Agreement::none("the run before has the very same scores") });
    }
    let earlier: Arc<Difficulty> = documents::json(sources, &artifact.digest, difficulty::FILE).await?;
    let differs = if earlier.split == now.split { difference(&now.record, &earlier.record) } else { Some("split") };
    if let Some(field) = differs {
        let why = format!("not comparable with the run before: {field} differs");
        return Ok(Agreement { run, ..Agreement::none(why) });
    }
    let examples = |execution: &Execution| execution.fingerprint.inputs.get("examples").cloned();
    let same_examples = now.record.examples_sha256 == earlier.record.examples_sha256
        || (examples(execution).is_some() && examples(execution) == examples(&before));
    if !same_examples {
        let why = "the run before was about another delivery: its rows are other examples";
        return Ok(Agreement { run, ..Agreement::none(why) });
    }
    let earlier = documents::document(sources, &artifact.digest, difficulty::SCORES, Scores::read).await?;
    let pairs = common(scores, &earlier);
    let spearman = spearman(&pairs);
    let why_not = spearman.is_none().then(|| "there is nothing to rank".to_string());
    Ok(Agreement { spearman, rows: pairs.len(), run, why_not })
}

/// The first field in which two measurements mean different things. Model and checkpoints differ between any two runs.
fn difference(a: &Record, b: &Record) -> Option<&'static str> {
    let fields = [
        ("target", a.target == b.target),
        ("label", a.label == b.label),
        ("stage", a.stage == b.stage),
        ("number of checkpoints", a.checkpoints.len() == b.checkpoints.len()),
        ("reduction", a.reduction == b.reduction),
        ("normalisation", a.normalisation == b.normalisation),
        ("number of model inputs", a.inputs == b.inputs),
        ("number type", a.dtype == b.dtype),
        ("channel handling", a.channels == b.channels),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

fn common(a: &Scores, b: &Scores) -> Vec<(f64, f64)> {
    a.by_row.iter().filter_map(|(row, score)| Some((*score, *b.by_row.get(row)?))).collect()
}

/// Spearman's rank correlation, ties at their mean rank; none where one side does not vary.
fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let left = ranks(pairs.iter().map(|pair| pair.0));
    let right = ranks(pairs.iter().map(|pair| pair.1));
    let mean = |ranks: &[f64]| ranks.iter().sum::<f64>() / f64::from(u32::try_from(ranks.len()).unwrap_or(u32::MAX));
    let (mean_left, mean_right) = (mean(&left), mean(&right));
    let (mut together, mut alone_left, mut alone_right) = (0.0, 0.0, 0.0);
    for (a, b) in left.iter().zip(&right) {
        together += (a - mean_left) * (b - mean_right);
        alone_left += (a - mean_left).powi(2);
        alone_right += (b - mean_right).powi(2);
    }
    let scale = (alone_left * alone_right).sqrt();
    (scale > 0.0).then(|| together / scale)
}

fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<(usize, f64)> = values.enumerate().collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut ranks = vec![0.0; sorted.len()];
    let mut rank = 0.0;
    for tied in sorted.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()) {
        let size = f64::from(u32::try_from(tied.len()).unwrap_or(u32::MAX));
        for (at, _) in tied {
            ranks[*at] = rank + (size + 1.0) / 2.0;
        }
        rank += size;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_agrees_with_known_values() {
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) = 0.8207826816681233
        let pairs: Vec<(f64, f64)> = [1.0, 2.0, 3.0, 4.0, 5.0].into_iter().zip([5.0, 6.0, 7.0, 8.0, 7.0]).collect();
        assert!((spearman(&pairs).unwrap() - 0.820_782_681_668_123_3).abs() < 1e-12);
        let turned: Vec<(f64, f64)> = (0..9).map(|at| (f64::from(at), -f64::from(at))).collect();
        assert!((spearman(&turned).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(spearman(&[]), None);
    }
}
