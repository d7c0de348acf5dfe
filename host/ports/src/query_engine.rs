//! SQL over a step's own datasets: the engine crunches, rows need not enter the sandbox.

use async_trait::async_trait;
use std::path::PathBuf;

/// What goes wrong in a query.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The SQL, or the data it reads, is wrong: the message says where.
    #[error("query: {0}")]
    Invalid(String),
    /// The statement would reach something that is not the step's own.
    #[error("query refused: {0}")]
    Refused(String),
    /// A limit was hit; names it.
    #[error("query limit: {0}")]
    Limit(String),
    /// The engine failed.
    #[error("query engine: {operation}")]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A table's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Arrow type, as Arrow writes it: `Int64`, `Float64`, `Utf8`.
    pub data_type: String,
}

/// A table of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `examples.train`.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// What a write made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Bytes of Parquet.
    pub bytes: u64,
}

/// One input's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The input's name: the SQL schema.
    pub input: String,
    /// Artifact kind. `Delivery`: raw files, tables `rows` and `rejected`. Anything else: each folder with Parquet files is a
    /// table (a split), united over the directories.
    pub kind: String,
    /// Artifact directories, newest first.
    pub paths: Vec<PathBuf>,
}

/// What a session may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    /// The step's datasets.
    pub datasets: Vec<Dataset>,
    /// Output directories by output name, for `write`.
    pub outputs: Vec<(String, PathBuf)>,
    /// A directory for `materialize` and spills; removed by the caller.
    pub scratch: PathBuf,
    /// Bytes of memory that the engine may hold.
    pub memory_bytes: u64,
    /// Bytes that `write` and `materialize` may make together.
    pub output_bytes: u64,
}

/// Opens sessions.
#[async_trait]
pub trait QueryEngine: Send + Sync {
    /// A session over these datasets and nothing else.
    async fn open(&self, options: SessionOptions) -> Result<Box<dyn QuerySession>, QueryError>;
}

/// Results one batch at a time, each a whole Arrow IPC stream (schema and one record batch).
#[async_trait]
pub trait BatchStream: Send {
    /// The next one; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, QueryError>;
}

/// One step's session.
#[async_trait]
pub trait QuerySession: Send + Sync {
    /// Its tables, scratch ones included.
    async fn tables(&self) -> Result<Vec<Table>, QueryError>;
    /// Runs one SELECT.
    async fn query(&self, sql: &str) -> Result<Box<dyn BatchStream>, QueryError>;
    /// Streams one SELECT into `<output>/<path>` as Parquet.
    async fn write(&self, sql: &str, output: &str, path: &str) -> Result<Written, QueryError>;
    /// Computes one SELECT into the table `scratch.<name>`.
    async fn materialize(&self, name: &str, sql: &str) -> Result<Written, QueryError>;
}
