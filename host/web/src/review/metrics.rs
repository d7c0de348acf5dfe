//! The candidate's numbers beside the live model's.

use super::documents;
use super::sources::{ReviewError, Sources};
use countersign_formats::evaluation::{self, Evaluation, Slice};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, ShownSlice};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Slices shown of each kind.
const SHOWN: usize = 5;

/// The candidate's numbers beside the live model's.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Metrics {
    /// The split that was measured on; empty when the evaluation can not be read.
    pub split: String,
    /// The metric that slices are ranked by.
    pub headline: String,
    /// How margins were computed.
    pub margin_method: Option<String>,
    /// Whether there is a live model to compare with.
    pub has_live: bool,
    /// Why a live model could not be compared with.
    pub live_unusable: Option<String>,
    /// Overall metrics, the headline first.
    pub overall: Vec<MetricLine>,
    /// Rules and how they came out.
    pub rules: Vec<RuleLine>,
    /// The candidate's size in bytes.
    pub model_bytes: Option<u64>,
    /// The live model's.
    pub live_bytes: Option<u64>,
    /// The worst slices by the candidate's value, worst first.
    pub worst: Vec<SliceLine>,
    /// The slices that lost most against the live model, greatest loss first.
    pub regressions: Vec<SliceLine>,
    /// All slices there are.
    pub slices: usize,
}

/// One metric.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MetricLine {
    /// Its name.
    pub name: String,
    /// The candidate's value.
    pub candidate: Option<f64>,
    /// The live model's.
    pub live: Option<f64>,
    /// Candidate minus live.
    pub change: Option<f64>,
    /// Half-width of the 95 % interval of the candidate's value.
    pub margin: Option<f64>,
    /// Half-width of the 95 % interval of the change.
    pub change_margin: Option<f64>,
}

/// One slice of the headline metric.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SliceLine {
    /// `company = Blue Ribbon`.
    pub slice: String,
    /// Its examples.
    pub examples: u64,
    /// Fewer than its number can carry.
    pub small: bool,
    /// The candidate's value.
    pub candidate: Option<f64>,
    /// The live model's.
    pub live: Option<f64>,
    /// Candidate minus live.
    pub change: Option<f64>,
    /// Half-width of the 95 % interval of the candidate's value.
    pub margin: Option<f64>,
    /// Half-width of the 95 % interval of the change.
    pub change_margin: Option<f64>,
}

/// One rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RuleLine {
    /// In words.
    pub rule: String,
    /// Whether it holds; none where it can not be judged.
    pub holds: Option<bool>,
    /// What was seen.
    pub seen: String,
}

/// Whether less of a metric is better.
pub(super) fn less_is_better(metric: &str) -> bool {
    metric.contains("loss") || metric.contains("error") || metric.contains("latency")
}

/// The evaluation of a request.
pub(super) async fn evaluation(sources: &Sources, digest: &Digest) -> Result<Arc<Evaluation>, ReviewError> {
    documents::json(sources, digest, evaluation::FILE).await
}

/// What the evidence itself shows.
pub(super) fn shown(evidence: &Evidence) -> Metrics {
    let shown = &evidence.shown;
    let metric = |metric: &countersign_model::evidence::ShownMetric| MetricLine {
        name: metric.name.clone(),
        candidate: metric.candidate,
        live: metric.baseline,
        change: change(metric.candidate, metric.baseline),
        margin: None,
        change_margin: None,
    };
    Metrics {
        headline: shown.metrics.first().map(|metric| metric.name.clone()).unwrap_or_default(),
        has_live: shown.metrics.iter().any(|metric| metric.baseline.is_some()),
        overall: shown.metrics.iter().map(metric).collect(),
        model_bytes: shown.model_bytes,
        live_bytes: shown.live_bytes,
        worst: shown.slices.iter().map(of_shown).collect(),
        regressions: shown.regressions.iter().map(of_shown).collect(),
        slices: shown.slices.len(),
        ..Metrics::default()
    }
}

/// What the evidence shows, with what the evaluation knows beyond it.
pub(super) fn metrics(evidence: &Evidence, evaluation: &Evaluation) -> Metrics {
    let headline = &evaluation.headline;
    let mut metrics = shown(evidence);
    metrics.overall = overall(evaluation);
    metrics.split.clone_from(&evaluation.split);
    metrics.headline.clone_from(headline);
    metrics.margin_method.clone_from(&evaluation.margin_method);
    metrics.has_live = evaluation.has_baseline;
    metrics.live_unusable.clone_from(&evaluation.baseline_unusable);
    let rule = |rule: &evaluation::RuleResult| RuleLine {
        rule: rule.rule.clone(),
        holds: rule.holds,
        seen: rule.seen.clone(),
    };
    metrics.rules = evaluation.rules.iter().map(rule).collect();
    metrics.slices = evaluation.slices.len();
    metrics.worst = evaluation.slices.iter().take(SHOWN).map(|slice| line(slice, headline)).collect();
    metrics.regressions = by_regression(evaluation).into_iter().take(SHOWN).collect();
    metrics
}

/// All slices, worst candidate first.
pub(super) fn slices(evaluation: &Evaluation) -> Vec<SliceLine> {
    evaluation.slices.iter().map(|slice| line(slice, &evaluation.headline)).collect()
}

/// Slices that lost against the live model, greatest loss first; small ones after the others.
fn by_regression(evaluation: &Evaluation) -> Vec<SliceLine> {
    let sign = if less_is_better(&evaluation.headline) { 1.0 } else { -1.0 };
    let mut lost: Vec<(f64, SliceLine)> = slices(evaluation)
        .into_iter()
        .filter_map(|slice| slice.change.map(|change| (sign * change, slice)))
        .filter(|(loss, _)| *loss > 0.0)
        .collect();
    lost.sort_by(|(a, left), (b, right)| left.small.cmp(&right.small).then_with(|| b.total_cmp(a)));
    lost.into_iter().map(|(_, slice)| slice).collect()
}

fn overall(evaluation: &Evaluation) -> Vec<MetricLine> {
    let all = &evaluation.overall;
    let rest = all.candidate.keys().filter(|name| **name != evaluation.headline);
    let line = |name: &String| {
        let value = |of: &std::collections::BTreeMap<String, Option<f64>>| of.get(name).copied().flatten();
        let (candidate, live) = (value(&all.candidate), value(&all.baseline));
        let first = *name == evaluation.headline;
        MetricLine {
            name: name.clone(),
            candidate,
            live,
            change: change(candidate, live),
            margin: all.headline_margin.filter(|_| first),
            change_margin: all.change_margin.filter(|_| first),
        }
    };
    std::iter::once(&evaluation.headline).chain(rest).map(line).collect()
}

fn line(slice: &Slice, headline: &str) -> SliceLine {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let candidate = slice.candidate.get(headline).copied().flatten();
    let live = slice.baseline.get(headline).copied().flatten();
    SliceLine {
        slice: format!("{} = {}", text(&slice.column), text(&slice.value)),
        examples: slice.examples,
        small: slice.small,
        candidate,
        live,
        change: change(candidate, live),
        margin: slice.headline_margin,
        change_margin: slice.change_margin,
    }
}

fn of_shown(slice: &ShownSlice) -> SliceLine {
    SliceLine {
        slice: slice.slice.clone(),
        examples: slice.examples,
        small: false,
        candidate: slice.candidate,
        live: slice.baseline,
        change: change(slice.candidate, slice.baseline),
        margin: slice.margin,
        change_margin: None,
    }
}

fn change(candidate: Option<f64>, live: Option<f64>) -> Option<f64> {
    Some(candidate? - live?)
}
