//! Traces, if the settings name a collector.

use super::Stores;
use super::traces::Traces;
use crate::context::Context;
use anyhow::Context as _;
use countersign_model::id::WorkerId;
use countersign_ports::IdSource;
use countersign_telemetry::{TraceOptions, Tracer};
use std::sync::Arc;

/// What tells the collector of runs; it tells nobody of anything where the settings have no `[traces]`.
///
/// # Errors
/// When the endpoint or the headers are wrong.
pub fn traces(context: &Context, stores: &Stores, ids: &dyn IdSource) -> anyhow::Result<Traces> {
    let Some(settings) = &context.settings.traces else { return Ok(Traces::default()) };
    let tracer = Tracer::new(TraceOptions {
        endpoint: settings.endpoint.clone(),
        headers: settings.headers.clone(),
        // Of this process: another one is another instance, on the same machine or not.
        instance: WorkerId::from_ulid(ids.ulid()).to_string(),
    });
    Ok(Traces::new(tracer.context("set up [traces]")?, Arc::clone(&stores.metadata)))
}
