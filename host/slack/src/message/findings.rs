//! What checks found, heaviest first.

use super::Situation;
use super::blocks::Lines;
use super::figures::count;
use super::mrkdwn::{code, quoted};
use countersign_model::finding::{Finding, Severity};

/// Findings shown in one message.
const MOST: usize = 10;

/// The section of the findings that did not pass; none when all did.
pub fn section(situation: &Situation<'_>) -> Option<String> {
    let all = situation.evidence.findings.iter();
    let all = all.flat_map(|(step, findings)| findings.iter().map(move |finding| (step.as_str(), finding)));
    let findings = heaviest_first(all);
    if findings.is_empty() {
        return None;
    }
    let number = |severity| findings.iter().filter(|(_, finding)| finding.severity == severity).count() as u64;
    let counts = [Severity::Block, Severity::Ask, Severity::Warn].map(|severity| (number(severity), word(severity)));
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let counts = counts.map(|(number, word)| format!("{} {word}", count(*number))).collect::<Vec<_>>().join(" · ");
    let mut lines = Lines::new(2_600, &situation.more());
    lines.push(&format!("*Checks that did not pass*: {counts}"));
    lines.extend(&findings, MOST, line);
    lines.finish()
}

/// Sorted for reading: what stops a run, then what asks for a person, then warnings. Remarks are left out.
pub fn heaviest_first<'a>(findings: impl Iterator<Item = (&'a str, &'a Finding)>) -> Vec<(&'a str, &'a Finding)> {
    let mut findings: Vec<_> = findings.filter(|(_, finding)| finding.severity > Severity::Info).collect();
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    findings
}

/// One finding: how heavy, what, on what, and expected against seen and previous.
pub fn line((step, finding): &(&str, &Finding)) -> String {
    let icon = match finding.severity {
        Severity::Block => "⛔",
        Severity::Ask => "🟠",
        Severity::Warn => "⚠️",
        Severity::Info => "ℹ️",
    };
    let subject = if finding.subject.is_empty() { String::new() } else { format!(" {}", code(&finding.subject, 80)) };
    let head =
        format!("{icon} {}: *{}*{subject} in {}", word(finding.severity), quoted(&finding.kind, 40), code(step, 40));
    let values = [("expected", &finding.expected), ("seen", &finding.seen), ("previous", &finding.previous)];
    let values = values.iter().filter_map(|(name, value)| Some(format!("{name} {}", quoted(value.as_deref()?, 90))));
    let mut parts: Vec<String> = values.collect();
    if !finding.message.trim().is_empty() {
        parts.insert(0, quoted(&finding.message, 180));
    }
    if parts.is_empty() { head } else { format!("{head}\n      {}", parts.join(" · ")) }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Block => "block",
        Severity::Ask => "ask",
        Severity::Warn => "warn",
        Severity::Info => "info",
    }
}
