//! The `query` interface: passes SQL on to the engine's session, which is opened with the first call.

use crate::bindings::countersign::component::query::{self, Column, Table, Written};
use crate::bindings::countersign::component::types::Error as Told;
use crate::failure::Stop;
use crate::state::State;
use countersign_ports::query_engine::{
    self as port, BatchStream, QueryEngine, QueryError, QuerySession, SessionOptions,
};
use std::error::Error as _;
use std::sync::Arc;
use wasmtime::component::Resource;

/// The granted capability.
pub struct QueryAccess {
    engine: Arc<dyn QueryEngine>,
    options: SessionOptions,
    session: Option<Arc<dyn QuerySession>>,
}

impl QueryAccess {
    /// Not opened yet: many a component that asks for it does not always use it.
    pub fn new(engine: Arc<dyn QueryEngine>, options: SessionOptions) -> Self {
        Self { engine, options, session: None }
    }

    async fn session(&mut self) -> Result<Arc<dyn QuerySession>, QueryError> {
        if let Some(session) = &self.session {
            return Ok(Arc::clone(session));
        }
        let session: Arc<dyn QuerySession> = Arc::from(self.engine.open(self.options.clone()).await?);
        self.session = Some(Arc::clone(&session));
        Ok(session)
    }
}

/// A result on the host's side.
pub struct Batches(Box<dyn BatchStream>);

impl State {
    /// The load check and the grant come before any call; this one holds for `describe`, which has no capability.
    fn granted(&mut self) -> wasmtime::Result<&mut QueryAccess> {
        let refused =
            || Stop::new("capability", "the component used the capability `query`, which is not granted here");
        Ok(self.query.as_mut().ok_or_else(refused)?)
    }

    async fn ask(&mut self, sql: &str) -> wasmtime::Result<Result<Box<dyn BatchStream>, QueryError>> {
        let access = self.granted()?;
        Ok(match access.session().await {
            Ok(session) => session.query(sql).await,
            Err(error) => Err(error),
        })
    }
}

impl query::Host for State {
    async fn tables(&mut self) -> wasmtime::Result<Result<Vec<Table>, Told>> {
        let tables = match self.granted()?.session().await {
            Ok(session) => session.tables().await,
            Err(error) => Err(error),
        };
        Ok(tables.map(|tables| tables.into_iter().map(table).collect()).map_err(told))
    }

    async fn query(&mut self, sql: String) -> wasmtime::Result<Result<Resource<Batches>, Told>> {
        Ok(match self.ask(&sql).await? {
            Ok(batches) => Ok(self.table.push(Batches(batches))?),
            Err(error) => Err(told(error)),
        })
    }

    async fn write(&mut self, sql: String, output: String, path: String) -> wasmtime::Result<Result<Written, Told>> {
        let written = match self.granted()?.session().await {
            Ok(session) => session.write(&sql, &output, &path).await,
            Err(error) => Err(error),
        };
        Ok(written.map(into_written).map_err(told))
    }

    async fn materialize(&mut self, name: String, sql: String) -> wasmtime::Result<Result<Written, Told>> {
        let written = match self.granted()?.session().await {
            Ok(session) => session.materialize(&name, &sql).await,
            Err(error) => Err(error),
        };
        Ok(written.map(into_written).map_err(told))
    }
}

impl query::HostBatches for State {
    async fn next(&mut self, batches: Resource<Batches>) -> wasmtime::Result<Result<Option<Vec<u8>>, Told>> {
        Ok(self.table.get_mut(&batches)?.0.next().await.map_err(told))
    }

    async fn drop(&mut self, batches: Resource<Batches>) -> wasmtime::Result<()> {
        self.table.delete(batches)?;
        Ok(())
    }
}

fn table(table: port::Table) -> Table {
    let column = |column: port::Column| Column { name: column.name, data_type: column.data_type };
    Table { name: table.name, columns: table.columns.into_iter().map(column).collect() }
}

fn into_written(written: port::Written) -> Written {
    Written { rows: written.rows, bytes: written.bytes }
}

/// Trying again may mend what the machine did, and nothing else.
fn told(error: QueryError) -> Told {
    let mut message = error.to_string();
    let mut machine = false;
    let mut source = error.source();
    while let Some(cause) = source {
        machine |= cause.is::<std::io::Error>();
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    match error {
        QueryError::Invalid(_) => Told::InvalidInput(message),
        QueryError::Refused(_) | QueryError::Limit(_) => Told::Refused(message),
        QueryError::Engine { .. } if machine => Told::Transient(message),
        QueryError::Engine { .. } => Told::Bug(message),
    }
}
