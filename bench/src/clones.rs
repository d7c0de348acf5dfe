//! Many runs that wait for people, each of a pipeline of its own, made from one that really does: every row that it left is written again
//! under other identifiers, with all its evidence and deadlines. Ten thousand runs by the engine would take hours.

use crate::site::Site;
use anyhow::Context as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _};

/// The tables that a run leaves rows in, each with its rows of one run.
const TABLES: &[(&str, &str)] = &[
    ("pipeline_versions", "digest = (SELECT pipeline_digest FROM runs WHERE id = ?1)"),
    ("pipelines", "name = (SELECT pipeline FROM runs WHERE id = ?1)"),
    ("events", "run = ?1"),
    ("runs", "id = ?1"),
    ("executions", "run = ?1"),
    ("artifacts", "run = ?1"),
    ("execution_inputs", "execution IN (SELECT id FROM executions WHERE run = ?1)"),
    ("execution_outputs", "run = ?1"),
    ("logs", "execution IN (SELECT id FROM executions WHERE run = ?1)"),
    ("requests", "run = ?1"),
    ("outbox", "run = ?1"),
];
/// Stands for a clone's number until it has one.
const NUMBER: char = '\u{1}';
/// Digits of a clone's number: they take the place of an identifier's or digest's last characters.
const DIGITS: usize = 4;

/// A row, its texts with a gap for the number.
struct Template {
    insert: String,
    values: Vec<Value>,
}

enum Value {
    Null,
    Number(i64),
    /// An instant that is the earlier by a second, the higher the number.
    Staggered(i64),
    Text(String),
}

/// Writes the clones with these numbers.
pub async fn write(site: &Site<'_>, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let mut database = site.database().await?;
    let templates = templates(&mut database).await?;
    let mut transaction = database.begin().await?;
    for number in numbers {
        let digits = format!("{number:0DIGITS$}");
        for template in &templates {
            let mut insert = sqlx::query(AssertSqlSafe(template.insert.clone()));
            for value in &template.values {
                insert = match value {
                    Value::Null => insert.bind(None::<String>),
                    Value::Number(number) => insert.bind(number),
                    Value::Staggered(at) => insert.bind(at - number as i64 * 1_000_000),
                    Value::Text(text) => insert.bind(text.replace(NUMBER, &digits)),
                };
            }
            insert.execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    database.close().await?;
    Ok(())
}

async fn templates(database: &mut SqliteConnection) -> anyhow::Result<Vec<Template>> {
    let first = "SELECT id, pipeline, pipeline_digest FROM runs WHERE status = 'waiting' ORDER BY id DESC LIMIT 1";
    let (run, pipeline, digest): (String, String, String) =
        sqlx::query_as(first).fetch_optional(&mut *database).await?.context("a run that waits")?;
    let mut rows = Vec::new();
    for (table, of_run) in TABLES {
        let select = format!("SELECT * FROM {table} WHERE {of_run}");
        let found = sqlx::query(AssertSqlSafe(select)).bind(&run).fetch_all(&mut *database).await?;
        rows.extend(found.into_iter().map(|row| (*table, row)));
    }
    let mut names = vec![digest];
    for (_, row) in &rows {
        names.extend(row.try_get::<String, _>("id"));
        names.extend(row.try_get::<String, _>("evidence_digest"));
    }
    rows.iter().map(|(table, row)| template(table, row, &names, &pipeline)).collect()
}

fn template(table: &str, row: &SqliteRow, names: &[String], pipeline: &str) -> anyhow::Result<Template> {
    let mut values = Vec::new();
    for (at, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            values.push(Value::Null);
            continue;
        }
        if raw.type_info().name() == "INTEGER" {
            let number = row.try_get_unchecked(at)?;
            values.push(match column.name() {
                "posted_at" | "next_at" => Value::Staggered(number),
                _ => Value::Number(number),
            });
            continue;
        }
        let mut text: String = row.try_get_unchecked(at)?;
        for name in names {
            if text.contains(name.as_str()) {
                text = text.replace(name.as_str(), &numbered(name));
            }
        }
        text = match column.name() {
            "pipeline" | "name" if text == pipeline => format!("{pipeline}-{NUMBER}"),
            // The files are the same, the models are different ones.
            "model_digest" => numbered(&text),
            "dedupe_key" => format!("{text}-{NUMBER}"),
            _ => text.replace(&format!("\"{pipeline}\""), &format!("\"{pipeline}-{NUMBER}\"")),
        };
        values.push(Value::Text(text));
    }
    let columns: Vec<&str> = row.columns().iter().map(|column| column.name()).collect();
    let places = vec!["?"; columns.len()].join(", ");
    Ok(Template { insert: format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", ")), values })
}

/// A name with a gap in place of its last characters. Digits fit identifiers and digests alike.
fn numbered(name: &str) -> String {
    format!("{}{NUMBER}", &name[..name.len() - DIGITS])
}
