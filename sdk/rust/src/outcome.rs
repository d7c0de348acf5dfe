//! What a component answers when it did its work.

/// The answer: one short line, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Shown beside the step: `11,251 train, 3,751 eval`.
    pub summary: String,
    /// What a check found.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// An outcome without findings.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), findings: Vec::new() }
    }

    /// Adds findings.
    #[must_use]
    pub fn with(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        self
    }
}

/// What the component proposes; the step's `on` table in the pipeline may decide otherwise. Ordered: the heaviest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A short, stable, lower-case name that a pipeline's `on` table can use: `drift`, `missing column`.
    pub kind: String,
    /// How much it weighs.
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
    /// Rows of the delivery to look at (line numbers), a few.
    pub rows: Vec<u64>,
}

impl Finding {
    /// A finding without figures.
    pub fn new(
        kind: impl Into<String>,
        severity: Severity,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.into(),
            severity,
            subject: subject.into(),
            message: message.into(),
            expected: None,
            seen: None,
            previous: None,
            rows: Vec::new(),
        }
    }

    /// Says what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what was seen.
    #[must_use]
    pub fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = Some(seen.into());
        self
    }

    /// Says what it was the last time.
    #[must_use]
    pub fn previous(mut self, previous: impl Into<String>) -> Self {
        self.previous = Some(previous.into());
        self
    }

    /// Names rows to look at.
    #[must_use]
    pub fn rows(mut self, rows: Vec<u64>) -> Self {
        self.rows = rows;
        self
    }
}
