//! How long runs are kept before `countersign gc` may remove them.

use super::layers::Layers;
use crate::diagnostics::Sink;
use crate::document::Table;
use crate::place::Placed;
use schemars::JsonSchema;
use std::ops::RangeInclusive;

const KEEP_DAYS: RangeInclusive<u64> = 0..=36_500;
const KEEP_RUNS: RangeInclusive<u64> = 0..=1_000_000;

/// How long runs are kept. What a pushed model's lineage needs is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// A run that ended longer ago may be removed; 0: never.
    pub keep_days: u64,
    /// So many of the newest runs of each pipeline are kept, however old they are.
    pub keep_runs: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_days: 0, keep_runs: 10 }
    }
}

/// What `countersign gc` may remove. What a pushed model's lineage needs is kept for ever.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Retention", deny_unknown_fields)]
pub(crate) struct RetentionTable {
    /// Runs that ended longer ago may be removed; 0: never.
    #[schemars(range(min = 0, max = 36500), extend("default" = 0))]
    pub keep_days: Option<Placed<u64>>,
    /// So many of the newest runs of each pipeline are kept, however old they are.
    #[schemars(range(min = 0, max = 1000000), extend("default" = 10))]
    pub keep_runs: Option<Placed<u64>>,
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> RetentionTable {
    let read = RetentionTable {
        keep_days: table.integer("keep_days", KEEP_DAYS, sink),
        keep_runs: table.integer("keep_runs", KEEP_RUNS, sink),
    };
    table.finish(sink);
    read
}

/// What both layers say.
pub(super) fn settings(table: Option<&RetentionTable>, layers: &mut Layers<'_>) -> Retention {
    let defaults = Retention::default();
    let days = table.and_then(|table| table.keep_days.as_ref());
    let runs = table.and_then(|table| table.keep_runs.as_ref());
    let keep_runs = layers.number("retention.keep_runs", runs, KEEP_RUNS);
    Retention {
        keep_days: layers.number("retention.keep_days", days, KEEP_DAYS).unwrap_or(defaults.keep_days),
        keep_runs: keep_runs.and_then(|runs| runs.try_into().ok()).unwrap_or(defaults.keep_runs),
    }
}
