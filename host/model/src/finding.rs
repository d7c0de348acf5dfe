//! Findings and verdicts: every check ends in `pass`, `needs a person` or `fail`, always written, with its reasons.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a finding weighs. Ordered: the heaviest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth writing down.
    Info,
    /// Shown to the reviewer.
    Warn,
    /// A person has to look.
    Ask,
    /// Stops the run.
    Block,
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// A short, stable, lower-case name: `drift`, `missing column`.
    pub kind: String,
    /// What the component proposed, or what the step's `on` table made of it.
    pub severity: Severity,
    /// The feature, metric or slice it is about.
    pub subject: String,
    /// One sentence for a person.
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

/// The `on` table of a step: what a kind of finding means here. Kinds that it does not name keep the component's proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingPolicy(pub BTreeMap<String, Severity>);

impl FindingPolicy {
    /// Applies the table.
    pub fn apply(&self, mut finding: Finding) -> Finding {
        if let Some(severity) = self.0.get(&finding.kind) {
            finding.severity = *severity;
        }
        finding
    }
}

/// What a check concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing asks for a person.
    Pass,
    /// At least one finding asks for a person.
    NeedsPerson,
    /// At least one finding blocks.
    Fail,
}

impl Verdict {
    /// The verdict of findings whose severities are final.
    pub fn of(findings: &[Finding]) -> Self {
        match findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Block) => Self::Fail,
            Some(Severity::Ask) => Self::NeedsPerson,
            Some(Severity::Warn | Severity::Info) | None => Self::Pass,
        }
    }

    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NeedsPerson => "needs a person",
            Self::Fail => "fail",
        }
    }
}
