//! A span as the host knows it: microseconds, identifiers of the record, attributes by name.

use countersign_model::time::Timestamp;

/// Names a trace: the run's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// Names a span within its trace: the last eight bytes of an identifier, all of them random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

impl SpanId {
    /// Of an identifier's 128 bits.
    pub fn of(bytes: [u8; 16]) -> Self {
        let [.., a, b, c, d, e, f, g, h] = bytes;
        Self([a, b, c, d, e, f, g, h])
    }
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

/// Why what a span stands for did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable code, such as `limit.memory` or `blocked`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// Something that took time.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Its own name.
    pub id: SpanId,
    /// What it is a part of; none for the run itself.
    pub parent: Option<SpanId>,
    /// What it shows as.
    pub name: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; not before it began.
    pub ended_at: Timestamp,
    /// Names and values.
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it did not work.
    pub failure: Option<Failure>,
}
