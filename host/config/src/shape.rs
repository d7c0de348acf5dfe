//! The shape of a pipeline file, as it is written: every key, none of its meaning. The comments are what editors show,
//! through the JSON Schema that is made of these types.

mod signoff;
mod start;

pub(crate) use start::{SourceTable, TriggerTable};

pub(crate) use signoff::{ApproverTable, ConditionsTable, EscalateTable, ExpireTable, OverrideTable, SignoffTable};

use crate::place::{Named, Placed};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// A text or a list entry with its place.
pub(crate) type Text = Placed<String>;

/// A Countersign pipeline: steps, what starts them, and who signs off before a model goes live.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Pipeline", deny_unknown_fields)]
pub(crate) struct PipelineFile {
    /// The pipeline's name: lower-case letters, digits and `-`.
    #[schemars(required)]
    pub name: Option<Text>,
    /// One sentence for the people who decide.
    pub description: Option<Text>,
    /// What starts a run without a person.
    pub trigger: Option<TriggerTable>,
    /// Where raw data comes from.
    pub source: Option<Named<SourceTable>>,
    /// The steps, each of which runs a component.
    pub step: Option<Named<StepTable>>,
    /// Gates at which a run waits for people.
    pub signoff: Option<Named<SignoffTable>>,
    /// Whether there are tables of another name: what looks missing may stand there.
    #[schemars(skip)]
    pub partial: bool,
}

/// A step: one component at work.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Step", deny_unknown_fields)]
pub(crate) struct StepTable {
    /// The component that does the work; `countersign plugin list` shows them all.
    #[schemars(required)]
    pub component: Option<Text>,
    /// Where each input comes from: a step, one output of a step (`step.output`), a source, or history.
    pub inputs: Option<Named<InputValue>>,
    /// The component's parameters; `countersign plugin inspect` shows them.
    pub params: Option<Parameters>,
    /// Capabilities that the component asks for and you allow: `query`, `clock`, `random`.
    pub grant: Option<Vec<Text>>,
    /// Limits of one execution; what is not named keeps its default.
    pub limits: Option<LimitsTable>,
    /// Attempts when an error may pass, and the pauses between them.
    pub retry: Option<RetryTable>,
    /// What kinds of finding mean here; kinds that are not named keep the component's own severity.
    pub on: Option<OnTable>,
    /// Whether an earlier result of the same work may be used again.
    #[schemars(extend("default" = true))]
    pub cache: Option<Placed<bool>>,
    /// Steps and gates that must have ended well first, beside those named in `inputs`.
    pub after: Option<Vec<Text>>,
    /// The sign-off gate whose permit this step needs. Only for a step that makes a `PushedModel`, which must have one.
    pub release: Option<Text>,
    /// The directory a pushed model is placed in, relative to the pipeline file.
    pub target: Option<Text>,
    /// Whether something in this table could not be read.
    #[schemars(skip)]
    pub broken: bool,
}

/// Where an input comes from.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Input", untagged)]
pub(crate) enum InputValue {
    /// `step`, `step.output` or `source`.
    Name(Text),
    /// History.
    History(HistoryTable),
}

/// Something that an earlier run made.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "History", deny_unknown_fields)]
pub(crate) struct HistoryTable {
    /// `latest approved model`, `latest pushed model`, `previous <kind>` or `last <n> spans`.
    #[schemars(required)]
    pub resolve: Option<Text>,
}

/// Parameters as JSON, and the place of every key and value in it by JSON pointer.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub value: Map<String, Value>,
    pub places: BTreeMap<String, Entry>,
}

/// Where a key and its value are written.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: Range<usize>,
    pub value: Range<usize>,
}

impl JsonSchema for Parameters {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Parameters".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// Limits of one execution. A limit that is hit is named in the error.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Limits", deny_unknown_fields)]
pub(crate) struct LimitsTable {
    /// Memory of the component.
    #[schemars(range(min = 1, max = 4096), extend("default" = 1024))]
    pub memory_mib: Option<Placed<u64>>,
    /// Time inside the component and in what it asks of the host.
    #[schemars(range(min = 1, max = 604800), extend("default" = 600))]
    pub time_seconds: Option<Placed<u64>>,
    /// Bytes of all outputs together.
    #[schemars(range(min = 1, max = 1048576), extend("default" = 4096))]
    pub output_mib: Option<Placed<u64>>,
    /// Log that is kept, standard output included; the rest is dropped and counted.
    #[schemars(range(min = 1, max = 65536), extend("default" = 256))]
    pub log_kib: Option<Placed<u64>>,
    /// Core instances, tables and memories each.
    #[schemars(range(min = 1, max = 10000), extend("default" = 64))]
    pub instances: Option<Placed<u64>>,
    /// Elements of all WebAssembly tables together.
    #[schemars(range(min = 1, max = 10000000), extend("default" = 100000))]
    pub table_elements: Option<Placed<u64>>,
}

/// Attempts when an error may pass, and the pauses between them. What is not named keeps its default.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Retry", deny_unknown_fields)]
pub(crate) struct RetryTable {
    /// Attempts, the first included.
    #[schemars(range(min = 1, max = 100), extend("default" = 3))]
    pub attempts: Option<Placed<u64>>,
    /// Pause before the second attempt; it doubles with each.
    #[schemars(range(min = 0, max = 86400), extend("default" = 1))]
    pub pause_seconds: Option<Placed<u64>>,
    /// The pause never becomes longer than this.
    #[schemars(range(min = 0, max = 86400), extend("default" = 300))]
    pub longest_pause_seconds: Option<Placed<u64>>,
}

/// What kinds of finding mean here.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "On", deny_unknown_fields)]
pub(crate) struct OnTable {
    /// Kinds that stop the run.
    pub block: Option<Vec<Text>>,
    /// Kinds that a person has to look at.
    pub ask: Option<Vec<Text>>,
    /// Kinds that the reviewer is shown.
    pub warn: Option<Vec<Text>>,
    /// Kinds that are only written down.
    pub info: Option<Vec<Text>>,
}
