//! What people send: the fields of every form and of every JSON body. Unknown fields are refused, so is a field that comes twice where it
//! means one thing. Knows nothing of who may send them.
//!
//! | form | goes to | fields |
//! |---|---|---|
//! | decision | `/requests/{id}/decision` | `csrf`, `kind` (`approve`, `reject`, `hold`, `override`), `evidence` (all 64 digits), `reason`, `canary` (per cent, or empty), `except` (a slice; any number), `code` (six digits, or empty) |
//! | poke | `/requests/{id}/poke` | `csrf`, and `column.<name>` for each column; an empty one is missing |
//! | cancel | `/runs/{id}/cancel` | `csrf` |
//! | start | `/pipelines/{name}/runs` | `csrf` |
//! | pause | `/pipelines/{name}/pause` | `csrf`, `reason` |
//! | resume | `/pipelines/{name}/resume` | `csrf` |
//! | sign out | `/sign-out` | `csrf` |
//! | sign in by link | `/sign-in/link` | `secret` |
//! | sign in with Slack | `/sign-in/slack` | `next` (where to go afterwards) |
//! | go on with Slack | `/sign-in/slack/callback` | `code`, `state` |

use crate::problem::Problem;
use countersign_model::conditions::Conditions;
use countersign_model::decision::DecisionKind;
use countersign_model::digest::Digest;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The fields of a form in the order in which they came.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Takes the field of that name out; none when it did not come.
    ///
    /// # Errors
    /// When it came twice.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut found = self.take_all(name);
        match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err(Problem::bad_request(format!("`{name}` was given twice"))),
        }
    }

    /// As [`Self::take`], for a field that must come.
    ///
    /// # Errors
    /// When it did not come, or twice.
    pub fn want(&mut self, name: &str) -> Result<String, Problem> {
        self.take(name)?.ok_or_else(|| Problem::bad_request(format!("`{name}` is missing")))
    }

    /// Takes every field of that name out.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let (found, rest) = std::mem::take(&mut self.0).into_iter().partition(|(key, _)| key == name);
        self.0 = rest;
        found.into_iter().map(|(_, value): (String, String)| value).collect()
    }

    /// Takes every field out whose name starts with `prefix`, by the rest of its name.
    ///
    /// # Errors
    /// When one of them came twice.
    pub fn take_prefixed(&mut self, prefix: &str) -> Result<BTreeMap<String, String>, Problem> {
        let mut found = BTreeMap::new();
        let mut rest = Vec::new();
        for (key, value) in std::mem::take(&mut self.0) {
            let Some(name) = key.strip_prefix(prefix) else {
                rest.push((key, value));
                continue;
            };
            if found.insert(name.to_string(), value).is_some() {
                return Err(Problem::bad_request(format!("`{}` was given twice", shown(&key))));
            }
        }
        self.0 = rest;
        Ok(found)
    }

    /// Nothing else may have come.
    ///
    /// # Errors
    /// Names a field that nobody asked for.
    pub fn finish(self) -> Result<(), Problem> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(Problem::bad_request(format!("unknown field `{}`", shown(&name)))),
        }
    }
}

/// A text of somebody else's making, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A decision as it was typed: what a page shows again when it can not be recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// `approve`, `reject`, `hold`, `override`.
    pub kind: String,
    /// The evidence that was shown, as text.
    pub evidence: String,
    /// Why.
    pub reason: String,
    /// Per cent of the traffic, as typed.
    pub canary: String,
    /// Slices that stay with the live model.
    pub except: BTreeSet<String>,
    /// The one-time code. Never shown again.
    pub code: String,
}

impl Draft {
    /// Reads the decision form.
    ///
    /// # Errors
    /// When a field is missing, doubled or unknown.
    pub fn read(mut fields: Fields) -> Result<Self, Problem> {
        let draft = Self {
            kind: fields.want("kind")?,
            evidence: fields.want("evidence")?,
            reason: fields.take("reason")?.unwrap_or_default(),
            canary: fields.take("canary")?.unwrap_or_default(),
            except: fields.take_all("except").into_iter().filter(|slice| !slice.is_empty()).collect(),
            code: fields.take("code")?.unwrap_or_default(),
        };
        fields.finish()?;
        Ok(draft)
    }

