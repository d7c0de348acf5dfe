//! Into an empty database: all of it in one transaction, which is committed only when the database answers with the file's digests.

use super::export::rows;
use super::tables::TABLES;
use super::{Adder, Cell, FORMAT, Foot, Head, Kind, STRIDE, Sums, Table, TableSum, TransferError, VERSION, line};
use crate::sql::SqlStore;
use crate::sql::statement::{Sql, Value};
use crate::sql::write::Touch;
use countersign_ports::failpoint::Point;
use std::io::BufRead;

impl SqlStore {
    /// Reads a file that [`SqlStore::export`] wrote, from a database of either kind. `progress` hears a table's name and how many of its
    /// rows were read.
    ///
    /// # Errors
    /// When this database is not empty, the file is not whole, or what was written does not read back as it was; nothing is left then.
    pub async fn import(
        &self,
        file: &mut (dyn BufRead + Send),
        progress: &mut (dyn FnMut(&'static str, u64) + Send),
    ) -> Result<Sums, TransferError> {
        // Nobody else writes meanwhile.
        let mut writer = self.writer().await?;
        let mut write = writer.toucher.begin(Point::Import).await?;
        for table in TABLES.iter() {
            if write.one("look for rows", Sql::new(table.is_empty.as_str())).await?.is_some() {
                return Err(TransferError::NotEmpty { table: table.name });
            }
        }
        let expected = read(file, &mut write, progress).await?;
        for table in TABLES.iter() {
            let mut adder = Adder::default();
            rows(&mut write.connection(), table, &mut |line| {
                adder.add(line);
                Ok(())
            })
            .await?;
            same(table.name, expected.get(table.name), Some(&adder.sum()))?;
        }
        write.commit().await?;
        Ok(expected)
    }
}

/// Inserts every row, and answers what the file says of its tables once that is true of what was read.
async fn read(
    file: &mut (dyn BufRead + Send),
    write: &mut Touch<'_>,
    progress: &mut (dyn FnMut(&'static str, u64) + Send),
) -> Result<Sums, TransferError> {
    let mut lines = (1_u64..).zip(file.lines());
    let mut next = || match lines.next() {
        Some((number, Ok(text))) => Ok(Some((number, text))),
        Some((_, Err(source))) => Err(TransferError::File { operation: "read", source }),
        None => Ok(None),
    };
    let (_, first) = next()?.ok_or_else(|| wrong(1, "the file is empty"))?;
    let head: Head = serde_json::from_str(&first).map_err(|error| wrong(1, error))?;
    if head.format != FORMAT {
        return Err(wrong(1, format!("it is a `{}`, not a `{FORMAT}`", head.format)));
    }
    if head.version != VERSION {
        let problem = format!("version {}: this program reads {VERSION}; export with the same version", head.version);
        return Err(wrong(1, problem));
    }
    let mut found = Sums::new();
    let mut at = 0;
    let mut adder = Adder::default();
    while let Some((number, text)) = next()? {
        if text.starts_with('{') {
            let foot: Foot = serde_json::from_str(&text).map_err(|error| wrong(number, error))?;
            close(&mut found, &mut at, &mut adder, TABLES.len());
            for table in TABLES.iter() {
                same(table.name, foot.tables.get(table.name), found.get(table.name))?;
            }
            return Ok(foot.tables);
        }
        let (name, row): (String, Vec<Cell>) = serde_json::from_str(&text).map_err(|error| wrong(number, error))?;
        let place = TABLES.iter().position(|table| table.name == name);
        let place = place.ok_or_else(|| wrong(number, format!("there is no table `{name}`")))?;
        if place < at {
            return Err(wrong(number, format!("a row of `{name}` after the last of its table")));
        }
        close(&mut found, &mut at, &mut adder, place);
        let table = &TABLES[place];
        adder.add(&line(table, &row)?);
        let sql = bound(table, &row).map_err(|problem| wrong(number, problem))?;
        write.execute("import a row", sql).await?;
        if adder.rows.is_multiple_of(STRIDE) {
            progress(table.name, adder.rows);
        }
    }
    let last = 1 + found.values().map(|sum| sum.rows).sum::<u64>() + adder.rows;
    Err(wrong(last, "the file ends here, without the line that says what it holds: it was cut off"))
}

/// Ends the sums of the tables before `next`.
fn close(found: &mut Sums, at: &mut usize, adder: &mut Adder, next: usize) {
    while *at < next {
        found.insert(TABLES[*at].name.to_string(), std::mem::take(adder).sum());
        *at += 1;
    }
}

fn bound(table: &'static Table, row: &[Cell]) -> Result<Sql, String> {
    if row.len() != table.columns.len() {
        return Err(format!("`{}` has {} columns, here are {}", table.name, table.columns.len(), row.len()));
    }
    table.columns.iter().zip(row).try_fold(Sql::new(table.insert.as_str()), |sql, ((column, kind), cell)| {
        let value = match (kind, cell) {
            (Kind::Text, Cell::Null) => Value::Text(None),
            (Kind::Text, Cell::String(text)) => Value::Text(Some(text.clone())),
            (Kind::Integer, Cell::Null) => Value::Integer(None),
            (Kind::Integer, Cell::Number(number)) if number.is_i64() => Value::Integer(number.as_i64()),
            (kind, _) => return Err(format!("column `{column}` of `{}` wants {kind:?}", table.name)),
        };
        Ok(sql.bind(value))
    })
}

fn same(table: &str, expected: Option<&TableSum>, found: Option<&TableSum>) -> Result<(), TransferError> {
    if expected == found {
        return Ok(());
    }
    let text = |sum: Option<&TableSum>| sum.map_or_else(|| "nothing about it".to_string(), ToString::to_string);
    Err(TransferError::Differs { table: table.to_string(), expected: text(expected), found: text(found) })
}

fn wrong(line: u64, problem: impl std::fmt::Display) -> TransferError {
    TransferError::Line { line, problem: problem.to_string() }
}
