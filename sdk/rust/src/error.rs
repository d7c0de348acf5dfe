//! What a component answers when it can not do its work. The variant says who can mend it.

use std::fmt;

/// Why a component did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// An input or a parameter is wrong: say which, where, and what was expected.
    InvalidInput(String),
    /// The component will not do this: say what it can do instead.
    Refused(String),
    /// Trying again may help.
    Transient(String),
    /// A fault of the component itself.
    Bug(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput(message) => write!(f, "invalid input: {message}"),
            Self::Refused(message) => write!(f, "refused: {message}"),
            Self::Transient(message) => write!(f, "transient: {message}"),
            Self::Bug(message) => write!(f, "bug: {message}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Bug(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Bug(error.to_string())
    }
}
