//! The database itself, of either kind, as an auditor would open it. Must not know what is right.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ColumnIndex, Connection, Database, Decode, Row, Type};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use tokio::runtime::Handle;

/// Where a record is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A database that other processes may be writing to.
pub struct Record {
    pub place: Place,
    runtime: Handle,
    link: Mutex<Option<Link>>,
}

impl Record {
    pub fn new(place: Place, runtime: &Handle) -> Self {
        Self { place, runtime: runtime.clone(), link: Mutex::default() }
    }

    /// Every row, each column as text; what is NULL is empty.
    pub fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let mut link = self.link.lock().expect("nobody panicked while asking");
        self.runtime.block_on(async {
            let link = match link.take() {
                Some(open) => link.insert(open),
                None => link.insert(open(&self.place).await),
            };
            let sql = AssertSqlSafe(query.to_string());
            match link {
                Link::Sqlite(link) => sqlx::query(sql).fetch_all(link).await.expect(query).iter().map(texts).collect(),
                Link::Postgres(link) => {
                    sqlx::query(sql).fetch_all(link).await.expect(query).iter().map(texts).collect()
                }
            }
        })
    }

    /// The first column of every row.
    pub fn texts(&self, query: &str) -> Vec<String> {
        self.rows(query).into_iter().map(|mut row| row.swap_remove(0)).collect()
    }

    pub fn number(&self, query: &str) -> i64 {
        self.texts(query)[0].parse().expect(query)
    }

    /// Changes what must not be changed.
    pub fn tamper(&self, statements: &str) {
        self.runtime.block_on(async {
            let sql = AssertSqlSafe(statements.to_string());
            match open(&self.place).await {
                Link::Sqlite(mut link) => sqlx::raw_sql(sql).execute(&mut link).await.map(drop).expect(statements),
                Link::Postgres(mut link) => sqlx::raw_sql(sql).execute(&mut link).await.map(drop).expect(statements),
            }
        });
    }
}

async fn open(place: &Place) -> Link {
    match place {
        Place::Sqlite(path) => {
            let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(20));
            Link::Sqlite(SqliteConnection::connect_with(&options.foreign_keys(false)).await.expect("open the database"))
        }
        Place::Postgres(url) => Link::Postgres(PgConnection::connect(url).await.expect("open the database")),
    }
}

/// Everything that is stored is text, a whole number or nothing.
fn texts<R>(row: &R) -> Vec<String>
where
    R: Row,
    usize: ColumnIndex<R>,
    Option<String>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    R::Database: Database,
{
    let number = |column| row.try_get::<Option<i64>, _>(column).expect("a number").map(|number| number.to_string());
    let text = |column| row.try_get::<Option<String>, _>(column).unwrap_or_else(|_| number(column));
    (0..row.len()).map(|column| text(column).unwrap_or_default()).collect()
}