    /// What was typed, understood.
    ///
    /// # Errors
    /// In words for whoever typed it.
    pub fn understand(&self) -> Result<DecisionBody, Problem> {
        let kind = [DecisionKind::Approve, DecisionKind::Reject, DecisionKind::Hold, DecisionKind::Override]
            .into_iter()
            .find(|kind| kind.as_str() == self.kind)
            .ok_or_else(|| Problem::bad_request(format!("`{}` is no decision", shown(&self.kind))))?;
        let canary = match self.canary.trim() {
            "" => None,
            typed => Some(typed.parse().map_err(|_| {
                Problem::unprocessable(format!("a canary takes 1 to 100 per cent, not `{}`", shown(typed)))
            })?),
        };
        Ok(DecisionBody {
            kind: Kind::from(kind),
            evidence: self.evidence.clone(),
            reason: self.reason.trim().to_string(),
            canary_percent: canary,
            except_slices: self.except.clone(),
            code: Some(self.code.trim().to_string()).filter(|code| !code.is_empty()),
        })
    }
}

/// What a person says.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Yes.
    Approve,
    /// No.
    Reject,
    /// Not yet.
    Hold,
    /// Yes although a check failed.
    Override,
}

impl From<DecisionKind> for Kind {
    fn from(kind: DecisionKind) -> Self {
        match kind {
            DecisionKind::Approve => Self::Approve,
            DecisionKind::Reject => Self::Reject,
            DecisionKind::Hold => Self::Hold,
            DecisionKind::Override => Self::Override,
        }
    }
}

impl From<Kind> for DecisionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Approve => Self::Approve,
            Kind::Reject => Self::Reject,
            Kind::Hold => Self::Hold,
            Kind::Override => Self::Override,
        }
    }
}

/// A decision.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// What they say.
    pub kind: Kind,
    /// The digest of the evidence that they were shown, 64 hexadecimal digits.
    pub evidence: String,
    /// Why; a rejection and an override need one.
    #[serde(default)]
    pub reason: String,
    /// At most so many per cent of the traffic, 1 to 100.
    #[serde(default)]
    pub canary_percent: Option<u8>,
    /// Slices that stay with the live model: `company = Blue Ribbon`.
    #[serde(default)]
    pub except_slices: BTreeSet<String>,
    /// The six digits that an authenticator shows, where the policy asks for a second factor.
    #[serde(default)]
    pub code: Option<String>,
}

impl DecisionBody {
    /// The evidence's digest.
    ///
    /// # Errors
    /// When it is none.
    pub fn digest(&self) -> Result<Digest, Problem> {
        self.evidence.parse().map_err(|_| Problem::bad_request("`evidence` is no digest".to_string()))
    }

    /// The conditions.
    pub fn conditions(&self) -> Conditions {
        Conditions { canary_percent: self.canary_percent, except_slices: self.except_slices.clone() }
    }
}

/// An example to try the models on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PokeBody {
    /// Raw column to text; a column that is left out is missing.
    pub example: BTreeMap<String, String>,
}

/// Why a pipeline is paused.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    /// In words, for whoever finds it paused; may be left out.
    #[serde(default)]
    pub reason: String,
}

/// Nothing to say: `{}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

#[cfg(test)]
mod tests {
    use super::{Draft, Fields};

    #[test]
    fn a_decision_form_reads_and_refuses_what_it_does_not_know() {
        let typed = "kind=approve&evidence=ab&reason=+fine+&canary=+10&except=a+%3D+b&except=&code=123456";
        let read = |text: &str| Draft::read(Fields::parse(text.as_bytes()));
        let body = read(typed).unwrap().understand().unwrap();
        assert_eq!(
            (body.reason.as_str(), body.canary_percent, body.code.as_deref()),
            ("fine", Some(10), Some("123456"))
        );
        assert_eq!(body.conditions().in_words(), "10 % canary, not for a = b");
        let refused = |text: &str| read(text).err().map(|problem| problem.to_string());
        assert_eq!(refused("kind=approve").as_deref(), Some("`evidence` is missing"));
        assert_eq!(refused("kind=approve&kind=reject&evidence=a").as_deref(), Some("`kind` was given twice"));
        assert_eq!(refused("kind=hold&evidence=a&actor=x").as_deref(), Some("unknown field `actor`"));
        let meant = |text: &str| read(text).unwrap().understand().err().map(|problem| problem.to_string());
        assert_eq!(meant("kind=Approve&evidence=a").as_deref(), Some("`Approve` is no decision"));
        assert_eq!(
            meant("kind=approve&evidence=a&canary=ten").as_deref(),
            Some("a canary takes 1 to 100 per cent, not `ten`")
        );
    }

    #[test]
    fn columns_of_an_example_come_by_prefix() {
        let mut fields = Fields::parse(b"column.fare=7&column.company=Blue+Ribbon&x=1");
        let columns = fields.take_prefixed("column.").unwrap();
        assert_eq!(
            columns.into_iter().map(|(k, v)| format!("{k}:{v}")).collect::<Vec<_>>(),
            ["company:Blue Ribbon", "fare:7"]
        );
        assert!(fields.finish().is_err());
        assert!(Fields::parse(b"column.a=1&column.a=2").take_prefixed("column.").is_err());
    }
}
