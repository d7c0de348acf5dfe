//! Databases as older versions left them: their own migrations, and rows written in plain SQL.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr};
use std::path::Path;

/// A migration: version, name, statements.
pub type Step = (i64, &'static str, &'static str);

pub const RECORDS: Step = (1, "records", include_str!("../../migrations/sqlite/0001_records.sql"));
pub const SIGNOFF: Step = (2, "signoff", include_str!("../../migrations/sqlite/0002_signoff.sql"));
pub const TRIGGERS: Step = (3, "triggers", include_str!("../../migrations/sqlite/0003_triggers.sql"));
/// Both steps of SQLite in one.
pub const IN_POSTGRES: Step = (1, "records", include_str!("../../migrations/postgres/0001_records.sql"));
pub const TRIGGERS_IN_POSTGRES: Step = (3, "triggers", include_str!("../../migrations/postgres/0003_triggers.sql"));
pub const CAUSE: &str = r#"{"cause":"person"}"#;

pub fn ulid(number: u32) -> String {
    format!("{number:026}")
}

fn migrator(steps: &[Step]) -> Migrator {
    let migration = |(version, name, sql): &Step| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(steps.iter().map(migration).collect())
}

/// `{1}` stands for an identifier, `{d1}` for a digest; the digests are made up.
fn fill(rows: &str) -> String {
    (1..=9).fold(rows.to_string(), |rows, number| {
        rows.replace(&format!("{{{number}}}"), &ulid(number))
            .replace(&format!("{{d{number}}}"), &number.to_string().repeat(64))
    })
}

/// A file with the tables of these steps, and these rows in them.
pub async fn sqlite(path: &Path, steps: &[Step], rows: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    migrator(steps).run(&pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(fill(rows))).execute(&pool).await.unwrap();
    pool.close().await;
}

/// The same in an empty Postgres database.
pub async fn postgres(url: &str, steps: &[Step], rows: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    migrator(steps).run(&pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(fill(rows))).execute(&pool).await.unwrap();
    pool.close().await;
}
