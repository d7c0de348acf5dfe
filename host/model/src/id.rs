//! Typed identifiers: a ULID behind a prefix that names its kind, so that one kind is never taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use ulid::Ulid;

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse id: `{text}` is not a `{prefix}_…` identifier")]
pub struct ParseIdError {
    /// What was given.
    pub text: String,
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Ulid);

        impl $name {
            /// The prefix of this kind, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a ULID that an `IdSource` made.
            pub fn from_ulid(ulid: Ulid) -> Self {
                Self(ulid)
            }

            /// Its 128 bits: what traces are named by.
            pub fn to_bytes(&self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// The last six characters: enough for a person to tell two apart on one screen.
            pub fn short(&self) -> String {
                let text = self.0.to_string();
                text[text.len() - 6..].to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError { text: text.to_string(), prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

id!(/// One run of a pipeline.
    RunId, "run");
id!(/// One attempt at one step.
    ExecutionId, "exe");
id!(/// One recorded output of an execution.
    ArtifactId, "art");
id!(/// Why a run started.
    EventId, "evt");
id!(/// One request for a person's decision.
    RequestId, "req");
id!(
    /// A try of the model by a reviewer.
    PokeId, "poke");
id!(/// One person's decision.
    DecisionId, "dec");
id!(/// One placement of a model at a target.
    PushId, "psh");
id!(/// One message to deliver.
    NoticeId, "ntc");
id!(/// One process that claims work: new at every start, so that a dead one's lease is never refreshed.
    WorkerId, "wrk");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_refuses_another_kind() {
        let run = RunId::from_ulid(Ulid::from_parts(7, 7));
        assert_eq!(run.to_string().parse::<RunId>(), Ok(run));
        let error = run.to_string().parse::<ArtifactId>().unwrap_err();
        assert_eq!(error.prefix, "art");
    }
}
