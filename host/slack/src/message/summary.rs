//! What a reviewer has to know before opening the page: verdict, numbers against live, data, worst slices, example difficulty.

use super::Situation;
use super::blocks::Lines;
use super::figures::{self, bytes, count, counted, difference, growth, number, optional, percent};
use super::mrkdwn::{code, quoted};
use countersign_model::evidence::{ShownDifficulty, ShownDrift, ShownMetric, ShownSlice};
use countersign_model::finding::Verdict;

/// Verdict, and which model against which.
pub fn verdict(situation: &Situation<'_>) -> String {
    let evidence = situation.evidence;
    let verdict = evidence.verdict();
    let steps = |wanted| evidence.verdicts.iter().filter(move |(_, verdict)| **verdict == wanted).map(|(step, _)| step);
    let which = |wanted| {
        let named: Vec<String> = steps(wanted).take(6).map(|step| code(step, 60)).collect();
        let others = steps(wanted).count().saturating_sub(named.len());
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        format!("{}{others}", named.join(", "))
    };
    let verdict = match verdict {
        Verdict::Pass if evidence.verdicts.is_empty() => "*Verdict: pass*, no step checked anything".to_string(),
        Verdict::Pass => format!("*Verdict: pass* in {}", counted(evidence.verdicts.len() as u64, "step", "steps")),
        Verdict::NeedsPerson => format!("*Verdict: needs a person*, asked by {}", which(verdict)),
        Verdict::Fail => format!("*Verdict: fail* in {}", which(verdict)),
    };
    let live = match &evidence.baseline {
        Some(live) => format!("live `{}`", live.short()),
        None => "no model is live yet".to_string(),
    };
    format!(
        "{verdict}\n*Candidate* `{}` · {live} · evidence `{}`",
        evidence.model.short(),
        situation.request.evidence_digest.short()
    )
}

/// The numbers against live, the worst slices and the greatest losses.
pub fn quality(situation: &Situation<'_>) -> Option<String> {
    let shown = &situation.evidence.shown;
    let mut lines = Lines::new(2_000, &situation.more());
    lines.extend(&shown.metrics, 8, metric);
    if let Some(size) = shown.model_bytes {
        let live = shown.live_bytes.map(|live| format!(" (live {})", bytes(live))).unwrap_or_default();
        lines.push(&format!("size {}{live}", bytes(size)));
    }
    if !shown.slices.is_empty() {
        lines.push("*Worst slices*");
        shown.slices.iter().take(3).for_each(|shown| lines.push(&slice(shown)));
    }
    // A slice that is already listed among the worst is not listed again.
    let worst = |slice: &str| shown.slices.iter().take(3).any(|other| other.slice == slice);
    let lost: Vec<&ShownSlice> = shown.regressions.iter().take(3).filter(|lost| !worst(&lost.slice)).collect();
    if !lost.is_empty() {
        lines.push("*Lost most against live*");
        lost.into_iter().for_each(|shown| lines.push(&slice(shown)));
    }
    lines.finish()
}

/// One metric: `auc 0.871 → 0.878 (+0.0070)`.
pub fn metric(metric: &ShownMetric) -> String {
    let name = quoted(&metric.name, 60);
    format!("*{name}* {}", against(metric.candidate, metric.baseline))
}

fn slice(slice: &ShownSlice) -> String {
    let margin = slice.margin.map(|margin| format!(" ± {}", number(margin))).unwrap_or_default();
    let values = against(slice.candidate, slice.baseline);
    format!(
        "• {} (n = {}): {} {values}{margin}",
        quoted(&slice.slice, 100),
        count(slice.examples),
        quoted(&slice.metric, 40)
    )
}

/// Live first, then the candidate, then the difference.
fn against(candidate: Option<f64>, live: Option<f64>) -> String {
    match (candidate, live) {
        (Some(candidate), Some(live)) => {
            format!("{} → {} ({})", number(live), number(candidate), difference(candidate, live))
        }
        (candidate, None) => optional(candidate),
        (None, Some(live)) => format!("{} → {}", number(live), figures::NONE),
    }
}

