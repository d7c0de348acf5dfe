//! Settings told: each value with where it came from, and what a change of them needs.

use super::Settings;
use super::origins::ValueOrigin;
use super::rows::{Row, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// One setting with its value and where it came from. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// As it stands in the file: `web.listen`.
    pub key: String,
    /// Its value; null when there is none. In place of a secret a text that says where it lies.
    pub value: serde_json::Value,
    /// Whether the value is a secret.
    pub secret: bool,
    /// Where the value came from.
    pub origin: ValueOrigin,
}

impl Explained {
    /// The value for people.
    pub fn text(&self) -> String {
        use serde_json::Value;
        let one = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
        match &self.value {
            Value::Null => "(none)".to_string(),
            Value::Array(items) if items.is_empty() => "(none)".to_string(),
            Value::Array(items) => items.iter().map(one).collect::<Vec<_>>().join(", "),
            value => one(value),
        }
    }
}

/// When a changed setting takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applies {
    /// When the settings are read again.
    Now,
    /// When the daemon starts again.
    AtRestart,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// As it stands in the file: `web.listen`.
    pub key: String,
    /// When it takes effect.
    pub applies: Applies,
}

impl Settings {
    /// Every setting with its value, secrets masked, and where it came from.
    pub fn explain(&self) -> Vec<Explained> {
        let rows = self.rows().into_iter();
        rows.map(|row| {
            let (origin, file) = self.origins.of(&row.key, row.kind);
            let (value, secret) = match (row.value, file) {
                (Value::Plain(value), _) => (value, false),
                (Value::Secret(_), Some(file)) => (format!("(secret, from file {})", file.display()).into(), true),
                (Value::Secret(_), None) => ("(secret)".into(), true),
            };
            Explained { key: row.key, value, secret, origin }
        })
        .collect()
    }

    /// What differs in `new`, by key, and when it takes effect in a daemon that runs with these settings.
    pub fn differences(&self, new: &Self) -> Vec<Change> {
        let (before, mut after) = (by_key(self), by_key(new));
        let mut changes = Vec::new();
        for (key, row) in before {
            if after.remove(&key).is_none_or(|other| other.value != row.value) {
                changes.push(Change { key, applies: row.applies });
            }
        }
        changes.extend(after.into_iter().map(|(key, row)| Change { key, applies: row.applies }));
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        changes
    }
}

fn by_key(settings: &Settings) -> BTreeMap<String, Row<'_>> {
    settings.rows().into_iter().map(|row| (row.key.clone(), row)).collect()
}
