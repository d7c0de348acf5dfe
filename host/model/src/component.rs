//! What a component says of itself, and what an operator may grant it.

use crate::artifact::ArtifactKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A key that a component asks for and an operator grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// SQL over the step's own datasets.
    Query,
    /// Host-held arrays. Reserved: the host does not offer it yet.
    Tensor,
    /// Outgoing requests. Reserved: the host does not offer it yet.
    Http,
    /// The real clock instead of the virtual one.
    Clock,
    /// Real randomness instead of the seeded one.
    Random,
}

impl Capability {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Query, Self::Tensor, Self::Http, Self::Clock, Self::Random];

    /// The name used in descriptions and pipelines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Tensor => "tensor",
            Self::Http => "http",
            Self::Clock => "clock",
            Self::Random => "random",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse capability: `{0}` is none of query, tensor, http, clock, random")]
pub struct ParseCapabilityError(pub String);

impl FromStr for Capability {
    type Err = ParseCapabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.as_str() == text)
            .ok_or_else(|| ParseCapabilityError(text.to_string()))
    }
}

/// One named input or output of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Name, unique among the inputs or the outputs.
    pub name: String,
    /// Wanted or made kind.
    pub kind: ArtifactKind,
    /// An optional input may stay unbound, or its resolver may find nothing.
    pub optional: bool,
    /// An input that takes several artifacts.
    pub many: bool,
    /// One sentence.
    pub description: String,
}

/// A component's description, as its `describe` answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The component's name.
    pub name: String,
    /// The component's own version.
    pub version: String,
    /// The version of the interface package it was built against, such as `0.1.0`.
    pub interface: String,
    /// One sentence.
    pub summary: String,
    /// What it reads.
    pub inputs: Vec<Port>,
    /// What it makes.
    pub outputs: Vec<Port>,
    /// JSON Schema of its parameters object.
    pub parameters: serde_json::Value,
    /// What it asks for.
    pub capabilities: BTreeSet<Capability>,
}

impl Description {
    /// The input of that name.
    pub fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|port| port.name == name)
    }

    /// The output of that name.
    pub fn output(&self, name: &str) -> Option<&Port> {
        self.outputs.iter().find(|port| port.name == name)
    }
}

/// Limits of one execution; each has a default and is named in the error when hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Linear memory of all the component's memories together.
    pub memory_mib: u64,
    /// Time inside the component and its host calls.
    pub time_seconds: u64,
    /// Bytes under `/out`, Parquet written through `query` included.
    pub output_mib: u64,
    /// Records and bytes of log kept, standard output and error included; the rest is dropped and counted.
    pub log_kib: u64,
    /// Core instances, tables and memories each.
    pub instances: u32,
    /// Elements of all tables together.
    pub table_elements: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 1024,
            time_seconds: 600,
            output_mib: 4096,
            log_kib: 256,
            instances: 64,
            table_elements: 100_000,
        }
    }
}
