//! Whether the database itself is sound: what it says of its own file and references, and which version its tables have.

use super::SqlStore;
use super::connection::{Row, all, one};
use super::rows::Record;
use super::statement::{PerDatabase, Sql};
use countersign_ports::StoreError;

const VERSION: &str = "SELECT version FROM _sqlx_migrations ORDER BY version DESC LIMIT 1";
/// Postgres checks its references at every write, and its pages have checksums where the server was set up so.
const INTEGRITY: PerDatabase = PerDatabase {
    sqlite: "SELECT integrity_check AS problem FROM pragma_integrity_check",
    postgres: "SELECT 'ok' AS problem",
};
const REFERENCES: PerDatabase = PerDatabase {
    sqlite: "SELECT 'a row of ' || \"table\" || ' refers to none of ' || parent AS problem FROM pragma_foreign_key_check",
    postgres: "SELECT 'constraint ' || conname || ' is not enforced' AS problem FROM pg_constraint WHERE NOT convalidated",
};
/// A state is written twice, as a word for indexes and as a document: both must say the same.
const STATES: PerDatabase = PerDatabase {
    sqlite: "SELECT 'run ' || id || ' is ' || status || ', but its state says otherwise' AS problem FROM runs \
         WHERE status <> COALESCE(json_extract(state, '$.end.end'), json_extract(state, '$.status'))",
    postgres: "SELECT 'run ' || id || ' is ' || status || ', but its state says otherwise' AS problem FROM runs \
         WHERE status <> COALESCE(state::json -> 'end' ->> 'end', state::json ->> 'status')",
};

impl SqlStore {
    /// The version of the tables.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let row = one(&mut self.reader().await?.connection(), "read schema version", Sql::new(VERSION)).await?;
        row.map_or(Ok(0), |row| Record::new(&row, "_sqlx_migrations", "version").number("version"))
    }

    /// What is wrong with the database, a sentence each. Reads all of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn integrity_problems(&self) -> Result<Vec<String>, StoreError> {
        let mut lent = self.reader().await?;
        let mut problems = Vec::new();
        for question in [INTEGRITY, REFERENCES, STATES] {
            let rows = all(&mut lent.connection(), "check the database", Sql::new(question)).await?;
            let problem = |row: &Row| Record::new(row, "database", "problem").text("problem");
            problems.extend(rows.iter().map(problem).collect::<Result<Vec<_>, _>>()?);
        }
        problems.retain(|problem| problem != "ok");
        Ok(problems)
    }
}
