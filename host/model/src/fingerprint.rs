//! The cache key of an execution: what determines its outputs, and nothing else. Never identifiers or file times.

use crate::artifact::ArtifactKind;
use crate::canonical;
use crate::component::Capability;
use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of the key, kept with the execution so that a later run can say what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of the component's bytes.
    pub component: Digest,
    /// Version of the interface package.
    pub interface: String,
    /// Digest of the canonical JSON of the parameters.
    pub parameters: Digest,
    /// Content digests of the inputs, by port, in the order in which they are mounted.
    pub inputs: BTreeMap<String, Vec<Digest>>,
    /// Kinds of the outputs, by port.
    pub outputs: BTreeMap<String, ArtifactKind>,
    /// What the component was granted.
    pub grant: BTreeSet<Capability>,
}

impl Fingerprint {
    /// The cache key.
    ///
    /// # Errors
    /// When it can not be written as canonical JSON, which its types rule out.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        canonical::digest(self)
    }

    /// What differs from an earlier execution of the same step, in words; empty when nothing does.
    pub fn changes_since(&self, earlier: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.component != earlier.component {
            changes.push("component changed".to_string());
        }
        if self.interface != earlier.interface {
            changes.push(format!("interface {} → {}", earlier.interface, self.interface));
        }
        if self.parameters != earlier.parameters {
            changes.push("parameters changed".to_string());
        }
        if self.grant != earlier.grant {
            changes.push("grants changed".to_string());
        }
        for (name, digests) in &self.inputs {
            match earlier.inputs.get(name) {
                None => changes.push(format!("{name} is new")),
                Some(before) if before != digests => changes.push(format!("{name} changed")),
                Some(_) => {}
            }
        }
        for name in earlier.inputs.keys().filter(|name| !self.inputs.contains_key(*name)) {
            changes.push(format!("{name} is gone"));
        }
        changes
    }
}

/// Digest over the inputs that come from this run (steps and sources), by port: what resolver rule (b) compares.
///
/// # Errors
/// As [`Fingerprint::digest`].
pub fn own_inputs_digest(inputs: &BTreeMap<String, Vec<Digest>>) -> Result<Digest, serde_json::Error> {
    canonical::digest(inputs)
}
