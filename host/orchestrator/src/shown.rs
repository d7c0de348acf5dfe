//! The numbers a reviewer is shown, taken from the artifacts that hold them.

use crate::error::OrchestratorError;
use crate::layout;
use countersign_formats::difficulty::Difficulty;
use countersign_formats::evaluation::{Evaluation, Slice};
use countersign_formats::tfmd::Message as _;
use countersign_formats::tfmd::anomalies::{self, Anomalies, DriftSkewInfo, Measurement};
use countersign_formats::{difficulty, evaluation, examples};
use countersign_model::artifact::ArtifactKind;
use countersign_model::evidence::{Shown, ShownDifficulty, ShownDrift, ShownExample, ShownMetric, ShownSlice};
use std::path::Path;

/// Slices shown: the worst, and those that lost most.
const SLICES: usize = 5;
/// Features shown: those that moved farthest.
const DRIFT: usize = 10;
/// Hard examples shown.
const EXAMPLES: usize = 5;

/// Whether numbers are taken from artifacts of this kind.
pub(crate) fn reads(kind: &ArtifactKind) -> bool {
    matches!(
        kind.as_str(),
        ArtifactKind::EXAMPLES | ArtifactKind::ANOMALIES | ArtifactKind::EVALUATION | ArtifactKind::EXAMPLE_DIFFICULTY
    )
}

