//! Connections to one SQLite file: one that writes, few that read, and the write itself. Knows no table but the audit log.
//!
//! Not sqlx's pool: that asks a connection whether it lives each time it comes back, one more turn to its thread for each
//! statement or two, while a SQLite connection, being no more than an open file, does not go away.

use crate::deeds::Deed;
use countersign_model::audit;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, StoreError};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{MutexGuard, Semaphore, SemaphorePermit};

pub(super) type Sql<'q> = Query<'q, Sqlite, SqliteArguments>;

const READERS: usize = 4;

/// Turns the driver's error into ours.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| StoreError::Database { operation, source: Box::new(error) }
}

/// The connections of one database file.
pub(super) struct Connections {
    /// Asynchronous, for it is held across the whole transaction: writers of this process queue here, not at the file's lock.
    writer: tokio::sync::Mutex<Writer>,
    /// How to open another reader.
    options: SqliteConnectOptions,
    /// Open readers that nobody uses.
    idle: Mutex<Vec<SqliteConnection>>,
    /// As many as may be in use at once.
    readers: Semaphore,
}

impl Connections {
    /// Around a connection that writes, and how to open those that read.
    pub(super) fn new(writer: SqliteConnection, options: SqliteConnectOptions) -> Self {
        Self {
            writer: tokio::sync::Mutex::new(Writer { connection: writer, head: (0, audit::genesis()) }),
            options,
            idle: Mutex::default(),
            readers: Semaphore::new(READERS),
        }
    }

    /// The writing connection, when it is this caller's turn.
    pub(super) async fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().await
    }

    /// A connection for reading.
    pub(super) async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let permit = self.readers.acquire().await.map_err(|closed| StoreError::Database {
            operation: "read from the metadata store: it is closed",
            source: Box::new(closed),
        })?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(failed("open metadata store for reading"))?,
        };
        Ok(Reader { connection: Some(connection), idle: &self.idle, _permit: permit })
    }

    /// Waits for what is under way, lets nobody read any more, and closes the readers; the writer goes last, with the store.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        let Self { writer, idle, .. } = self;
        for reader in idle.into_inner().unwrap_or_else(PoisonError::into_inner) {
            reader.close().await.map_err(failed("close metadata store"))?;
        }
        writer.into_inner().connection.close().await.map_err(failed("close metadata store"))
    }
}

/// A connection for reading; it goes back when this is dropped.
pub(super) struct Reader<'c> {
    /// There until the drop.
    connection: Option<SqliteConnection>,
    idle: &'c Mutex<Vec<SqliteConnection>>,
    _permit: SemaphorePermit<'c>,
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("a reader has its connection until it is dropped")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}

/// Runs a statement and answers how many rows it touched.
pub(super) async fn execute(
    connection: &mut SqliteConnection,
    operation: &'static str,
    sql: Sql<'_>,
) -> Result<u64, StoreError> {
    sql.execute(connection).await.map(|done| done.rows_affected()).map_err(failed(operation))
}

/// The first row, if there is one.
pub(super) async fn one(
    connection: &mut SqliteConnection,
    operation: &'static str,
    sql: Sql<'_>,
) -> Result<Option<SqliteRow>, StoreError> {
    sql.fetch_optional(connection).await.map_err(failed(operation))
}

/// Every row.
pub(super) async fn all(
    connection: &mut SqliteConnection,
    operation: &'static str,
    sql: Sql<'_>,
) -> Result<Vec<SqliteRow>, StoreError> {
    sql.fetch_all(connection).await.map_err(failed(operation))
}

/// The one connection that writes, and where its audit chain ended when it last wrote.
pub(super) struct Writer {
    connection: SqliteConnection,
    head: (i64, Digest),
}

impl Writer {
    /// Begins a write. IMMEDIATE: a transaction that reads first and writes later could otherwise fail for good when another
    /// process wrote in between.
    pub(super) async fn begin(&mut self, clock: &dyn Clock) -> Result<Write<'_>, StoreError> {
        let Self { connection, head } = self;
        let transaction =
            connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin a write to the metadata store"))?;
        // Read only now: whoever waited for the lock must not judge leases by the time at which the wait began.
        Ok(Write { transaction, head, now: clock.now() })
    }
}

/// A write under way; dropped without [`Write::commit`] it never happened.
pub(super) struct Write<'c> {
    transaction: Transaction<'c, Sqlite>,
    head: &'c mut (i64, Digest),
    now: Timestamp,
}

pub(super) const AUDIT_HEAD: &str = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";
/// Inserts only behind the entry that it names: what this process remembers of the chain is checked by the database itself.
const AUDIT_INSERT: &str = "INSERT INTO audit (sequence, at, actor, action, subject, detail, previous, hash) \
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 \
     WHERE ?7 = COALESCE((SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1), ?9)";

impl Write<'_> {
    /// The store's time at which this write began.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// As the function of that name.
    pub(super) async fn execute(&mut self, operation: &'static str, sql: Sql<'_>) -> Result<u64, StoreError> {
        execute(&mut self.transaction, operation, sql).await
    }

    /// As the function of that name.
    pub(super) async fn one(&mut self, operation: &'static str, sql: Sql<'_>) -> Result<Option<SqliteRow>, StoreError> {
        one(&mut self.transaction, operation, sql).await
    }

    /// Commits the changes together with their audit entries: no entry, no change.
    pub(super) async fn commit(mut self, deeds: Vec<Deed>) -> Result<(), StoreError> {
        let mut head = *self.head;
        for deed in deeds {
            head = self.append(head, deed).await?;
        }
        self.transaction.commit().await.map_err(failed("commit to the metadata store"))?;
        // Only now: what was not committed must not be remembered.
        *self.head = head;
        Ok(())
    }

    /// Appends one entry behind `head`, or behind the real head when another process wrote since, and answers the new one.
    async fn append(&mut self, head: (i64, Digest), deed: Deed) -> Result<(i64, Digest), StoreError> {
        let fact = deed.at(self.now);
        if let Some(head) = self.insert(audit::append(head, fact.clone())?).await? {
            return Ok(head);
        }
        let real = super::audit::head(self.connection()).await?;
        self.insert(audit::append(real, fact)?).await?.ok_or_else(|| StoreError::Database {
            operation: "append to the audit log",
            source: "its head is not what it was a moment ago, in one transaction".into(),
        })
    }

    async fn insert(&mut self, entry: audit::AuditEntry) -> Result<Option<(i64, Digest)>, StoreError> {
        let sql = sqlx::query(AUDIT_INSERT)
            .bind(entry.sequence)
            .bind(entry.fact.at.as_micros())
            .bind(entry.fact.actor.as_str())
            .bind(entry.fact.action.as_str())
            .bind(entry.fact.subject.as_str())
            .bind(serde_json::to_string(&entry.fact.detail)?)
            .bind(entry.previous.to_string())
            .bind(entry.hash.to_string())
            .bind(audit::genesis().to_string());
        let inserted = self.execute("append to the audit log", sql).await?;
        Ok((inserted > 0).then_some((entry.sequence, entry.hash)))
    }
}
