//! One step's session: its tables, its queries, and what it wrote so far.

use crate::boundary::{Conversion, slices, to_ipc};
use crate::session_context::SCRATCH;
use crate::task::Task;
use crate::wording::Wording;
use crate::{output_path, parquet_file, plan, splits};
use async_trait::async_trait;
use countersign_ports::query_engine::{BatchStream, Column, QueryError, QuerySession, SessionOptions, Table, Written};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::TableReference;
use datafusion::execution::context::SessionContext;
use futures::StreamExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

const MAX_NAME_BYTES: usize = 64;

/// Cheap to clone; every clone is the same session.
#[derive(Clone)]
pub(crate) struct Session {
    context: SessionContext,
    wording: Arc<Wording>,
    options: Arc<SessionOptions>,
    threads: Handle,
    /// Bytes that `write` and `materialize` made.
    written_bytes: Arc<AtomicU64>,
    materialized: Arc<AtomicU64>,
}

impl Session {
    pub(crate) fn new(
        context: SessionContext,
        wording: Arc<Wording>,
        options: SessionOptions,
        threads: Handle,
    ) -> Self {
        Self {
            context,
            wording,
            options: Arc::new(options),
            threads,
            written_bytes: Arc::default(),
            materialized: Arc::default(),
        }
    }

    /// Runs `sql` into the file `path`, within what is left of the limit.
    async fn store(&self, sql: &str, path: PathBuf) -> Result<Written, QueryError> {
        let batches = plan::start(&self.context, &self.wording, sql).await?;
        let limit = self.options.output_bytes.saturating_sub(self.written_bytes.load(Ordering::Relaxed));
        let written = parquet_file::write(batches, &path, limit, &self.wording).await?;
        self.written_bytes.fetch_add(written.bytes, Ordering::Relaxed);
        Ok(written)
    }

    async fn describe_tables(&self) -> Result<Vec<Table>, QueryError> {
        let mut tables = Vec::new();
        for name in plan::table_names(&self.context) {
            // Split at the first dot only: the names come from the catalogue, not from SQL.
            let (schema, table) = name.split_once('.').unwrap_or((SCRATCH, &name));
            let provider = self.context.table_provider(TableReference::partial(schema, table)).await;
            let schema = provider.map_err(|error| self.wording.reword(error))?.schema();
            let column = |field: &Arc<datafusion::arrow::datatypes::Field>| Column {
                name: field.name().clone(),
                data_type: field.data_type().to_string(),
            };
            let columns = schema.fields().iter().map(column).collect();
            tables.push(Table { name, columns });
        }
        Ok(tables)
    }

    async fn materialize_table(&self, name: &str, sql: &str) -> Result<Written, QueryError> {
        check_name(name)?;
        // A new file each time: the engine remembers what it read of a file.
        let number = self.materialized.fetch_add(1, Ordering::Relaxed);
        let path = output_path::place(&self.options.scratch, &format!("materialized/{number}.parquet"))?;
        let written = self.store(sql, path.clone()).await?;
        let full_name = format!("{SCRATCH}.{name}");
        let table = splits::table(&self.context.state(), &full_name, &[path]).await.map_err(|error| match error {
            splits::TableError::Query(error) => error,
            splits::TableError::Engine(error) => self.wording.reword(error),
        })?;
        let reference = TableReference::partial(SCRATCH, name);
        let register = || {
            self.context.deregister_table(reference.clone())?;
            self.context.register_table(reference.clone(), table)
        };
        register().map_err(|error| self.wording.reword(error))?;
        Ok(written)
    }
}

fn check_name(name: &str) -> Result<(), QueryError> {
    let fits = name.len() <= MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match fits {
        true => Ok(()),
        false => Err(QueryError::Invalid(format!(
            "a table can not be called `{}`: use lower-case letters, digits and `_`, at most {MAX_NAME_BYTES}",
            name.chars().take(MAX_NAME_BYTES).collect::<String>()
        ))),
    }
}

#[async_trait]
impl QuerySession for Session {
    async fn tables(&self) -> Result<Vec<Table>, QueryError> {
        let session = self.clone();
        Task::spawn(&self.threads, async move { session.describe_tables().await }).finish().await
    }

    async fn query(&self, sql: &str) -> Result<Box<dyn BatchStream>, QueryError> {
        let (session, sql) = (self.clone(), sql.to_owned());
        let start = async move { plan::start(&session.context, &session.wording, &sql).await };
        let batches = Task::spawn(&self.threads, start).finish().await?;
        let (sender, receiver) = channel(2);
        let wording = self.wording.clone();
        let work = async move {
            let conversion = Conversion::for_guest(&batches.schema());
            let batches = batches.map(|batch| conversion.apply(&batch.map_err(|error| wording.reword(error))?));
            send(Box::pin(batches), &RecordBatch::new_empty(conversion.schema()), &sender).await
        };
        Ok(Box::new(Batches { receiver, work: Some(Task::spawn(&self.threads, work)) }))
    }

    async fn write(&self, sql: &str, output: &str, path: &str) -> Result<Written, QueryError> {
        let outputs = &self.options.outputs;
        let Some((_, root)) = outputs.iter().find(|(name, _)| name == output) else {
            let names = outputs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            return Err(QueryError::Invalid(format!(
                "there is no output `{output}`; the outputs are {}",
                crate::wording::list(&names)
            )));
        };
        let path = output_path::place(root, path)?;
        let (session, sql) = (self.clone(), sql.to_owned());
        Task::spawn(&self.threads, async move { session.store(&sql, path).await }).finish().await
    }

    async fn materialize(&self, name: &str, sql: &str) -> Result<Written, QueryError> {
        let (session, name, sql) = (self.clone(), name.to_owned(), sql.to_owned());
        Task::spawn(&self.threads, async move { session.materialize_table(&name, &sql).await }).finish().await
    }
}

type Converted<'a> = futures::stream::BoxStream<'a, Result<RecordBatch, QueryError>>;

/// Sends every batch; a result without rows is one empty batch, so that the reader learns its columns.
async fn send(mut batches: Converted<'_>, empty: &RecordBatch, sender: &Sender<Vec<u8>>) -> Result<(), QueryError> {
    let mut sent = false;
    while let Some(batch) = batches.next().await {
        for slice in slices(&batch?) {
            if sender.send(to_ipc(&slice)?).await.is_err() {
                return Ok(());
            }
            sent = true;
        }
    }
    if !sent {
        // A reader that went away wants no more.
        let _ = sender.send(to_ipc(empty)?).await;
    }
    Ok(())
}

/// Batches as the engine makes them; dropping it stops the query.
struct Batches {
    receiver: Receiver<Vec<u8>>,
    work: Option<Task<()>>,
}

#[async_trait]
impl BatchStream for Batches {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, QueryError> {
        if let Some(batch) = self.receiver.recv().await {
            return Ok(Some(batch));
        }
        // The sender is gone: the query ended, well or not.
        match self.work.take() {
            Some(work) => work.finish().await.map(|()| None),
            None => Ok(None),
        }
    }
}
