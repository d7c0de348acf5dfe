//! A query engine that knows five statements.

use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use async_trait::async_trait;
use countersign_ports::query_engine::{
    BatchStream, Column, QueryEngine, QueryError, QuerySession, SessionOptions, Table, Written,
};
use std::sync::Arc;

pub struct QueryDouble;

#[async_trait]
impl QueryEngine for QueryDouble {
    async fn open(&self, options: SessionOptions) -> Result<Box<dyn QuerySession>, QueryError> {
        Ok(Box::new(Session(options)))
    }
}

struct Session(SessionOptions);

#[async_trait]
impl QuerySession for Session {
    async fn tables(&self) -> Result<Vec<Table>, QueryError> {
        let column = Column { name: "value".to_string(), data_type: "Int64".to_string() };
        let table = |input: &str| Table { name: format!("{input}.train"), columns: vec![column.clone()] };
        Ok(self.0.datasets.iter().map(|dataset| table(&dataset.input)).collect())
    }

    async fn query(&self, sql: &str) -> Result<Box<dyn BatchStream>, QueryError> {
        match sql {
            "SELECT 1" => Ok(Box::new(Batches(3))),
            "SELECT forever" => std::future::pending().await,
            _ => Err(QueryError::Invalid(format!("line 1: no such table in `{sql}`"))),
        }
    }

    async fn write(&self, _: &str, output: &str, path: &str) -> Result<Written, QueryError> {
        let (_, directory) = self.0.outputs.iter().find(|(name, _)| name == output).expect("a bound output");
        std::fs::write(directory.join(path), "PAR1")
            .map_err(|error| QueryError::Engine { operation: "write", source: error.into() })?;
        Ok(Written { rows: 5, bytes: 4 })
    }

    async fn materialize(&self, _: &str, _: &str) -> Result<Written, QueryError> {
        Ok(Written { rows: 4, bytes: 1 })
    }
}

/// That many batches of two rows.
struct Batches(usize);

#[async_trait]
impl BatchStream for Batches {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, QueryError> {
        // As from an engine that computes on threads of its own.
        tokio::task::yield_now().await;
        if self.0 == 0 {
            return Ok(None);
        }
        self.0 -= 1;
        let schema = Arc::new(Schema::new(vec![Field::new("value", DataType::Int64, false)]));
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(vec![1, 2]))]).unwrap();
        let mut bytes = Vec::new();
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut bytes, &schema).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        Ok(Some(bytes))
    }
}
