//! `examples.json`: what an `Examples` artifact holds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// File name inside the artifact.
pub const INDEX: &str = "examples.json";

/// The type of a column, as ingest inferred it from every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// 64-bit integers (Parquet INT64).
    Int,
    /// 64-bit floats (Parquet DOUBLE).
    Float,
    /// UTF-8 text (Parquet STRING).
    String,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleColumn {
    /// Name as delivered.
    pub name: String,
    /// Type. A column without any value is `String`.
    pub column_type: ColumnType,
}

/// The index. Every split also has the column `_line` (INT64): the row's line in the delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExamplesIndex {
    /// Columns in delivered order, without `_line`.
    pub columns: Vec<ExampleColumn>,
    /// Rows by split.
    pub rows: BTreeMap<String, u64>,
    /// Rows that could not be read and were set aside in `_rejected.csv` (`line,reason,text`).
    pub rejected: u64,
}