/// The delivery: rows, schema, what moved, and what else changed since the live model.
pub fn data(situation: &Situation<'_>) -> Option<String> {
    let evidence = situation.evidence;
    let shown = &evidence.shown;
    let mut lines = Lines::new(1_800, &situation.more());
    if !shown.rows.is_empty() {
        let total = |rows: &std::collections::BTreeMap<String, u64>| {
            rows.values().fold(0_u64, |sum, rows| sum.saturating_add(*rows))
        };
        let grown =
            growth(total(&shown.rows), total(&shown.rows_before)).map(|text| format!(" ({text})")).unwrap_or_default();
        let splits = shown.rows.iter().take(4).map(|(split, rows)| format!("{} {}", quoted(split, 40), count(*rows)));
        let splits = splits.collect::<Vec<_>>().join(", ");
        let aside = match shown.rows_set_aside {
            0 => String::new(),
            aside => format!(" · {} set aside", count(aside)),
        };
        lines.push(&format!("*Data* {} rows{grown}: {splits}{aside}", count(total(&shown.rows))));
    }
    match (evidence.baseline, shown.schema_changes.is_empty()) {
        (Some(_), true) => lines.push("No schema change"),
        (_, _) => lines.extend(&shown.schema_changes, 5, |change| format!("• schema: {}", quoted(change, 160))),
    }
    let moved: Vec<&ShownDrift> = shown.drift.iter().filter(|drift| drift.effect > drift.threshold).collect();
    if !moved.is_empty() {
        let names = moved.iter().take(3).map(|drift| {
            format!("{} {} (threshold {})", code(&drift.feature, 80), number(drift.effect), number(drift.threshold))
        });
        let of = counted(moved.len() as u64, "feature", "features");
        lines.push(&format!(
            "*Moved* {of} of {}, farthest {}",
            count(shown.drift.len() as u64),
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    lines.extend(&evidence.changes, 5, |change| format!("• {}", quoted(change, 160)));
    lines.finish()
}

/// Example difficulty: which score, does it order the errors, and what looks wrong.
pub fn difficulty(situation: &Situation<'_>) -> Option<String> {
    let shown = situation.evidence.shown.difficulty.as_ref()?;
    let deciles = shown.error_by_decile.iter().take(10).map(|error| percent(*error)).collect::<Vec<_>>().join(" | ");
    let base = shown.base_error.map(|error| format!(", base {} %", percent(error))).unwrap_or_default();
    let mut lines = Lines::new(1_200, &situation.more());
    lines.push(&format!("*Example difficulty* (VoG, {})", quoted(&shown.variant, 80)));
    if !deciles.is_empty() {
        lines.push(&format!("error by decile {deciles} %{base} · direction: {}", direction(shown)));
    }
    let mut parts = vec![format!("hardest 10 % hold {} % of the errors", percent(shown.hardest_tenth_error_share))];
    if let Some((class, share)) = &shown.hardest_class {
        parts.push(format!("hardest class {} ({} % of them)", quoted(class, 60), percent(*share)));
    }
    if let Some(overlap) = shown.overlap_with_aum {
        parts.push(format!("{} % also hardest by AUM", percent(overlap)));
    }
    parts.push(match shown.suspected_mislabelled {
        1 => "1 looks mislabelled".to_string(),
        number => format!("{} look mislabelled", count(number)),
    });
    lines.push(&parts.join(" · "));
    lines.finish()
}

/// A score that orders nothing, or the wrong way round, has to strike the eye.
fn direction(shown: &ShownDifficulty) -> String {
    let words = quoted(&shown.direction, 40);
    if shown.direction == "high = hard" { words } else { format!("⚠️ *{words}*") }
}
