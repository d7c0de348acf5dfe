//! A connection to either database, what it answers, and a transaction on it. Knows no table.

use super::sqlite;
use super::statement::{PerDatabase, Sql, Value};
use countersign_ports::StoreError;
use futures::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Connection as _, PgConnection, Postgres, Sqlite, SqliteConnection};

/// Turns the driver's error into ours.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| StoreError::Database { operation, source: Box::new(error) }
}

/// A connection that was lent; it goes back to where it is from when this is dropped.
pub(super) enum Lent<'s> {
    Sqlite(sqlite::Lent<'s>),
    Postgres(PoolConnection<Postgres>),
    /// Within a transaction that is never committed.
    PostgresSnapshot(sqlx::Transaction<'s, Postgres>),
}

impl Lent<'_> {
    pub(super) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
            Self::PostgresSnapshot(connection) => Connection::Postgres(connection),
        }
    }

    /// Begins a transaction with that statement.
    pub(super) async fn begin(&mut self, statement: PerDatabase) -> Result<Transaction<'_>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(connection) => Transaction::Sqlite(connection.begin_with(statement.sqlite).await?),
            Self::Postgres(connection) => Transaction::Postgres(connection.begin_with(statement.postgres).await?),
            // Within a snapshot everything is of that snapshot already.
            Self::PostgresSnapshot(connection) => Transaction::Postgres(connection.begin().await?),
        })
    }
}

/// A transaction; dropped without [`Transaction::commit`] it never happened.
pub(super) enum Transaction<'c> {
    Sqlite(sqlx::Transaction<'c, Sqlite>),
    Postgres(sqlx::Transaction<'c, Postgres>),
}

impl Transaction<'_> {
    pub(super) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }
}

/// What statements run on.
pub(super) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// A row.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! query {
    ($sql:ident, $database:ident, $arguments:ty) => {{
        let query: Query<'static, _, $arguments> = sqlx::query($sql.text.$database);
        $sql.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Integer(integer) => query.bind(integer),
        })
    }};
}

/// Runs a statement and answers how many rows it touched.
pub(super) async fn execute(
    connection: &mut Connection<'_>,
    operation: &'static str,
    sql: Sql,
) -> Result<u64, StoreError> {
    match connection {
        Connection::Sqlite(connection) => {
            let done = query!(sql, sqlite, SqliteArguments).execute(&mut **connection).await;
            done.map(|done| done.rows_affected())
        }
        Connection::Postgres(connection) => {
            let done = query!(sql, postgres, PgArguments).execute(&mut **connection).await;
            done.map(|done| done.rows_affected())
        }
    }
    .map_err(failed(operation))
}

/// The first row, if there is one.
pub(super) async fn one(
    connection: &mut Connection<'_>,
    operation: &'static str,
    sql: Sql,
) -> Result<Option<Row>, StoreError> {
    match connection {
        Connection::Sqlite(connection) => {
            let row = query!(sql, sqlite, SqliteArguments).fetch_optional(&mut **connection).await;
            row.map(|row| row.map(Row::Sqlite))
        }
        Connection::Postgres(connection) => {
            let row = query!(sql, postgres, PgArguments).fetch_optional(&mut **connection).await;
            row.map(|row| row.map(Row::Postgres))
        }
    }
    .map_err(failed(operation))
}

/// Every row.
pub(super) async fn all(
    connection: &mut Connection<'_>,
    operation: &'static str,
    sql: Sql,
) -> Result<Vec<Row>, StoreError> {
    match connection {
        Connection::Sqlite(connection) => {
            let rows = query!(sql, sqlite, SqliteArguments).fetch_all(&mut **connection).await;
            rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
        }
        Connection::Postgres(connection) => {
            let rows = query!(sql, postgres, PgArguments).fetch_all(&mut **connection).await;
            rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
        }
    }
    .map_err(failed(operation))
}

/// Hears every row as it comes, without holding more than one; stops when `hear` answers `false`.
pub(super) async fn each(
    connection: &mut Connection<'_>,
    operation: &'static str,
    sql: Sql,
    hear: &mut (dyn FnMut(&Row) -> bool + Send),
) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(connection) => {
            let mut rows = query!(sql, sqlite, SqliteArguments).fetch(&mut **connection);
            while let Some(row) = rows.try_next().await.map_err(failed(operation))? {
                if !hear(&Row::Sqlite(row)) {
                    break;
                }
            }
        }
        Connection::Postgres(connection) => {
            let mut rows = query!(sql, postgres, PgArguments).fetch(&mut **connection);
            while let Some(row) = rows.try_next().await.map_err(failed(operation))? {
                if !hear(&Row::Postgres(row)) {
                    break;
                }
            }
        }
    }
    Ok(())
}
