//! `ingest`: a delivered file becomes typed rows in splits. The engine reads, casts, hashes and writes; only counts enter the sandbox.

mod columns;
mod rejects;
mod split;

use countersign_formats::examples::{ExampleColumn, ExamplesIndex, INDEX};
use countersign_sdk::rows::{self, Cell};
use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task};
use countersign_sdk::{figures, files, host, query, sql};
use rejects::Reject;
use split::Share;
use std::collections::BTreeMap;

/// The row's line in the delivery, in every split.
const LINE: &str = "_line";
/// The row's bucket, in the scratch table only.
const BUCKET: &str = "_bucket";
/// Columns in one statement: the engine limits a statement's length and depth.
const AT_ONCE: usize = 100;
const RECORDS: &str = "\"scratch\".\"records\"";

/// What the delivery is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated, with a header.
    #[default]
    Csv,
}

/// What a pipeline can set.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// What the delivery is written in.
    pub format: Format,
    /// Splits and their weights: `{ train = 3, eval = 1 }` puts three quarters of the records into `train`.
    pub split: BTreeMap<String, u32>,
    /// Columns that decide about the split: rows that agree in them stay together. Empty: the whole record.
    pub split_by: Vec<String>,
    /// Largest share of rows that may be unreadable, in percent; above it the delivery is refused.
    pub max_rejected_percent: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            format: Format::Csv,
            split: BTreeMap::from([("train".to_string(), 3), ("eval".to_string(), 1)]),
            split_by: Vec::new(),
            max_rejected_percent: 5.0,
        }
    }
}

struct Ingest;

impl Component for Ingest {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("ingest", env!("CARGO_PKG_VERSION"), "Reads a delivered file into typed rows, split by hash.")
            .input(Port::input("delivery", "Delivery").describe("The file as it arrived."))
            .output(Port::output("examples", "Examples").describe("Parquet, one folder a split."))
            .capability(Capability::Query)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        let Parameters { format: Format::Csv, split, split_by, max_rejected_percent } = parameters;
        let shares = split::shares(&split).map_err(Error::InvalidInput)?;
        let names = delivered_columns()?;
        let key = record_key(&names, &split_by)?;
        let bad = rejected_count()?;
        let rows = materialize(key, shares.iter().map(|share| share.to).max().unwrap_or(1))?;
        rejects::check(bad, rows, max_rejected_percent, &rejected(3)?).map_err(Error::InvalidInput)?;
        if rows == 0 {
            return Err(Error::InvalidInput("the delivery has a header but no rows: deliver a file with rows".into()));
        }
        let columns = infer(&names)?;
        let index = ExamplesIndex { rows: write_splits(&columns, &shares, rows)?, columns, rejected: bad };
        let output = task.output("examples")?;
        std::fs::write(output.join("_rejected.csv"), rejects::csv(&rejected(bad)?))?;
        files::write_json(output.join(INDEX), &index)?;
        host::metric("rows", rows as f64);
        host::metric("rejected", bad as f64);
        Ok(Outcome::new(summary(&index, &shares)))
    }
}

countersign_sdk::export!(Ingest);

fn delivered_columns() -> Result<Vec<String>, Error> {
    let tables = query::tables()?;
    let table = tables.into_iter().find(|table| table.name == "delivery.rows");
    let table = table.ok_or_else(|| Error::InvalidInput("the delivery holds no readable file".to_string()))?;
    let names: Vec<String> = table.columns.into_iter().map(|column| column.name).filter(|name| name != LINE).collect();
    match names.iter().position(|name| name.trim().is_empty() || name == BUCKET) {
        Some(at) => Err(Error::InvalidInput(format!(
            "column {} of the delivery is called `{}`: give it another name in the header",
            at + 1,
            names[at]
        ))),
        None if names.is_empty() => Err(Error::InvalidInput("the delivery has no columns: it needs a header".into())),
        None => Ok(names),
    }
}

fn record_key<'a>(names: &'a [String], split_by: &'a [String]) -> Result<&'a [String], Error> {
    match split_by.iter().find(|column| !names.contains(column)) {
        Some(column) => Err(Error::InvalidInput(format!(
            "`split_by` names `{column}`, which the delivery does not have: it has {}",
            names.join(", ")
        ))),
        None => Ok(if split_by.is_empty() { names } else { split_by }),
    }
}

