//! The whole record as one file, out of one database and into another: JSON lines, every table with the digest of its rows.
//!
//! The first line names the format, then comes each row as `["table", [column, ...]]`, then a line with every table's number of rows and
//! SHA-256 over its row lines. Reading it into a database counts only when that database, asked again, answers with the same digests.

mod export;
mod import;
mod tables;
#[cfg(test)]
mod tests;

use countersign_model::digest::Digest;
use countersign_ports::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tables::{Kind, Table};

/// The format's name, in the first line.
const FORMAT: &str = "countersign-record";
/// Its version: that of the tables.
const VERSION: u32 = 5;
/// Rows between two words about progress.
const STRIDE: u64 = 1_000;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// A table's rows in one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over their lines.
    pub sha256: Digest,
}

impl std::fmt::Display for TableSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows with digest {}", self.rows, self.sha256.short())
    }
}

/// Every table's sum, by name.
pub type Sums = BTreeMap<String, TableSum>;

#[derive(Serialize, Deserialize)]
struct Foot {
    tables: Sums,
}

/// What goes wrong between a file and a database.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The file can not be read or written.
    #[error("{operation} record file")]
    File {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line is not what it should be.
    #[error("read record file: line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The database to read into holds something.
    #[error("import record: table `{table}` is not empty: import into a database in which nothing happened yet")]
    NotEmpty {
        /// The first table with rows.
        table: &'static str,
    },
    /// The rows that came out are not the rows that went in.
    #[error("import record: table `{table}` has {found}, but the file says {expected}: nothing was imported")]
    Differs {
        /// The table.
        table: String,
        /// What the file says: rows and digest.
        expected: String,
        /// What was read.
        found: String,
    },
}

/// One value of a row.
type Cell = serde_json::Value;

fn line(table: &Table, row: &[Cell]) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&(table.name, row))?)
}

/// Adds up the lines of one table.
#[derive(Default)]
struct Adder {
    rows: u64,
    hasher: sha2::Sha256,
}

impl Adder {
    fn add(&mut self, line: &str) {
        use sha2::Digest as _;
        self.rows += 1;
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
    }

    fn sum(self) -> TableSum {
        use sha2::Digest as _;
        TableSum { rows: self.rows, sha256: Digest::from_bytes(self.hasher.finalize().into()) }
    }
}
