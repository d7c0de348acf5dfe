//! The engine: its threads, and opening sessions on them.

use crate::session::Session;
use crate::task::Task;
use crate::wording::Wording;
use crate::{delivery, session_context, splits};
use async_trait::async_trait;
use countersign_ports::query_engine::{Dataset, QueryEngine, QueryError, QuerySession, SessionOptions};
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::execution::context::SessionContext;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Builder, Handle, Runtime};

/// Deep plans are walked recursively; half of this is enough for the deepest that [`crate::depth`] lets through. Only pages that
/// are touched take memory.
const STACK_BYTES: usize = 128 << 20;
const DELIVERY: &str = "Delivery";

/// DataFusion inside this process. It computes on threads of its own, so that a long query never delays a heartbeat.
#[derive(Default)]
pub struct Engine {
    threads: Mutex<Option<Runtime>>,
}

impl Engine {
    /// An engine; its threads start with the first session.
    pub fn new() -> Self {
        Self::default()
    }

    fn threads(&self) -> Result<Handle, QueryError> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = threads.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(session_context::cores())
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|error| QueryError::Engine { operation: "start threads", source: error.into() })?;
        Ok(threads.insert(runtime).handle().clone())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Waiting for running queries is not allowed inside an async context, and nobody wants their results.
        if let Some(runtime) = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl QueryEngine for Engine {
    async fn open(&self, options: SessionOptions) -> Result<Box<dyn QuerySession>, QueryError> {
        let threads = self.threads()?;
        let work = open(options, threads.clone());
        Ok(Box::new(Task::spawn(&threads, work).finish().await?))
    }
}

async fn open(options: SessionOptions, threads: Handle) -> Result<Session, QueryError> {
    let roots = options.datasets.iter().flat_map(|dataset| &dataset.paths);
    let roots = roots.chain(options.outputs.iter().map(|(_, path)| path)).chain([&options.scratch]);
    let wording = Arc::new(Wording::new(roots, options.memory_bytes));
    let (context, catalog) = session_context::build(&options, &wording)?;
    for dataset in &options.datasets {
        register(&context, catalog.as_ref(), dataset, &wording).await?;
    }
    Ok(Session::new(context, wording, options, threads))
}

/// Makes the dataset's tables, `<input>.<split>`.
async fn register(
    context: &SessionContext,
    catalog: &dyn CatalogProvider,
    dataset: &Dataset,
    wording: &Wording,
) -> Result<(), QueryError> {
    if catalog.schema(&dataset.input).is_some() {
        return Err(QueryError::Invalid(format!("an input can not be called `{}` here", dataset.input)));
    }
    let schema = MemorySchemaProvider::new();
    for (name, table) in tables(context, dataset, wording).await? {
        schema.register_table(name, table).map_err(|error| wording.reword(error))?;
    }
    catalog.register_schema(&dataset.input, Arc::new(schema)).map_err(|error| wording.reword(error))?;
    Ok(())
}

async fn tables(
    context: &SessionContext,
    dataset: &Dataset,
    wording: &Wording,
) -> Result<Vec<(String, Arc<dyn TableProvider>)>, QueryError> {
    if dataset.kind == DELIVERY {
        return delivery::tables(dataset);
    }
    let state = context.state();
    let mut tables = Vec::new();
    for (split, files) in splits::find(dataset)? {
        let name = format!("{}.{split}", dataset.input);
        let table = splits::table(&state, &name, &files).await.map_err(|error| match error {
            splits::TableError::Query(error) => error,
            splits::TableError::Engine(error) => wording.reword(error),
        })?;
        tables.push((split, table));
    }
    Ok(tables)
}
