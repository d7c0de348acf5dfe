//! Who did something.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
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

    /// A Slack account, by team and user identifier: names are mutable, these are not.
    pub fn slack(team: &str, user: &str) -> Self {
        Self(format!("slack:{team}/{user}"))
    }

    /// Team and user of a Slack account.
    pub fn as_slack(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix("slack:")?.split_once('/')
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

/// Who an actor is: the person behind the account, and what they may sign as at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account.
    pub actor: Actor,
    /// The name under `[people]`, or the actor's text for an account that is not listed there: two accounts of one person
    /// are one person.
    pub person: String,
    /// What they may sign as: role names, and `slack:T01/U02AB`, `slack-group:S0123`, `email:ada@example.org`.
    pub roles: BTreeSet<String>,
    /// Why this account may decide nothing: deactivated, a bot, a guest.
    pub barred: Option<String>,
}

impl Identity {
    /// Somebody of whom nothing is known: may decide nothing.
    pub fn unknown(actor: &Actor) -> Self {
        Self { actor: actor.clone(), person: actor.to_string(), roles: BTreeSet::new(), barred: None }
    }

    /// Whether a person is listed behind the account; otherwise a decision is bound to the account only, and says so.
    pub fn is_listed(&self) -> bool {
        self.person != self.actor.as_str()
    }
}
