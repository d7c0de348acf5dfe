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

/// What starts runs without a person. What stands at its default is not written, so that a definition keeps its digest when
/// a version of Countersign brings a new key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Five-field cron expression.
    pub cron: Option<String>,
    /// IANA zone of the cron expression.
    pub timezone: String,
    /// A scheduled run starts up to so many seconds late, by a share of its own that never changes: fires of many pipelines spread.
    #[serde(default, skip_serializing_if = "is_default")]
    pub jitter_seconds: u64,
    /// What becomes of instants that passed while nobody looked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub misfire: Misfire,
    /// Sources whose new files start a run.
    pub arrival: Vec<String>,
    /// Hooks of the settings whose requests start a run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http: Vec<String>,
    /// Pipelines whose pushes start a run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: Vec<String>,
    /// What happens when a run is due while one is going on.
    pub overlap: Overlap,
    /// At most so many runs wait in the queue; one more is recorded as skipped. 0 means [`QUEUE_LIMIT`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub queue_limit: u32,
    /// Runs of a higher priority are claimed first; 0 is usual.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// What becomes of events while the pipeline is paused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub while_paused: WhilePaused,
}

/// Queued runs of a pipeline that says nothing about it.
pub const QUEUE_LIMIT: u32 = 10_000;

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Trigger {
    /// How many runs of the pipeline may be running at the same time.
    pub fn most_running(&self) -> u32 {
        match self.overlap {
            Overlap::Allow(most) => most.max(1),
            Overlap::Wait | Overlap::Skip | Overlap::Replace => 1,
        }
    }

    /// How many may wait in the queue.
    pub fn most_queued(&self) -> u32 {
        if self.queue_limit == 0 { QUEUE_LIMIT } else { self.queue_limit }
    }
}

/// What happens to a run that is due while another of the pipeline is queued or running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// It waits its turn.
    #[default]
    Wait,
    /// It is recorded as skipped, with the other run's id.
    Skip,
    /// The others end as replaced by it.
    Replace,
    /// So many run at the same time; the next wait their turn.
    Allow(u32),
}

/// What becomes of scheduled instants that passed while nobody looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "kebab-case")]
pub enum Misfire {
    /// The newest starts one run, the others are recorded as coalesced into it.
    #[default]
    RunLatest,
    /// The newest `most` start a run each, older ones are recorded as skipped.
    RunAll {
        /// At most so many.
        most: u32,
    },
    /// An instant that is found later than `deadline_seconds` is recorded as skipped.
    Skip {
        /// How late is still on time.
        deadline_seconds: u64,
    },
}

/// What becomes of events while a pipeline is paused; none is ever dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhilePaused {
    /// Their runs wait in the queue until the pipeline goes on.
    #[default]
    Hold,
    /// They are recorded as skipped.
    Skip,
}

/// Raw data in a place outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Absolute path or `s3://bucket/prefix/name`, in which `{SPAN}`, or `{YYYY}`, `{MM}` and `{DD}`, stand for the span.
    pub path: String,
    /// A file counts as arrived when size and time did not change for this long.
    pub settle_seconds: u64,
    /// When a file counts as whole.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ready: Ready,
}

impl Source {
    /// Bucket and key pattern, for a source in an object store.
    pub fn object(&self) -> Option<(&str, &str)> {
        self.path.strip_prefix("s3://")?.split_once('/')
    }
}

/// When a delivered file counts as whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ready {
    /// When its size and time did not change for `settle_seconds`.
    #[default]
    Settled,
    /// At once: whoever delivers renames it into place, or writes objects, which appear whole.
    Renamed,
    /// When a file of that name, such as `_SUCCESS`, lies beside it; `{NAME}` in it stands for the delivered file's name.
    Marker(String),
}

/// Attempts at a step whose error may pass, and the pauses between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts, the first included.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each.
    pub pause_seconds: u64,
    /// It never becomes longer than this.
    pub longest_pause_seconds: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, pause_seconds: 1, longest_pause_seconds: 300 }
    }
}

impl Retry {
    /// The pause before that attempt; the second attempt is 2.
    pub fn pause_before(&self, attempt: u32) -> std::time::Duration {
        let doubled = self.pause_seconds.saturating_mul(1 << attempt.saturating_sub(2).min(32));
        std::time::Duration::from_secs(doubled.min(self.longest_pause_seconds))
    }
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
    /// Attempts when its error may pass.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: Retry,
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
