//! What the checks found.

use super::trail::Trail;
use super::words;
use countersign_model::evidence::Evidence;
use countersign_model::finding::{Finding, Severity, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

/// Findings shown of one step; the rest is in the evidence document and on the feature pages.
const SHOWN: usize = 12;

/// What the checks found.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Checks {
    /// Findings that stop the run.
    pub block: usize,
    /// Findings that ask for a person.
    pub ask: usize,
    /// Findings worth a look.
    pub warn: usize,
    /// Steps in which nothing was found.
    pub passed: usize,
    /// Steps, those with the heaviest findings first.
    pub steps: Vec<StepCheck>,
}

/// One step's check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StepCheck {
    /// The step.
    pub step: String,
    /// `pass`, `needs a person` or `fail`.
    pub verdict: String,
    /// One line of what the step did; empty when the record has none.
    pub summary: String,
    /// Its findings, heaviest first, at most a dozen.
    pub findings: Vec<FindingLine>,
    /// Findings that are not in this list.
    pub more: usize,
}

/// One finding.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FindingLine {
    /// `block`, `ask`, `warn` or `info`.
    pub severity: String,
    /// Its kind: `drift`.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// One sentence.
    pub message: String,
    /// What was expected.
    pub expected: Option<String>,
    /// What was seen.
    pub seen: Option<String>,
    /// What it was the last time.
    pub previous: Option<String>,
    /// Rows of the delivery to look at.
    pub rows: Vec<u64>,
}

impl From<&Finding> for FindingLine {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: words::severity(finding.severity).to_string(),
            kind: finding.kind.clone(),
            subject: finding.subject.clone(),
            message: finding.message.clone(),
            expected: finding.expected.clone(),
            seen: finding.seen.clone(),
            previous: finding.previous.clone(),
            rows: finding.rows.iter().take(8).copied().collect(),
        }
    }
}

/// The heaviest first; equal ones stay in order.
pub(super) fn heaviest_first(findings: &[Finding], shown: usize) -> Vec<FindingLine> {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.into_iter().take(shown).map(FindingLine::from).collect()
}

/// The checks of the evidence.
pub(super) fn checks(evidence: &Evidence, trail: &Trail) -> Checks {
    let mut checks = Checks::default();
    let mut steps: Vec<(&String, Verdict)> = evidence.verdicts.iter().map(|(step, verdict)| (step, *verdict)).collect();
    steps.sort_by_key(|(_, verdict)| std::cmp::Reverse(*verdict));
    for (step, verdict) in steps {
        let found = evidence.findings.get(step).map_or(&[][..], Vec::as_slice);
        let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
        checks.block += count(Severity::Block);
        checks.ask += count(Severity::Ask);
        checks.warn += count(Severity::Warn);
        checks.passed += usize::from(found.is_empty());
        let execution = trail.executions.iter().find(|execution| execution.step == *step);
        let result = execution.and_then(|execution| execution.state.result());
        let findings = heaviest_first(found, SHOWN);
        checks.steps.push(StepCheck {
            step: step.clone(),
            verdict: verdict.as_str().to_string(),
            summary: result.map(|result| result.summary.clone()).unwrap_or_default(),
            more: found.len() - findings.len(),
            findings,
        });
    }
    checks.steps.sort_by_key(|check| check.findings.is_empty());
    checks
}
