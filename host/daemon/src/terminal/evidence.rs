//! The evidence as a reviewer sees it in the terminal.

use crate::terminal::run::finding_line;
use crate::terminal::text;
use console::style;
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown, ShownDifficulty, ShownSlice};
use countersign_model::finding::Verdict;
use std::fmt::Write as _;

/// Everything that the evidence holds, in the order in which it is read.
pub fn render(evidence: &Evidence, digest: &Digest, hardest: bool) -> String {
    let mut page = String::new();
    let verdict = match evidence.verdict() {
        Verdict::Pass => style("no check asks for more than your look").green(),
        Verdict::NeedsPerson => style("a check asks for a person").yellow(),
        Verdict::Fail => style("a check failed").red(),
    };
    let warnings: usize = evidence.findings.values().map(Vec::len).sum();
    let count = if warnings == 1 { "1 finding".to_string() } else { format!("{warnings} findings") };
    let _ = writeln!(page, "\n  evidence {}  ·  {verdict} · {count}", style(digest.short()).bold());
    changed(&mut page, evidence);
    data(&mut page, &evidence.shown);
    findings(&mut page, evidence);
    metrics(&mut page, &evidence.shown, evidence.baseline.is_some());
    if let Some(difficulty) = &evidence.shown.difficulty {
        hard(&mut page, difficulty, hardest);
    }
    page
}

fn changed(page: &mut String, evidence: &Evidence) {
    match evidence.baseline {
        None => {
            let _ = writeln!(
                page,
                "  model {}  ·  nothing is live yet: this would be the first model",
                evidence.model.short()
            );
        }
        Some(live) => {
            let _ = writeln!(page, "  model {}  ·  live is {}", evidence.model.short(), live.short());
            let _ = writeln!(page, "  changed since the live model:");
            for change in &evidence.changes {
                let _ = writeln!(page, "    {}", text::safe(change));
            }
        }
    }
}

fn data(page: &mut String, shown: &Shown) {
    let splits: Vec<String> =
        shown.rows.iter().map(|(split, rows)| format!("{} {split}", text::count(*rows))).collect();
    if !splits.is_empty() {
        let aside = match shown.rows_set_aside {
            0 => String::new(),
            rows => format!(" · {} bad rows set aside", text::count(rows)),
        };
        let before: u64 = shown.rows_before.values().sum();
        let now: u64 = shown.rows.values().sum();
        let before = if before > 0 && before != now {
            format!(" · {} behind the live model", text::count(before))
        } else {
            String::new()
        };
        let _ = writeln!(page, "  data: {}{aside}{before}", splits.join(", "));
    }
    for change in &shown.schema_changes {
        let _ = writeln!(page, "  schema: {}", text::safe(change));
    }
    let moved: Vec<String> = shown
        .drift
        .iter()
        .map(|drift| format!("{} {:.4} (noise {:.4})", text::safe(&drift.feature), drift.effect, drift.threshold))
        .collect();
    if !moved.is_empty() {
        let _ = writeln!(page, "  moved most since the previous delivery: {}", moved.join(", "));
    }
    let sizes = [("candidate", shown.model_bytes), ("live", shown.live_bytes)];
    let sizes: Vec<String> =
        sizes.into_iter().filter_map(|(what, size)| Some(format!("{what} {}", text::bytes(size?)))).collect();
    if !sizes.is_empty() {
        let _ = writeln!(page, "  size: {}", sizes.join(", "));
    }
}

fn findings(page: &mut String, evidence: &Evidence) {
    for (step, findings) in &evidence.findings {
        for finding in findings {
            let _ = writeln!(page, "  {step}: {}", finding_line(finding));
        }
    }
}

fn metrics(page: &mut String, shown: &Shown, live: bool) {
    if shown.metrics.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for metric in &shown.metrics {
        let change = if live { text::change(metric.candidate, metric.baseline) } else { "first model".to_string() };
        rows.push(vec![metric.name.clone(), text::number(metric.candidate), text::number(metric.baseline), change]);
    }
    let slice = |what: &str, slice: &ShownSlice| {
        let margin = slice.margin.map_or(String::new(), |margin| format!(" ± {margin:.2}"));
        vec![
            format!("{what}: {} (n={})", text::safe(&slice.slice), text::count(slice.examples)),
            format!("{}{margin}", text::number(slice.candidate)),
            text::number(slice.baseline),
            text::change(slice.candidate, slice.baseline),
        ]
    };
    rows.extend(shown.slices.iter().map(|one| slice("worst", one)));
    rows.extend(shown.regressions.iter().map(|one| slice("lost most", one)));
    for line in text::table(&["", "candidate", "live", "change"], &rows).lines() {
        let _ = writeln!(page, "    {line}");
    }
}

fn hard(page: &mut String, difficulty: &ShownDifficulty, hardest: bool) {
    let deciles: Vec<String> = difficulty.error_by_decile.iter().map(|error| format!("{:.0}", error * 100.0)).collect();
    let _ = writeln!(page, "  example difficulty: VoG, {}", difficulty.variant);
    let _ = writeln!(page, "    error by decile: {} %  ·  direction: {}", deciles.join(" "), difficulty.direction);
    let _ = writeln!(
        page,
        "    the hardest 10 % of examples hold {:.0} % of the errors  ·  looks mislabelled: {} rows",
        difficulty.hardest_tenth_error_share * 100.0,
        text::count(difficulty.suspected_mislabelled)
    );
    let mut about = Vec::new();
    about.extend(difficulty.base_error.map(|error| format!("base error {:.1} %", error * 100.0)));
    let class = difficulty.hardest_class.as_ref();
    about
        .extend(class.map(|(class, share)| format!("{:.0} % of the hardest are {}", share * 100.0, text::safe(class))));
    about.extend(difficulty.overlap_with_aum.map(|share| format!("{:.0} % of them hard by AUM too", share * 100.0)));
    if !about.is_empty() {
        let _ = writeln!(page, "    {}", about.join("  ·  "));
    }
    let lines: Vec<String> = difficulty
        .hardest
        .iter()
        .map(|example| format!("{} ({} → {})", example.row, text::safe(&example.label), text::safe(&example.predicted)))
        .collect();
    let _ = writeln!(page, "    hardest rows (given → predicted): {}", lines.join(", "));
    if hardest {
        for example in &difficulty.hardest {
            let columns: Vec<String> =
                example.columns.iter().map(|(name, value)| format!("{name}={}", text::safe(value))).collect();
            let _ = writeln!(page, "      row {} · score {:.4} · {}", example.row, example.score, columns.join(" "));
        }
    }
}
