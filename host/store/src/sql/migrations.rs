//! Bringing the tables of a database up to date.

use super::connection::failed;
use countersign_ports::StoreError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, PgConnection, SqlSafeStr, SqliteConnection};

/// Version, name, and the statements for a database.
macro_rules! steps {
    ($database:literal: $($version:literal $name:literal,)+) => {
        vec![$((
            $version,
            $name,
            include_str!(concat!("../../migrations/", $database, "/", $version, "_", $name, ".sql")),
        )),+]
    };
}

/// Embedded by hand: sqlx's macro would bring its whole macro crate into the build.
fn migrator(steps: Vec<(&'static str, &'static str, &'static str)>) -> Migrator {
    let migration = |(version, name, sql): (&'static str, &'static str, &'static str)| {
        let version = version.parse().unwrap_or(0);
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(steps.into_iter().map(migration).collect())
}

/// In one transaction, so that of two processes that start at once the second finds the tables made.
pub(super) async fn sqlite(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let steps = steps! { "sqlite": "0001" "records", "0002" "signoff", "0003" "triggers", "0004" "retention", "0005" "missing", "0006" "event_of_run", };
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("open metadata store: lock it"))?;
    migrator(steps).run_direct(None, &mut *transaction, false).await.map_err(refused)?;
    transaction.commit().await.map_err(failed("open metadata store: bring its tables up to date"))
}

/// Another lock than that of writers: whoever waits here has looked at nothing yet.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7165916904816009318)";
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'";
const TABLES: &str = "SELECT c.relname::TEXT FROM pg_catalog.pg_class c \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')";

/// In one transaction, like that of SQLite; several daemons may start at once. Tables of an older version are changed only when
/// `allowed`: daemons of that version may be at work on them.
pub(super) async fn postgres(connection: &mut PgConnection, allowed: bool) -> Result<(), StoreError> {
    let steps = steps! { "postgres": "0001" "records", "0003" "triggers", "0004" "retention", "0005" "missing", "0006" "event_of_run", };
    let operation = "open metadata store: look at its tables";
    let mut transaction = connection.begin_with(BEGIN).await.map_err(failed(operation))?;
    sqlx::query(LOCK).execute(&mut *transaction).await.map_err(failed(operation))?;
    let tables: Vec<String> =
        sqlx::query_scalar(TABLES).fetch_all(&mut *transaction).await.map_err(failed(operation))?;
    let applied: Vec<i64> = if tables.iter().any(|table| table == "_sqlx_migrations") {
        let versions = sqlx::query_scalar("SELECT version FROM _sqlx_migrations");
        versions.fetch_all(&mut *transaction).await.map_err(failed(operation))?
    } else {
        Vec::new()
    };
    let mut migrator = migrator(steps);
    let pending = migrator.iter().any(|step| !applied.contains(&step.version));
    let newer = applied.iter().any(|version| !migrator.version_exists(*version));
    if pending && !newer && !allowed && !tables.is_empty() {
        let source = "run `countersign db migrate` when no daemon of that version works on it any more".into();
        return Err(StoreError::Database {
            operation: "open metadata store: its tables are those of an older version of countersign",
            source,
        });
    }
    migrator.set_locking(false);
    migrator.run_direct(None, &mut *transaction, false).await.map_err(refused)?;
    transaction.commit().await.map_err(failed("open metadata store: bring its tables up to date"))
}

fn refused(error: MigrateError) -> StoreError {
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
}
