//! Checks what a component answered: the host stores it and shows it to people, so it is short and harmless, or refused.

use crate::bindings::countersign::component::types;
use crate::failure::Stop;
use crate::text::harmless;
use countersign_model::figures::count;
use countersign_model::finding::{Finding, Severity};
use countersign_ports::component_runner::ComponentOutcome;

const SUMMARY_BYTES: usize = 1_000;
const FINDINGS: usize = 10_000;
const KIND_BYTES: usize = 100;
const TEXT_BYTES: usize = 4_000;
const ROWS: usize = 1_000;

/// The answer, checked.
///
/// # Errors
/// `bug`, naming what is too much or missing.
pub fn checked(outcome: types::Outcome) -> Result<ComponentOutcome, Stop> {
    if outcome.findings.len() > FINDINGS {
        return Err(too_much("findings", outcome.findings.len(), FINDINGS));
    }
    let summary = text("bytes of summary", outcome.summary, SUMMARY_BYTES)?;
    let findings = outcome.findings.into_iter().map(finding).collect::<Result<_, Stop>>()?;
    Ok(ComponentOutcome { summary, findings })
}

fn finding(finding: types::Finding) -> Result<Finding, Stop> {
    if finding.kind.trim().is_empty() {
        return Err(Stop::new("bug", "a fault of the component: it answered a finding without a kind"));
    }
    if finding.rows.len() > ROWS {
        return Err(too_much("rows in one finding", finding.rows.len(), ROWS));
    }
    let figure = |name, value: Option<String>| value.map(|value| text(name, value, TEXT_BYTES)).transpose();
    Ok(Finding {
        kind: text("bytes of a finding's kind", finding.kind, KIND_BYTES)?,
        severity: match finding.severity {
            types::Severity::Info => Severity::Info,
            types::Severity::Warn => Severity::Warn,
            types::Severity::Ask => Severity::Ask,
            types::Severity::Block => Severity::Block,
        },
        subject: text("bytes of a finding's subject", finding.subject, TEXT_BYTES)?,
        message: text("bytes of a finding's message", finding.message, TEXT_BYTES)?,
        expected: figure("bytes of a finding's expected value", finding.expected)?,
        seen: figure("bytes of a finding's seen value", finding.seen)?,
        previous: figure("bytes of a finding's previous value", finding.previous)?,
        rows: finding.rows,
    })
}

fn text(what: &str, value: String, most: usize) -> Result<String, Stop> {
    if value.len() > most { Err(too_much(what, value.len(), most)) } else { Ok(harmless(&value, false)) }
}

fn too_much(what: &str, found: usize, most: usize) -> Stop {
    let message = format!(
        "a fault of the component: it answered {} {what}; {} are allowed",
        count(found as u64),
        count(most as u64)
    );
    Stop::new("bug", message)
}
