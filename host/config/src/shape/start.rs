//! The shape of what starts a run: the trigger, and the sources whose files it may wait for.

use super::Text;
use crate::place::Placed;
use schemars::JsonSchema;

/// What starts a run without a person.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Trigger", deny_unknown_fields)]
pub(crate) struct TriggerTable {
    /// Five fields: minute, hour, day of month, month, day of week. Or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    pub cron: Option<Text>,
    /// IANA time zone in which `cron` is meant.
    #[schemars(extend("default" = "UTC"))]
    pub timezone: Option<Text>,
    /// A run that is due by `cron` starts up to so many seconds late, each instant by a share of its own.
    #[schemars(range(min = 0, max = 86400), extend("default" = 0))]
    pub jitter_seconds: Option<Placed<u64>>,
    /// What becomes of instants of `cron` that passed while no daemon was up.
    #[schemars(extend("enum" = ["run-latest", "run-all", "skip"], "default" = "run-latest"))]
    pub misfire: Option<Text>,
    /// With `misfire = "run-all"`: at most so many of the newest run.
    #[schemars(range(min = 1, max = 1000), extend("default" = 10))]
    pub misfire_most: Option<Placed<u64>>,
    /// With `misfire = "skip"`: how late is still on time.
    #[schemars(range(min = 1, max = 604800), extend("default" = 60))]
    pub misfire_deadline_seconds: Option<Placed<u64>>,
    /// Sources whose new files start a run.
    pub arrival: Option<Vec<Text>>,
    /// Hooks of countersign.toml whose requests start a run.
    #[schemars(inner(regex(pattern = r"^[a-z][a-z0-9_-]{0,63}$")))]
    pub http: Option<Vec<Text>>,
    /// Other pipelines whose pushes start a run.
    #[schemars(inner(regex(pattern = r"^[a-z][a-z0-9-]{0,63}$")))]
    pub after: Option<Vec<Text>>,
    /// What happens when a run is due while another is going on: it `wait`s its turn, it is `skip`ped, it `replace`s the other,
    /// or `most_running` are `allow`ed at the same time.
    #[schemars(extend("enum" = ["wait", "skip", "replace", "allow"], "default" = "wait"))]
    pub overlap: Option<Text>,
    /// With `overlap = "allow"`: how many runs may be running at the same time.
    #[schemars(range(min = 1, max = 1000))]
    pub most_running: Option<Placed<u64>>,
    /// At most so many runs wait in the queue; one more is recorded as skipped.
    #[schemars(range(min = 1, max = 1000000), extend("default" = 10000))]
    pub queue_limit: Option<Placed<u64>>,
    /// Runs of a higher priority are taken first.
    #[schemars(range(min = -100, max = 100), extend("default" = 0))]
    pub priority: Option<Placed<i32>>,
    /// What becomes of what is due while the pipeline is paused: `hold` it until the pipeline goes on, or `skip` it.
    #[schemars(extend("enum" = ["hold", "skip"], "default" = "hold"))]
    pub while_paused: Option<Text>,
    /// Whether something in this table could not be read.
    #[schemars(skip)]
    pub broken: bool,
}

/// Where raw data comes from.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Source", deny_unknown_fields)]
pub(crate) struct SourceTable {
    /// File path, relative to the pipeline file, or `s3://bucket/key`. `{SPAN}`, or `{YYYY}`, `{MM}` and `{DD}`, stand for the
    /// delivery.
    #[schemars(required)]
    pub path: Option<Text>,
    /// With `ready = "settled"`: how long size and time of a file must not change.
    #[schemars(range(min = 0, max = 86400), extend("default" = 10))]
    pub settle_seconds: Option<Placed<u64>>,
    /// When a file has arrived: when it `settled`, at once because it is `renamed` into place, or when its `marker` is there.
    #[schemars(extend("enum" = ["settled", "renamed", "marker"], "default" = "settled"))]
    pub ready: Option<Text>,
    /// With `ready = "marker"`: the file beside it that says so, such as `_SUCCESS` or `{NAME}.done`.
    #[schemars(regex(pattern = r"^[^/]+$"))]
    pub marker: Option<Text>,
    /// Whether something in this table could not be read.
    #[schemars(skip)]
    pub broken: bool,
}
