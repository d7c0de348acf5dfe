//! The record in one SQLite file. One connection writes, in short IMMEDIATE transactions, each with its audit entries; a few
//! read. Other processes may have the file open too: nothing that is written depends on what this process remembers.
//!
//! Statements are static and live beside the code that runs them; the one for Postgres will be their exact twin.

mod access;
mod artifacts;
mod audit;
mod claims;
mod connection;
mod counts;
mod deadlines;
mod events;
mod executions;
mod history;
mod lineage;
mod metadata;
mod open;
mod outbox;
mod pipelines;
#[cfg(test)]
mod plans;
mod pokes;
mod posts;
mod pushes;
mod rows;
mod runs;
mod signoff;
mod triggers;

use connection::Connections;
use countersign_ports::{Clock, StoreError};
use std::path::Path;
use std::sync::Arc;

/// The metadata store in a SQLite file.
pub struct SqliteStore {
    connections: Connections,
    clock: Arc<dyn Clock>,
}

impl SqliteStore {
    /// Opens the file at `path`; makes it, and the directories it lies in, readable for the owner alone when they are not there.
    /// Leases are measured on `clock`.
    ///
    /// # Errors
    /// When the file can not be made or opened, is no database of ours, or was written by a newer version.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self { connections: open::open(path).await?, clock })
    }

    /// Closes every connection; SQLite then folds its write-ahead log into the file.
    ///
    /// # Errors
    /// When the file system refuses to take what was written.
    pub async fn close(self) -> Result<(), StoreError> {
        self.connections.close().await
    }
}
