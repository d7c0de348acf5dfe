//! Capability `query`: SQL over the step's own datasets, run by the host's engine. Rows need not enter the sandbox.
//!
//! Tables are named `<input>.<split>` (`examples.train`); always quote column names, unquoted ones fold to lower case. A `Delivery`
//! input has `<input>.rows` and `<input>.rejected`. Outside a component every call answers `Refused`: there is no engine.

use crate::Error;
use crate::bindings::countersign::component::query as wall;
use crate::ipc;
use arrow_array::RecordBatch;

/// A table's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Arrow type, as Arrow writes it: `Int64`, `Float64`, `Utf8`.
    pub data_type: String,
}

/// A table.
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

/// The tables there are, scratch ones included.
///
/// # Errors
/// What the engine answered.
pub fn tables() -> Result<Vec<Table>, Error> {
    inside()?;
    let column = |column: wall::Column| Column { name: column.name, data_type: column.data_type };
    let table =
        |table: wall::Table| Table { name: table.name, columns: table.columns.into_iter().map(column).collect() };
    Ok(wall::tables()?.into_iter().map(table).collect())
}

/// Runs one SELECT.
///
/// # Errors
/// What the engine answered: `InvalidInput` for wrong SQL, `Refused` for anything but a SELECT over the step's own tables.
pub fn query(sql: &str) -> Result<Batches, Error> {
    inside()?;
    Ok(Batches { batches: wall::query(sql)?, done: false })
}

/// Streams the result of one SELECT into `/out/<output>/<path>` as Parquet.
///
/// # Errors
/// What the engine answered.
pub fn write(sql: &str, output: &str, path: &str) -> Result<Written, Error> {
    inside()?;
    Ok(written(wall::write(sql, output, path)?))
}

/// Computes the result of one SELECT once, into the table `scratch.<name>`.
///
/// # Errors
/// What the engine answered.
pub fn materialize(name: &str, sql: &str) -> Result<Written, Error> {
    inside()?;
    Ok(written(wall::materialize(name, sql)?))
}

/// A result, one batch at a time. Columns are `Int64`, `Float64`, `Boolean`, `Utf8`, `Binary`, or lists or structs of them.
pub struct Batches {
    batches: wall::Batches,
    done: bool,
}

impl Batches {
    /// All of them. Mind the memory: prefer a query that answers little.
    ///
    /// # Errors
    /// The first one that came.
    pub fn collect_batches(self) -> Result<Vec<RecordBatch>, Error> {
        self.collect()
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, Error> {
        while let Some(stream) = self.batches.next()? {
            let batch = ipc::decode(stream).map_err(|problem| Error::Bug(format!("read query result: {problem}")))?;
            if batch.is_some() {
                return Ok(batch);
            }
        }
        Ok(None)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let answer = self.advance().transpose();
        self.done = !matches!(answer, Some(Ok(_)));
        answer
    }
}

fn written(written: wall::Written) -> Written {
    Written { rows: written.rows, bytes: written.bytes }
}

/// The generated functions abort outside a component; an error is easier to test with.
fn inside() -> Result<(), Error> {
    if cfg!(target_family = "wasm") {
        Ok(())
    } else {
        Err(Error::Refused("query: there is no engine outside a component".to_string()))
    }
}
