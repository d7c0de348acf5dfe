//! Connections to one SQLite file: one that writes, few that read. Knows no table but the audit log.

use super::rows::Record;
use crate::deeds::Deed;
use countersign_model::audit;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, StoreError};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Sqlite, SqliteConnection, SqlSafeStr, Transaction};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

pub(super) type Sql<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Another process (a terminal beside the daemon) holds the write lock for one short transaction.
const BUSY: Duration = Duration::from_secs(10);
/// Writers of this process queue for the one connection; each waits at most `BUSY` in front of us.
const QUEUE: Duration = Duration::from_secs(120);
/// More statements than this store has: each is prepared once a connection.
const STATEMENTS: usize = 256;
const READERS: u32 = 4;

/// The pools of one database file.
pub(super) struct Connections {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// Turns the driver's error into ours.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| StoreError::Database { operation, source: Box::new(error) }
}

fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![migration(
        1,
        "records",
        include_str!("../../migrations/sqlite/0001_records.sql"),
    )])
}

impl Connections {
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
            .synchronous(SqliteSynchronous::Full);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(QUEUE)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool(1)
            .idle_timeout(None)
            .connect_with(options.clone().journal_mode(SqliteJournalMode::Wal))
            .await
            .map_err(failed("open metadata store"))?;
        migrate(&writer).await?;
        let readers =
            pool(READERS).idle_timeout(Duration::from_secs(300)).connect_lazy_with(options.read_only(true));
        Ok(Self { writer, readers })
    }

    /// Begins a write. IMMEDIATE: a transaction that reads first and writes later could otherwise fail for good when another
    /// process wrote in between.
    pub(super) async fn write(&self, clock: &dyn Clock) -> Result<Write, StoreError> {
        let transaction =
            self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin a write to the metadata store"))?;
        // Read only now: whoever waited for the lock must not judge leases by the time at which the wait began.
        Ok(Write { transaction, now: clock.now() })
    }

    /// A connection for one read.
    pub(super) async fn read(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(failed("read from the metadata store"))
    }

    /// Several reads of one moment.
    pub(super) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(failed("read from the metadata store"))
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes the directories (only for the owner) and the empty file (likewise); SQLite gives the files beside it the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}

/// In one transaction, so that of two processes that start at once the second finds the tables made.
async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("open metadata store: lock it"))?;
    migrator().run_direct(None, &mut *transaction, false).await.map_err(|error| {
        let operation = match &error {
            MigrateError::VersionMissing(_) => {
                "open metadata store: a newer version of countersign wrote it; use that version, or another data directory"
            }
            MigrateError::VersionMismatch(_) => {
                "open metadata store: its tables were made by another build of countersign; use that one, or another data directory"
            }
            _ => "open metadata store: bring its tables up to date",
        };
        StoreError::Database { operation, source: Box::new(error) }
    })?;
    transaction.commit().await.map_err(failed("open metadata store: bring its tables up to date"))
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

/// A write under way; dropped without [`Write::commit`] it never happened.
pub(super) struct Write {
    transaction: Transaction<'static, Sqlite>,
    now: Timestamp,
}

pub(super) const AUDIT_HEAD: &str = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";
const AUDIT_INSERT: &str = "INSERT INTO audit (sequence, at, actor, action, subject, detail, previous, hash) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

impl Write {
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
    pub(super) async fn one(
        &mut self,
        operation: &'static str,
        sql: Sql<'_>,
    ) -> Result<Option<SqliteRow>, StoreError> {
        one(&mut self.transaction, operation, sql).await
    }

    /// Commits the changes together with their audit entries: no entry, no change. The chain's head is read inside the
    /// transaction, for another process may have written since.
    pub(super) async fn commit(mut self, deeds: Vec<Deed>) -> Result<(), StoreError> {
        if !deeds.is_empty() {
            let mut head = match self.one("read the audit log's head", sqlx::query(AUDIT_HEAD)).await? {
                Some(row) => {
                    let record = Record::new(&row, "audit", "sequence");
                    (record.number("sequence")?, record.parsed::<Digest>("hash")?)
                }
                None => (0, audit::genesis()),
            };
            for deed in deeds {
                head = self.append(head, deed).await?;
            }
        }
        self.transaction.commit().await.map_err(failed("commit to the metadata store"))
    }

    async fn append(&mut self, head: (i64, Digest), deed: Deed) -> Result<(i64, Digest), StoreError> {
        let entry = audit::append(head, deed.at(self.now))?;
        let sql = sqlx::query(AUDIT_INSERT)
            .bind(entry.sequence)
            .bind(entry.fact.at.as_micros())
            .bind(entry.fact.actor.as_str())
            .bind(entry.fact.action.as_str())
            .bind(entry.fact.subject.as_str())
            .bind(serde_json::to_string(&entry.fact.detail)?)
            .bind(entry.previous.to_string())
            .bind(entry.hash.to_string());
        self.execute("append to the audit log", sql).await?;
        Ok((entry.sequence, entry.hash))
    }
}
