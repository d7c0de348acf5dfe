//! The database itself, as an auditor or somebody with the owner's rights would open it.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Handle;

/// A database that another process may be writing to.
pub struct Record {
    path: PathBuf,
    runtime: Handle,
}

impl Record {
    pub fn new(path: &Path, runtime: &Handle) -> Self {
        Self { path: path.to_path_buf(), runtime: runtime.clone() }
    }

    async fn open(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(&self.path).busy_timeout(Duration::from_secs(20));
        SqliteConnection::connect_with(&options).await.expect("open the database")
    }

    /// The first column of every row, as text.
    pub fn texts(&self, query: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut connection = self.open().await;
            let rows = sqlx::query(AssertSqlSafe(query.to_string())).fetch_all(&mut connection).await;
            rows.expect(query).iter().map(|row| row.get(0)).collect()
        })
    }

    pub fn number(&self, query: &str) -> i64 {
        self.runtime.block_on(async {
            let mut connection = self.open().await;
            let row = sqlx::query(AssertSqlSafe(query.to_string())).fetch_one(&mut connection).await;
            row.expect(query).get(0)
        })
    }

    /// Changes what must not be changed.
    pub fn tamper(&self, statements: &str) {
        self.runtime.block_on(async {
            let mut connection = self.open().await;
            let done = sqlx::raw_sql(AssertSqlSafe(statements.to_string())).execute(&mut connection).await;
            done.expect(statements);
        });
    }

    /// Numbers of everything that must not change when nothing was allowed: decisions, requests, runs, audit entries.
    pub fn size(&self) -> [i64; 4] {
        ["decisions", "requests", "runs", "audit"].map(|table| self.number(&format!("SELECT count(*) FROM {table}")))
    }
}
