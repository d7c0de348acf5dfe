//! One SQLite file: one connection writes, few read. Opens it with its modes, settings and tables.
//!
//! Not sqlx's pool: that asks a connection whether it lives each time it comes back, one more turn to its thread for each
//! statement or two, while a SQLite connection, being no more than an open file, does not go away.

use super::connection::failed;
use super::migrations;
use countersign_ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{MutexGuard, Semaphore, SemaphorePermit};

/// Another process (a terminal beside the daemon) holds the write lock for one short transaction.
const BUSY: Duration = Duration::from_secs(10);
/// More statements than this store has: each is prepared once a connection.
const STATEMENTS: usize = 256;
const READERS: usize = 4;

/// The connections of one database file.
pub(super) struct File {
    /// Asynchronous, for it is held across the whole transaction: writers of this process queue here, not at the file's lock.
    writer: tokio::sync::Mutex<SqliteConnection>,
    /// How to open another one.
    options: SqliteConnectOptions,
    /// Open readers that nobody uses.
    idle: Mutex<Vec<SqliteConnection>>,
    /// As many as may be in use at once.
    readers: Semaphore,
}

impl File {
    /// Opens the file, makes it when it is not there, and brings its tables up to date.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        create(path).map_err(|error| StoreError::Database {
            operation: "open metadata store: create its file",
            source: Box::new(error),
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(STATEMENTS)
            // FULL: a commit that was answered survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let mut writer = write(&options).await?;
        migrations::sqlite(&mut writer).await?;
        let writer = tokio::sync::Mutex::new(writer);
        Ok(Self { writer, options, idle: Mutex::default(), readers: Semaphore::new(READERS) })
    }

    /// The writing connection, when it is this caller's turn.
    pub(super) async fn writer(&self) -> Result<Lent<'_>, StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.is_in_transaction() {
            // Somebody dropped a write, and its rollback is ahead of this.
            writer.ping().await.map_err(failed("write to the metadata store"))?;
        }
        if writer.is_in_transaction() {
            // A commit for which there was no space rolled back by itself: the driver waits for that rollback for ever.
            *writer = write(&self.options).await?;
        }
        Ok(Lent::Writer(writer))
    }

    /// A connection for reading.
    pub(super) async fn reader(&self) -> Result<Lent<'_>, StoreError> {
        let permit = self.readers.acquire().await.map_err(|closed| StoreError::Database {
            operation: "read from the metadata store: it is closed",
            source: Box::new(closed),
        })?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self
                .options
                .clone()
                .read_only(true)
                .connect()
                .await
                .map_err(failed("open metadata store for reading"))?,
        };
        Ok(Lent::Reader(Reader { connection: Some(connection), idle: &self.idle, _permit: permit }))
    }

    /// Closes the readers; the writer goes last, so that the log is folded into the file.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        let Self { writer, idle, .. } = self;
        for reader in idle.into_inner().unwrap_or_else(PoisonError::into_inner) {
            reader.close().await.map_err(failed("close metadata store"))?;
        }
        writer.into_inner().close().await.map_err(failed("close metadata store"))
    }
}

/// A connection for writing.
async fn write(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    options.clone().journal_mode(SqliteJournalMode::Wal).connect().await.map_err(failed("open metadata store"))
}

/// Makes the directories (only for the owner) and the empty file (likewise); SQLite gives the files beside it the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}

/// A connection that goes back when this is dropped.
pub(super) enum Lent<'c> {
    Writer(MutexGuard<'c, SqliteConnection>),
    Reader(Reader<'c>),
}

impl Deref for Lent<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Writer(writer) => writer,
            Self::Reader(reader) => {
                reader.connection.as_ref().expect("a reader has its connection until it is dropped")
            }
        }
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Writer(writer) => writer,
            Self::Reader(reader) => {
                reader.connection.as_mut().expect("a reader has its connection until it is dropped")
            }
        }
    }
}

/// A connection for reading.
pub(super) struct Reader<'c> {
    /// There until the drop.
    connection: Option<SqliteConnection>,
    idle: &'c Mutex<Vec<SqliteConnection>>,
    _permit: SemaphorePermit<'c>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}
