//! Who did something.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An identified actor: `<authority>:<name>`, such as `local:ada` or `slack:T01/U02AB`, or the daemon itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

/// An actor text without an authority or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse actor: `{0}` is not `<authority>:<name>`")]
pub struct ParseActorError(pub String);

impl Actor {
    /// A person known to the operating system.
    pub fn local(user: &str) -> Self {
        Self(format!("local:{user}"))
    }

    /// The daemon, acting by a rule; never counts as a person.
    pub fn system(part: &str) -> Self {
        Self(format!("system:{part}"))
    }

    /// Whether this is a person: only a person decides.
    pub fn is_person(&self) -> bool {
        !self.0.starts_with("system:")
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Actor {
    type Err = ParseActorError;

    fn from_str(text: &str) -> Result<Self, ParseActorError> {
        match text.split_once(':') {
            Some((authority, name)) if !authority.is_empty() && !name.is_empty() => Ok(Self(text.to_string())),
            _ => Err(ParseActorError(text.to_string())),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
