//! Either database: the store in it, and plain SQL beside the store.

use anyhow::Context as _;
use countersign_model::time::Timestamp;
use countersign_ports::Clock;
use countersign_postgres::Server;
use countersign_store::{PostgresOptions, SqlStore};
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, PgConnection, Row, SqliteConnection, TypeInfo as _};
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// More statements than are used: each is prepared once.
const STATEMENTS: usize = 1024;

/// The machine's clock.
pub struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(UNIX_EPOCH.elapsed().unwrap_or_default().as_micros()).unwrap_or(i64::MAX))
    }
}

/// Where a store is.
#[derive(Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A URL.
    Postgres(String),
}

impl Place {
    /// A new place on `server`, or without one a file.
    pub fn new(server: Option<&Server>, file: PathBuf) -> Self {
        server.map_or(Self::Sqlite(file), |server| Self::Postgres(server.database()))
    }

    /// Opens the store; it is made when it is not there.
    pub async fn store(&self) -> anyhow::Result<SqlStore> {
        Ok(match self {
            Self::Sqlite(file) => SqlStore::sqlite(file, Arc::new(Wall)).await?,
            Self::Postgres(url) => SqlStore::postgres(url, PostgresOptions::default()).await?,
        })
    }

    /// Opens a connection to the tables, with the settings of the store's own.
    pub async fn raw(&self) -> anyhow::Result<Raw> {
        Ok(match self {
            Self::Sqlite(file) => {
                let options = SqliteConnectOptions::new()
                    .filename(file)
                    .foreign_keys(true)
                    .busy_timeout(Duration::from_secs(60))
                    .statement_cache_capacity(STATEMENTS)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                Raw::Sqlite(SqliteConnection::connect_with(&options).await?)
            }
            Self::Postgres(url) => {
                let options = PgConnectOptions::from_str(url)?.statement_cache_capacity(STATEMENTS);
                Raw::Postgres(PgConnection::connect_with(&options).await?)
            }
        })
    }

    /// How large the database is.
    pub async fn bytes(&self) -> anyhow::Result<u64> {
        let size = match self {
            Self::Sqlite(file) => return Ok(std::fs::metadata(file)?.len()),
            Self::Postgres(_) => "SELECT pg_database_size(current_database())",
        };
        Ok(u64::try_from(self.raw().await?.number(size).await?)?)
    }
}

/// What is stored: text or a number, or nothing.
#[derive(Clone)]
pub enum Value {
    /// Text.
    Text(Option<String>),
    /// A number.
    Number(Option<i64>),
}

/// A row: its columns' names and values.
pub type Columns = Vec<(String, Value)>;

/// A connection for plain SQL.
pub enum Raw {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

macro_rules! bound {
    ($sql:expr, $values:expr, $arguments:ty) => {{
        let query: Query<'static, _, $arguments> = sqlx::query(AssertSqlSafe($sql.to_string()));
        $values.iter().cloned().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }};
}

macro_rules! columns {
    ($row:expr) => {{
        let row = $row;
        let mut columns = Vec::new();
        for (at, column) in row.columns().iter().enumerate() {
            let value = match column.type_info().name() {
                "INTEGER" | "BIGINT" | "INT8" => Value::Number(row.try_get_unchecked(at)?),
                _ => Value::Text(row.try_get_unchecked(at)?),
            };
            columns.push((column.name().to_string(), value));
        }
        columns
    }};
}

impl Raw {
    /// Runs a statement.
    pub async fn execute(&mut self, sql: &str, values: &[Value]) -> anyhow::Result<u64> {
        let done = match self {
            Self::Sqlite(connection) => {
                let query = bound!(sql, values, SqliteArguments);
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Self::Postgres(connection) => {
                let query = bound!(sql, values, PgArguments);
                query.execute(connection).await.map(|done| done.rows_affected())
            }
        };
        done.with_context(|| sql.to_string())
    }

    /// Rows.
    pub async fn rows(&mut self, sql: &str, values: &[Value]) -> anyhow::Result<Vec<Columns>> {
        let mut all = Vec::new();
        match self {
            Self::Sqlite(connection) => {
                for row in bound!(sql, values, SqliteArguments).fetch_all(connection).await? {
                    all.push(columns!(row));
                }
            }
            Self::Postgres(connection) => {
                for row in bound!(sql, values, PgArguments).fetch_all(connection).await? {
                    all.push(columns!(row));
                }
            }
        }
        Ok(all)
    }

    /// The one number that a statement answers.
    pub async fn number(&mut self, sql: &str) -> anyhow::Result<i64> {
        Ok(match self {
            Self::Sqlite(connection) => {
                sqlx::query_scalar(AssertSqlSafe(sql.to_string())).fetch_one(connection).await?
            }
            Self::Postgres(connection) => {
                sqlx::query_scalar(AssertSqlSafe(sql.to_string())).fetch_one(connection).await?
            }
        })
    }
}
