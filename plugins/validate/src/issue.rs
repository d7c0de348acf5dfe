//! One thing that a check found, before it is told to a person (a finding) and to other tools (an anomaly).

use countersign_formats::tfmd::anomalies::AnomalyType;
use countersign_sdk::Severity;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// A name that a pipeline's `on` table can use.
    pub kind: &'static str,
    /// What we propose.
    pub severity: Severity,
    /// The feature; none: the whole.
    pub feature: Option<String>,
    /// Splits it was found in.
    pub splits: Vec<String>,
    /// For a person, without the splits.
    pub message: String,
    /// What was expected.
    pub expected: Option<String>,
    /// What was seen.
    pub seen: Option<String>,
    /// What it was the last time.
    pub previous: Option<String>,
    /// SQL condition of the rows to look at.
    pub look: Option<String>,
    /// What tensorflow-metadata calls it; none: nothing that other tools would call an anomaly.
    pub anomaly: Option<AnomalyType>,
}

impl Issue {
    /// Something about one feature.
    pub fn of(feature: &str, split: &str, kind: &'static str, severity: Severity, message: String) -> Self {
        Self { feature: Some(feature.to_string()), ..Self::of_all(split, kind, severity, message) }
    }

    /// Something about the whole.
    pub fn of_all(split: &str, kind: &'static str, severity: Severity, message: String) -> Self {
        Self {
            kind,
            severity,
            feature: None,
            splits: vec![split.to_string()],
            message,
            expected: None,
            seen: None,
            previous: None,
            look: None,
            anomaly: None,
        }
    }

    /// Says what was expected and what was seen.
    pub fn figures(mut self, expected: impl Into<String>, seen: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.seen = Some(seen.into());
        self
    }

    /// Says what it was the last time.
    pub fn before(mut self, previous: impl Into<String>) -> Self {
        self.previous = Some(previous.into());
        self
    }

    /// Says which rows to look at.
    pub fn look(mut self, condition: impl Into<String>) -> Self {
        self.look = Some(condition.into());
        self
    }

    /// Says what tensorflow-metadata calls it.
    pub fn anomaly(mut self, anomaly: AnomalyType) -> Self {
        self.anomaly = Some(anomaly);
        self
    }
}
