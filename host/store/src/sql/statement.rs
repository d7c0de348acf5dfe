//! Statements: static text and the values bound to it, for both databases alike. Knows no table.

/// Everything that is stored is text or a number, or is not there. A missing one has a type too: Postgres asks for it.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
}

macro_rules! values {
    ($($from:ty => |$value:ident| $to:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        })+
    };
}

values! {
    &str => |value| Self::Text(Some(value.to_string()));
    String => |value| Self::Text(Some(value));
    Option<&str> => |value| Self::Text(value.map(str::to_string));
    Option<String> => |value| Self::Text(value);
    i64 => |value| Self::Integer(Some(value));
    i32 => |value| Self::Integer(Some(value.into()));
    u32 => |value| Self::Integer(Some(value.into()));
    Option<i64> => |value| Self::Integer(value);
}

/// A text for each database, where one can not serve both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PerDatabase {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl From<&'static str> for PerDatabase {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, postgres: both }
    }
}

/// A statement with `$1`, `$2` and so on bound in this order.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) text: PerDatabase,
    pub(super) values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: impl Into<PerDatabase>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Binds the next value.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}
