//! Out of a database: one consistent look at all of it, row by row.

use super::tables::TABLES;
use super::{Adder, Cell, FORMAT, Foot, Head, Kind, STRIDE, Sums, Table, TransferError, VERSION, line};
use crate::sql::SqlStore;
use crate::sql::connection::{Connection, Row, each, failed};
use crate::sql::statement::{PerDatabase, Sql};
use countersign_ports::StoreError;
use sqlx::Row as _;
use std::io::Write;

/// What happens meanwhile is in the next export, not half in this one.
const SNAPSHOT: PerDatabase =
    PerDatabase { sqlite: "BEGIN", postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };

impl SqlStore {
    /// Writes the whole record to `file`. `progress` hears a table's name and how many of its rows are written.
    ///
    /// # Errors
    /// When the database fails or the file can not be written.
    pub async fn export(
        &self,
        file: &mut (dyn Write + Send),
        progress: &mut (dyn FnMut(&'static str, u64) + Send),
    ) -> Result<Sums, TransferError> {
        let write = |operation| move |source| TransferError::File { operation, source };
        let head = Head { format: FORMAT.to_string(), version: VERSION };
        writeln!(file, "{}", json(&head)?).map_err(write("begin"))?;
        let mut lent = self.reader().await?;
        let mut snapshot = lent.begin(SNAPSHOT).await.map_err(failed("begin an export"))?;
        let mut sums = Sums::new();
        for table in TABLES.iter() {
            let mut adder = Adder::default();
            rows(&mut snapshot.connection(), table, &mut |line| {
                adder.add(line);
                if adder.rows.is_multiple_of(STRIDE) {
                    progress(table.name, adder.rows);
                }
                writeln!(file, "{line}").map_err(write("write"))
            })
            .await?;
            let sum = adder.sum();
            progress(table.name, sum.rows);
            sums.insert(table.name.to_string(), sum);
        }
        writeln!(file, "{}", json(&Foot { tables: sums.clone() })?).map_err(write("end"))?;
        file.flush().map_err(write("end"))?;
        Ok(sums)
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

/// Every row's line, in order.
pub(super) async fn rows(
    connection: &mut Connection<'_>,
    table: &'static Table,
    hear: &mut (dyn FnMut(&str) -> Result<(), TransferError> + Send),
) -> Result<(), TransferError> {
    let mut answer = Ok(());
    each(connection, "export a table", Sql::new(table.select.as_str()), &mut |row| {
        if answer.is_ok() {
            answer = cells(table, row).and_then(|cells| Ok(line(table, &cells)?)).and_then(|line| hear(&line));
        }
        answer.is_ok()
    })
    .await?;
    answer
}

fn cells(table: &Table, row: &Row) -> Result<Vec<Cell>, TransferError> {
    let cell = |(at, (column, kind)): (usize, &(&'static str, Kind))| {
        let cell = match (kind, row) {
            (Kind::Text, Row::Sqlite(row)) => row.try_get::<Option<String>, _>(at).map(Cell::from),
            (Kind::Text, Row::Postgres(row)) => row.try_get::<Option<String>, _>(at).map(Cell::from),
            (Kind::Integer, Row::Sqlite(row)) => row.try_get::<Option<i64>, _>(at).map(Cell::from),
            (Kind::Integer, Row::Postgres(row)) => row.try_get::<Option<i64>, _>(at).map(Cell::from),
        };
        cell.map_err(|error| {
            let source = Box::new(error);
            StoreError::Nonsense { table: table.name, column, row: "a row being exported".to_string(), source }.into()
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}