fn rejected_count() -> Result<u64, Error> {
    let rows = rows::rows("SELECT count(*) AS \"rows\" FROM \"delivery\".\"rejected\"")?;
    Ok(rows.first().and_then(|row| row.first()).map_or(0, Cell::count))
}

fn rejected(limit: u64) -> Result<Vec<Reject>, Error> {
    let from = "SELECT \"line\", \"reason\", \"text\" FROM \"delivery\".\"rejected\"";
    let rows = rows::rows(&format!("{from} ORDER BY \"line\" LIMIT {limit}"))?;
    let text = |cell: &Cell| cell.text().unwrap_or_default().to_string();
    let reject = |row: &Vec<Cell>| Reject { line: row[0].count(), reason: text(&row[1]), text: text(&row[2]) };
    Ok(rows.iter().map(reject).collect())
}

/// The delivery with each row's bucket, so that the file is parsed once.
fn materialize(key: &[String], buckets: u64) -> Result<u64, Error> {
    let bucket = split::bucket(key, buckets);
    let records = format!("SELECT *, {bucket} AS {} FROM \"delivery\".\"rows\"", sql::name(BUCKET));
    Ok(query::materialize("records", &records)?.rows)
}

fn infer(names: &[String]) -> Result<Vec<ExampleColumn>, Error> {
    let mut columns = Vec::new();
    for names in names.chunks(AT_ONCE) {
        let counts = rows::rows(&columns::inference(RECORDS, names))?;
        let counts = counts.first().ok_or_else(|| Error::Bug("type inference answered no row".to_string()))?;
        columns.extend(columns::inferred(names, counts));
    }
    Ok(columns)
}

fn write_splits(columns: &[ExampleColumn], shares: &[Share], rows: u64) -> Result<BTreeMap<String, u64>, Error> {
    let selected: Vec<String> = columns.iter().map(columns::typed).collect();
    let (line, bucket) = (sql::name(LINE), sql::name(BUCKET));
    let mut written = BTreeMap::new();
    for (done, Share { name, from, to }) in shares.iter().enumerate() {
        host::progress(done as u64, shares.len() as u64, "splits", name);
        let select = format!(
            "SELECT {}, {line} FROM {RECORDS} WHERE {bucket} >= {from} AND {bucket} < {to} ORDER BY {line}",
            selected.join(", ")
        );
        let count = query::write(&select, "examples", &format!("{name}/part-0.parquet"))?.rows;
        if count == 0 {
            return Err(Error::InvalidInput(format!(
                "split `{name}` got none of the {} rows: deliver more rows, or give it a larger weight in `split`",
                figures::count(rows)
            )));
        }
        written.insert(name.clone(), count);
    }
    Ok(written)
}

fn summary(index: &ExamplesIndex, shares: &[Share]) -> String {
    let of = |share: &Share| index.rows.get(&share.name).copied().unwrap_or(0);
    let splits: Vec<String> =
        shares.iter().map(|share| format!("{} {}", figures::count(of(share)), share.name)).collect();
    let rows = figures::count(index.rows.values().sum());
    let mut text = format!("{rows} rows · {}", splits.join(", "));
    match index.rejected {
        0 => {}
        1 => text.push_str(" · 1 bad row set aside"),
        bad => text.push_str(&format!(" · {} bad rows set aside", figures::count(bad))),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_the_splits_and_the_bad_rows() {
        let shares = split::shares(&Parameters::default().split).unwrap();
        let rows = BTreeMap::from([("train".to_string(), 11_251), ("eval".to_string(), 3751)]);
        let mut index = ExamplesIndex { columns: Vec::new(), rows, rejected: 0 };
        assert_eq!(summary(&index, &shares), "15,002 rows · 11,251 train, 3,751 eval");
        index.rejected = 3;
        assert_eq!(summary(&index, &shares), "15,002 rows · 11,251 train, 3,751 eval · 3 bad rows set aside");
    }

    #[test]
    fn a_split_by_column_has_to_be_delivered() {
        let names = ["fare".to_string(), "company".to_string()];
        let by = ["taxi".to_string()];
        let error = record_key(&names, &by).unwrap_err().to_string();
        assert!(error.contains("`split_by` names `taxi`") && error.contains("fare, company"), "{error}");
        assert_eq!(record_key(&names, &[]).unwrap(), names);
        assert_eq!(record_key(&names, &names[1..]).unwrap(), &names[1..]);
    }
}
