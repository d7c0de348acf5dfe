//! What the host keeps for one call of one component.

use crate::log::Log;
use crate::meter::{Meter, OutputMeter};
use crate::query_calls::QueryAccess;
use countersign_ports::component_runner::StepObserver;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Files, streams and query results that a component may hold at once. The daemon's own file descriptors must outlast any
/// component; a usual limit for a process is 1,024.
const HANDLES: usize = 256;

/// The store's data.
pub struct State {
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) output: OutputMeter,
    pub(crate) log: Arc<Log>,
    /// None while the component describes itself.
    pub(crate) observer: Option<Arc<dyn StepObserver>>,
    pub(crate) metrics: usize,
    pub(crate) last_progress: Option<Instant>,
    /// None where it is not granted.
    pub(crate) query: Option<QueryAccess>,
}

impl State {
    /// For `describe`: nothing but the sandbox itself.
    pub fn new(wasi: WasiCtx, meter: Meter, log: Arc<Log>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            wasi,
            table,
            meter,
            output: OutputMeter::new(Vec::new(), 0),
            log,
            observer: None,
            metrics: 0,
            last_progress: None,
            query: None,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
