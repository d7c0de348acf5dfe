//! A run, its steps and their findings.

use crate::terminal::text;
use console::style;
use countersign_model::finding::{Finding, Severity};
use countersign_model::run::{Run, RunState};

/// Characters of one text of a finding; `--output json` has all of it.
const LONGEST: usize = 160;

/// One finding on one line: weight, message, expected, seen, previous, rows to look at.
pub fn finding_line(finding: &Finding) -> String {
    let weight = match finding.severity {
        Severity::Block => style("blocks").red(),
        Severity::Ask => style("asks").yellow(),
        Severity::Warn => style("warns").yellow(),
        Severity::Info => style("notes").dim(),
    };
    let mut line = format!("{weight}: {} [{}]", text::short(&finding.message, LONGEST), finding.kind);
    let mut facts = Vec::new();
    for (name, value) in [("expected", &finding.expected), ("seen", &finding.seen), ("previous", &finding.previous)] {
        if let Some(value) = value.as_ref().filter(|value| !finding.message.contains(value.as_str())) {
            facts.push(format!("{name} {}", text::short(value, LONGEST)));
        }
    }
    if !finding.rows.is_empty() {
        let rows: Vec<String> = finding.rows.iter().take(5).map(u64::to_string).collect();
        facts.push(format!("rows to look at: {}", rows.join(", ")));
    }
    if !facts.is_empty() {
        line.push_str(&format!(" · {}", facts.join(" · ")));
    }
    line
}

/// One run in a list.
pub fn row(run: &Run) -> Vec<String> {
    let state = match &run.state {
        RunState::Waiting { .. } => "waiting for people".to_string(),
        state => state.status().to_string(),
    };
    vec![
        run.id.to_string(),
        run.pipeline.clone(),
        state,
        run.span.clone().unwrap_or_default(),
        run.created_at.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        run.started_by.to_string(),
    ]
}
