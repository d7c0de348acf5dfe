//! The record in a database: one SQLite file, or Postgres for several daemons. Every fact is one short transaction with its audit
//! entries, alone in the store while it lasts. Other processes may have it open too: nothing that is written depends on what this
//! process remembers.
//!
//! Statements are static and live beside the code that runs them, once for both databases; `statement`, `connection` and `write`
//! are the layer that they run through, and only `sqlite`, `postgres` and `migrations` know one of the two.

mod access;
mod artifacts;
mod audit;
mod check;
mod claims;
mod connection;
mod counts;
mod deadlines;
mod events;
mod executions;
mod history;
mod leases;
mod lineage;
mod metadata;
mod migrations;
mod outbox;
mod pipelines;
#[cfg(test)]
mod plans;
mod pokes;
mod postgres;
mod posts;
mod pushes;
mod retention;
mod rows;
mod runs;
mod signoff;
mod sqlite;
mod statement;
mod transfer;
mod triggers;
#[cfg(test)]
mod turns;
mod write;

pub use transfer::{Sums, TableSum, TransferError};

use connection::Lent;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, StoreError};
pub use postgres::PostgresOptions;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};
use write::{Head, Toucher, Writer};

/// The metadata store in a database.
pub struct SqlStore {
    database: Database,
    /// Where the audit chain ended when this process last wrote. Held by whoever writes facts: writers of this process queue here.
    head: Mutex<Head>,
}

enum Database {
    Sqlite { file: Box<sqlite::File>, clock: Arc<dyn Clock> },
    Postgres(postgres::Server),
}

impl SqlStore {
    /// Opens the file at `path`; makes it, and the directories it lies in, readable for the owner alone when they are not there.
    /// Leases are measured on `clock`.
    ///
    /// # Errors
    /// When the file can not be made or opened, is no database of ours, or was written by a newer version.
    pub async fn sqlite(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self::new(Database::Sqlite { file: Box::new(sqlite::File::open(path).await?), clock }))
    }

    /// Opens the Postgres database at `url`; sets it up when it is empty.
    ///
    /// # Errors
    /// When there is no such database, when it was written by a newer version, or by an older one and may not be brought up to date.
    pub async fn postgres(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        Ok(Self::new(Database::Postgres(postgres::Server::open(url, options).await?)))
    }

    fn new(database: Database) -> Self {
        Self { database, head: Mutex::new((0, countersign_model::audit::genesis())) }
    }

    /// Is woken when there may be work that another process made: a hint, which may come too often and may not come at all. Never
    /// for SQLite.
    pub fn changes(&self) -> Arc<Notify> {
        match &self.database {
            Database::Sqlite { .. } => Arc::new(Notify::new()),
            Database::Postgres(server) => server.changes(),
        }
    }

    /// Closes every connection; SQLite then folds its write-ahead log into the file.
    ///
    /// # Errors
    /// When the file system refuses to take what was written.
    pub async fn close(self) -> Result<(), StoreError> {
        match self.database {
            Database::Sqlite { file, .. } => file.close().await,
            Database::Postgres(server) => {
                server.close().await;
                Ok(())
            }
        }
    }

    /// A connection for reading.
    async fn reader(&self) -> Result<Lent<'_>, StoreError> {
        match &self.database {
            Database::Sqlite { file, .. } => file.reader().await.map(Lent::Sqlite),
            Database::Postgres(server) => server.reader().await,
        }
    }

    /// Waits for this caller's turn to write facts.
    async fn writer(&self) -> Result<Writer<'_>, StoreError> {
        let head = self.head.lock().await;
        Ok(Writer { toucher: self.toucher().await?, head })
    }

    /// A connection for a write that leaves no entry in the audit log.
    async fn toucher(&self) -> Result<Toucher<'_>, StoreError> {
        Ok(match &self.database {
            Database::Sqlite { file, clock } => {
                Toucher { connection: Lent::Sqlite(file.writer().await?), clock: Some(&**clock) }
            }
            Database::Postgres(server) => Toucher { connection: server.writer().await?, clock: server.clock() },
        })
    }

    /// The store's time.
    async fn now(&self) -> Result<Timestamp, StoreError> {
        match &self.database {
            Database::Sqlite { clock, .. } => Ok(clock.now()),
            Database::Postgres(server) => match server.clock() {
                Some(clock) => Ok(clock.now()),
                None => postgres::now(&mut server.reader().await?.connection()).await,
            },
        }
    }
}
