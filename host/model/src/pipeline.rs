//! A checked pipeline: a named graph of steps with triggers, parameters and sign-off gates.
//!
//! `config` reads and checks the file; what arrives here is sound: names exist, kinds fit, there is no cycle.

use crate::component::{Capability, Limits};
use crate::digest::Digest;
use crate::finding::FindingPolicy;
use crate::policy::SignoffPolicy;
use crate::resolver::Resolver;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A pipeline whose references all hold. Serialised into each run, so that a run keeps the definition it started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Unique name: lower-case letters, digits and `-`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// When it starts by itself.
    pub trigger: Trigger,
    /// Where raw data comes from, by name.
    pub sources: BTreeMap<String, Source>,
    /// Steps in an order in which each comes after what it needs.
    pub steps: Vec<Step>,
}

impl Pipeline {
    /// The step of that name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

/// What starts runs without a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Five-field cron expression.
    pub cron: Option<String>,
    /// IANA zone of the cron expression.
    pub timezone: String,
    /// Sources whose new files start a run.
    pub arrival: Vec<String>,
    /// What happens when a run is due while one is going on.
    pub overlap: Overlap,
}

/// What happens to a run that is due while another of the pipeline is queued or running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// It waits its turn.
    #[default]
    Wait,
    /// It is recorded as skipped, with the running run's id.
    Skip,
}

/// Raw data in a place outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Absolute path, in which `{SPAN}`, or `{YYYY}`, `{MM}` and `{DD}`, stand for the span.
    pub path: String,
    /// A file counts as arrived when size and time did not change for this long.
    pub settle_seconds: u64,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique name.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// Names of the steps that must have ended well before this one.
    pub after: BTreeSet<String>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Work {
    /// Runs a component.
    Component(ComponentStep),
    /// Waits for people.
    Signoff(SignoffPolicy),
}

/// A step that runs a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentStep {
    /// The component's name in the catalogue.
    pub component: String,
    /// The component this definition was checked against. A run uses exactly this one.
    pub component_digest: Digest,
    /// Where each input comes from, by port name.
    pub inputs: BTreeMap<String, Input>,
    /// The parameters object; it passed the component's schema.
    pub parameters: serde_json::Value,
    /// What the operator grants.
    pub grant: BTreeSet<Capability>,
    /// Limits of one execution.
    pub limits: Limits,
    /// What kinds of finding mean here.
    pub on: FindingPolicy,
    /// Whether an earlier result may be used again.
    pub cache: bool,
    /// The sign-off gate whose permit this step needs; a step that makes a `PushedModel` always has one.
    pub release: Option<String>,
    /// Where the host places a `PushedModel`: an absolute directory.
    pub target: Option<String>,
}

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Input {
    /// Another step's output.
    Step {
        /// Its name.
        step: String,
        /// The output port.
        output: String,
    },
    /// A source's delivery.
    Source {
        /// Its name.
        source: String,
    },
    /// History.
    Resolve {
        /// What to look for.
        resolver: Resolver,
    },
}

/// A registered definition: the text people wrote and the digest that runs pin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineVersion {
    /// The pipeline's name.
    pub name: String,
    /// Digest of the canonical JSON of the checked pipeline.
    pub digest: Digest,
    /// The checked pipeline.
    pub pipeline: Pipeline,
    /// The file it was read from, for people.
    pub origin: String,
    /// When this version was first seen.
    pub created_at: crate::time::Timestamp,
}
