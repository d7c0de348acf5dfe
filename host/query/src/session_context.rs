//! Configures DataFusion for one session: limits, determinism, and nothing that a component was not granted.

use crate::stable_hash::StableHash;
use crate::wording::Wording;
use countersign_ports::query_engine::{QueryError, SessionOptions};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider};
use datafusion::execution::config::SessionConfig;
use datafusion::execution::context::SessionContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

/// Where `materialize` puts its tables.
pub(crate) const SCRATCH: &str = "scratch";
const CATALOG: &str = "step";
/// The most that sorts, joins and aggregates may spill to the scratch directory.
const SPILL_BYTES: u64 = 20 << 30;

/// Clock and randomness are capabilities of their own, and the host's version and files are nobody's business.
const FORBIDDEN_FUNCTIONS: [&str; 8] =
    ["now", "current_date", "current_time", "random", "uuid", "version", "input_file_name", "file_row_index"];

/// Cores of this machine.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get())
}

/// A context that knows no table yet, and the catalogue to register them in.
pub(crate) fn build(
    options: &SessionOptions,
    wording: &Wording,
) -> Result<(SessionContext, Arc<dyn CatalogProvider>), QueryError> {
    let reword = |error| wording.reword(error);
    let memory_bytes = usize::try_from(options.memory_bytes).unwrap_or(usize::MAX);
    let spill = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![options.scratch.clone()]))
        .with_max_temp_directory_size(SPILL_BYTES);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
        .with_disk_manager_builder(spill)
        .build_arc()
        .map_err(reword)?;
    let context = SessionContext::new_with_config_rt(config(memory_bytes), runtime);
    for name in FORBIDDEN_FUNCTIONS {
        context.deregister_udf(name);
    }
    context.register_udf(ScalarUDF::from(StableHash::new()));
    let catalog: Arc<dyn CatalogProvider> = Arc::new(MemoryCatalogProvider::new());
    catalog.register_schema(SCRATCH, Arc::new(MemorySchemaProvider::new())).map_err(reword)?;
    context.register_catalog(CATALOG, catalog.clone());
    Ok((context, catalog))
}

fn config(memory_bytes: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCRATCH)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(cores())
        .with_sort_spill_reservation_bytes((memory_bytes / 16).min(10 << 20));
    // Columns cast in SQL are named as they are in files.
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config
}
