//! Opening the file: its modes, its settings, its tables.

use super::connection::{Connections, failed};
use countersign_ports::StoreError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// Another process (a terminal beside the daemon) holds the write lock for one short transaction.
const BUSY: Duration = Duration::from_secs(10);
/// More statements than this store has: each is prepared once a connection.
const STATEMENTS: usize = 256;

/// Opens the file, makes it when it is not there, and brings its tables up to date.
pub(super) async fn open(path: &Path) -> Result<Connections, StoreError> {
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
    let mut writer =
        options.clone().journal_mode(SqliteJournalMode::Wal).connect().await.map_err(failed("open metadata store"))?;
    migrate(&mut writer).await?;
    Ok(Connections::new(writer, options.read_only(true)))
}

/// Makes the directories (only for the owner) and the empty file (likewise); SQLite gives the files beside it the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}

/// Embedded by hand: sqlx's macro would bring its whole macro crate into the build.
fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let records = include_str!("../../migrations/sqlite/0001_records.sql");
    let signoff = include_str!("../../migrations/sqlite/0002_signoff.sql");
    Migrator::with_migrations(vec![migration(1, "records", records), migration(2, "signoff", signoff)])
}

/// In one transaction, so that of two processes that start at once the second finds the tables made.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("open metadata store: lock it"))?;
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