/// Adds an artifact's numbers.
pub(crate) fn read(shown: &mut Shown, kind: &ArtifactKind, path: &Path) -> Result<(), OrchestratorError> {
    let unreadable = |problem: String| unreadable(kind, path, problem);
    match kind.as_str() {
        ArtifactKind::EXAMPLES => {
            let index: examples::ExamplesIndex = layout::json(path, examples::INDEX).map_err(unreadable)?;
            shown.rows = index.rows;
            shown.rows_set_aside = index.rejected;
        }
        ArtifactKind::ANOMALIES => drift(shown, path).map_err(unreadable)?,
        ArtifactKind::EVALUATION => evaluate(shown, &layout::json(path, evaluation::FILE).map_err(unreadable)?),
        ArtifactKind::EXAMPLE_DIFFICULTY => {
            shown.difficulty = Some(hard(layout::json(path, difficulty::FILE).map_err(unreadable)?));
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn unreadable(kind: &ArtifactKind, path: &Path, problem: String) -> OrchestratorError {
    OrchestratorError::Definition {
        run: path.display().to_string(),
        problem: format!("a published {kind} can not be read: {problem}"),
    }
}

/// How far features moved from the previous delivery, in whichever split they moved farthest.
fn drift(shown: &mut Shown, path: &Path) -> Result<(), String> {
    for split in std::fs::read_dir(path).map_err(|error| error.to_string())? {
        let file = split.map_err(|error| error.to_string())?.path().join(anomalies::FILE);
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let message = Anomalies::decode(bytes.as_slice()).map_err(|error| format!("{}: {error}", file.display()))?;
        for moved in message.drift_skew_info.iter().filter_map(moved) {
            match shown.drift.iter_mut().find(|other| other.feature == moved.feature) {
                Some(other) if other.effect >= moved.effect => {}
                Some(other) => *other = moved,
                None => shown.drift.push(moved),
            }
        }
    }
    shown.drift.sort_by(|a, b| b.effect.total_cmp(&a.effect).then_with(|| a.feature.cmp(&b.feature)));
    shown.drift.truncate(DRIFT);
    Ok(())
}

/// The measurement that is farthest beyond its threshold.
fn moved(info: &DriftSkewInfo) -> Option<ShownDrift> {
    let feature = info.path.as_ref()?.step.join(".");
    let number = |measurement: &Measurement| {
        let (value, threshold) = (measurement.value?, measurement.threshold?);
        (value.is_finite() && threshold.is_finite()).then_some((value, threshold))
    };
    let beyond = |(value, threshold): &(f64, f64)| value - threshold;
    let farthest = info.drift_measurements.iter().filter_map(number);
    let (effect, threshold) = farthest.max_by(|a, b| beyond(a).total_cmp(&beyond(b)))?;
    Some(ShownDrift { feature, effect, threshold })
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
    shown.regressions = regressions(evaluation);
}

/// The slices whose headline metric lost most against the live model; small ones, where chance loses much, after the others.
fn regressions(evaluation: &Evaluation) -> Vec<ShownSlice> {
    let headline = evaluation.headline.as_str();
    let value = |metrics: &std::collections::BTreeMap<String, Option<f64>>| metrics.get(headline).copied().flatten();
    let loss = |slice: &Slice| Some(loss(headline, value(&slice.candidate)?, value(&slice.baseline)?));
    let mut lost: Vec<(f64, &Slice)> = evaluation
        .slices
        .iter()
        .filter_map(|slice| Some((loss(slice)?, slice)))
        .filter(|(loss, _)| *loss > 0.0)
        .collect();
    lost.sort_by(|(a, x), (b, y)| x.small.cmp(&y.small).then(b.total_cmp(a)));
    lost.into_iter().take(SLICES).map(|(_, slice)| one_slice(slice, headline)).collect()
}

/// How much worse the candidate is: errors are better low, calibration is best at 1, the rest is better high.
fn loss(metric: &str, candidate: f64, baseline: f64) -> f64 {
    match metric {
        "calibration" => (candidate - 1.0).abs() - (baseline - 1.0).abs(),
        metric if metric.contains("loss") || metric.contains("error") => candidate - baseline,
        _ => baseline - candidate,
    }
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
    // The first of equals by name, so that equal files are equal evidence.
    let most = |a: (String, f64), b: (String, f64)| if b.1 > a.1 { b } else { a };
    ShownDifficulty {
        variant,
        base_error: Some(difficulty.base_error),
        hardest_class: difficulty.hardest_tenth_by_class.into_iter().reduce(most),
        overlap_with_aum: Some(difficulty.overlap_with_aum),
        error_by_decile: difficulty.error_by_decile,
        direction: difficulty.direction,
        hardest_tenth_error_share: difficulty.hardest_tenth_error_share,
        suspected_mislabelled: difficulty.suspected_mislabelled,
        hardest: difficulty.hardest.into_iter().take(EXAMPLES).map(example).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::tfmd::Path as Feature;
    use std::collections::BTreeMap;

    fn slice(value: &str, small: bool, candidate: Option<f64>, baseline: Option<f64>) -> Slice {
        Slice {
            column: Some("company".to_string()),
            value: Some(value.to_string()),
            examples: 100,
            small,
            candidate: BTreeMap::from([("m".to_string(), candidate), ("log_loss".to_string(), candidate)]),
            baseline: BTreeMap::from([("m".to_string(), baseline), ("log_loss".to_string(), baseline)]),
            headline_margin: None,
            change_margin: None,
        }
    }

    fn lost(headline: &str, slices: &[Slice]) -> Vec<String> {
        let evaluation = Evaluation {
            split: "eval".to_string(),
            classes: Vec::new(),
            headline: headline.to_string(),
            margin_method: None,
            overall: slice("all", false, None, None),
            slices: slices.to_vec(),
            min_slice_examples: 10,
            has_baseline: true,
            baseline_unusable: None,
            examples_without_label: 0,
            rules: Vec::new(),
        };
        regressions(&evaluation).into_iter().map(|slice| slice.slice).collect()
    }

    #[test]
    fn the_greatest_loss_comes_first_whichever_way_the_metric_is_better() {
        let slices = [
            slice("a", false, Some(0.7), Some(0.8)),
            slice("b", false, Some(0.5), Some(0.9)),
            slice("tiny", true, Some(0.1), Some(0.9)),
            slice("better", false, Some(0.9), Some(0.8)),
            slice("unknown", false, None, Some(0.8)),
        ];
        assert_eq!(lost("m", &slices), ["company = b", "company = a", "company = tiny"]);
        assert_eq!(lost("log_loss", &slices), ["company = better"]);
        assert!(loss("calibration", 1.3, 0.9) > 0.0 && loss("calibration", 1.05, 0.9) < 0.0);
    }

    #[test]
    fn drift_is_what_moved_since_the_previous_delivery_farthest_first() {
        let folder = tempfile::tempdir().unwrap();
        let measured =
            |value, threshold| Measurement { r#type: Some(2), value: Some(value), threshold: Some(threshold) };
        let info = |name: &str, drift: Vec<Measurement>| DriftSkewInfo {
            path: Some(Feature::column(name)),
            drift_measurements: drift,
            skew_measurements: vec![measured(0.9, 0.1)],
        };
        for (split, infos) in [
            ("train", vec![info("fare", vec![measured(0.2, 0.1), measured(0.3, 0.25)]), info("tip", Vec::new())]),
            (
                "eval",
                vec![
                    info("fare", vec![measured(0.1, 0.1)]),
                    info("miles", vec![measured(f64::NAN, 0.1), measured(0.5, 0.1)]),
                ],
            ),
        ] {
            std::fs::create_dir(folder.path().join(split)).unwrap();
            let message = Anomalies { drift_skew_info: infos, ..Anomalies::default() };
            std::fs::write(folder.path().join(split).join(anomalies::FILE), message.encode_to_vec()).unwrap();
        }
        let mut shown = Shown::default();
        read(&mut shown, &ArtifactKind::ANOMALIES.into(), folder.path()).unwrap();
        let told: Vec<_> = shown.drift.iter().map(|drift| (drift.feature.as_str(), drift.effect)).collect();
        assert_eq!(told, [("miles", 0.5), ("fare", 0.2)]);
    }
}
