//! The floor: the very rows that the long run left, written again by plain SQL into an empty database of the same schema, with
//! the same pragmas and two commits a step.

use crate::home::Home;
use crate::rusage::{Whose, cpu_ms};
use crate::{REPEATS, STEPS, median};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection};

/// Commits a step: one when it begins, one when it is published.
const COMMITS: usize = 2;

/// Cost a step.
pub struct Raw {
    /// CPU milliseconds.
    pub cpu_ms: f64,
    /// Commits.
    pub commits: f64,
}

/// Measures it.
pub async fn replay(home: &Home) -> anyhow::Result<Raw> {
    let source = home.file("source.db");
    // Only rows of one long run are wanted, so a copy is reduced to what a run of STEPS steps leaves.
    std::fs::copy(home.database(), &source)?;
    let wal = home.database().with_extension("db-wal");
    if wal.exists() {
        std::fs::copy(wal, source.with_extension("db-wal"))?;
    }
    let mut times = Vec::new();
    for repeat in 0..REPEATS {
        times.push(once(home, &source, repeat).await?);
    }
    Ok(Raw { cpu_ms: median(times), commits: COMMITS as f64 })
}

async fn once(home: &Home, source: &std::path::Path, repeat: usize) -> anyhow::Result<f64> {
    let options = SqliteConnectOptions::new()
        .filename(home.file(&format!("raw-{repeat}.db")))
        .create_if_missing(true)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("ATTACH ? AS source").bind(source.display().to_string()).execute(&mut connection).await?;
    let schema = "SELECT type, name, sql FROM source.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'";
    let mut tables = Vec::new();
    for row in connection.fetch_all(schema).await? {
        let sql: String = row.get("sql");
        connection.execute(AssertSqlSafe(sql)).await?;
        if row.get::<String, _>("type") == "table" {
            tables.push(row.get::<String, _>("name"));
        }
    }
    let mut written = Vec::new();
    for table in &tables {
        let count = format!("SELECT count(*) AS rows FROM source.{table}");
        let rows: i64 = connection.fetch_one(AssertSqlSafe(count)).await?.get("rows");
        written.push(rows);
    }
    // Every execution in the copy is a step that was recorded in full.
    let executions = tables.iter().position(|table| table == "executions").map_or(STEPS as i64, |at| written[at]);
    let commits = usize::try_from(executions)? * COMMITS;
    let before = cpu_ms(Whose::Own);
    for commit in 0..commits {
        let slice = |rows: i64, at: usize| rows * at as i64 / commits as i64;
        connection.execute("BEGIN IMMEDIATE").await?;
        for (table, rows) in tables.iter().zip(&written) {
            let (from, to) = (slice(*rows, commit), slice(*rows, commit + 1));
            if to > from {
                let sql =
                    format!("INSERT INTO main.{table} SELECT * FROM source.{table} LIMIT {} OFFSET {from}", to - from);
                connection.execute(AssertSqlSafe(sql)).await?;
            }
        }
        connection.execute("COMMIT").await?;
    }
    Ok((cpu_ms(Whose::Own) - before) / executions as f64)
}
