//! The rows that the store left, as the transactions that plain SQL writes them in. The audit log says which there were.

use crate::database::{Columns, Place, Raw, Value};
use anyhow::Context as _;
use std::collections::BTreeMap;

/// A statement and its values.
type Statement = (String, Vec<Value>);

/// Statements that are committed together.
pub struct Transaction(Vec<Statement>);

impl Transaction {
    /// Writes it.
    pub async fn write(self, connection: &mut Raw) -> anyhow::Result<()> {
        let begin = match connection {
            Raw::Sqlite(_) => "BEGIN IMMEDIATE",
            Raw::Postgres(_) => "BEGIN",
        };
        connection.execute(begin, &[]).await?;
        for (sql, values) in self.0 {
            connection.execute(&sql, &values).await?;
        }
        connection.execute("COMMIT", &[]).await?;
        Ok(())
    }
}

/// The pipeline of a client.
pub fn pipeline(client: usize) -> String {
    format!("client-{client}")
}

/// Copies what was there before anything was measured.
pub async fn prepare(from: &Place, to: &Place) -> anyhow::Result<()> {
    let (mut from, mut to) = (from.raw().await?, to.raw().await?);
    for table in ["pipeline_versions", "pipelines"] {
        for row in from.rows(&format!("SELECT * FROM {table}"), &[]).await? {
            let (sql, values) = insert(table, &row);
            to.execute(&sql, &values).await?;
        }
    }
    Ok(())
}

/// The transactions of each client, in their order.
pub async fn read(place: &Place, clients: usize) -> anyhow::Result<Vec<Vec<Transaction>>> {
    let record = Record::read(&mut place.raw().await?).await?;
    let mut lists: Vec<Vec<Transaction>> = (0..clients).map(|_| Vec::new()).collect();
    for entry in &record.audit {
        if text(entry, "action") == "pipeline.registered" {
            continue;
        }
        let (pipeline, mut statements) = record.statements(text(entry, "action"), text(entry, "subject"))?;
        statements.push(insert("audit", entry));
        let client = (0..clients).find(|client| self::pipeline(*client) == pipeline).context("a client's pipeline")?;
        lists[client].push(Transaction(statements));
    }
    Ok(lists)
}

/// Rows by what they are asked for.
struct Record {
    audit: Vec<Columns>,
    events: BTreeMap<String, Columns>,
    runs: BTreeMap<String, Columns>,
    executions: BTreeMap<String, Columns>,
    artifacts: BTreeMap<String, Columns>,
    inputs: Vec<Columns>,
    outputs: Vec<Columns>,
}

impl Record {
    async fn read(raw: &mut Raw) -> anyhow::Result<Self> {
        Ok(Self {
            audit: raw.rows("SELECT * FROM audit ORDER BY sequence", &[]).await?,
            events: by_id(raw, "events").await?,
            runs: by_id(raw, "runs").await?,
            executions: by_id(raw, "executions").await?,
            artifacts: by_id(raw, "artifacts").await?,
            inputs: raw.rows("SELECT * FROM execution_inputs", &[]).await?,
            outputs: raw.rows("SELECT * FROM execution_outputs", &[]).await?,
        })
    }

    /// Whose it is, and the statements of the transaction with that entry.
    fn statements(&self, action: &str, subject: &str) -> anyhow::Result<(&str, Vec<Statement>)> {
        let found = |rows: &'_ BTreeMap<String, Columns>| rows.get(subject).cloned().context(subject.to_string());
        let owner = [&self.events, &self.runs, &self.executions, &self.artifacts]
            .into_iter()
            .find_map(|rows| rows.get(subject));
        let pipeline = text(owner.context("a pipeline")?, "pipeline");
        let of = |rows: &[Columns]| -> Vec<Columns> {
            rows.iter().filter(|row| text(row, "execution") == subject).cloned().collect()
        };
        let mut statements = Vec::new();
        match action {
            "event.accepted" => {
                let event = found(&self.events)?;
                statements.push(insert("events", &event));
                statements.push(insert("runs", self.runs.get(text(&event, "run")).context("its run")?));
            }
            "run.claimed" => {
                let sql = "UPDATE runs SET status = 'running', state = $2, owner = $3, epoch = 1, lease_until = $4 WHERE id = $1";
                let state = r#"{"status":"running"}"#;
                statements.push((
                    sql.to_string(),
                    vec![words(subject), words(state), words(subject), Value::Number(Some(1))],
                ));
                let turn = "UPDATE pipelines SET claimed_at = $2 WHERE name = $1";
                statements.push((turn.to_string(), vec![words(pipeline), Value::Number(Some(1))]));
            }
            "delivery.recorded" => statements.push(insert("artifacts", &found(&self.artifacts)?)),
            "execution.begun" => {
                statements.push(insert("executions", &found(&self.executions)?));
                statements.extend(of(&self.inputs).iter().map(|row| insert("execution_inputs", row)));
            }
            "execution.published" => {
                let execution = found(&self.executions)?;
                statements.push(update("executions", &execution, &["status", "verdict", "state", "ended_at"])?);
                for output in of(&self.outputs) {
                    statements.push(insert("artifacts", &self.artifacts[text(&output, "artifact")]));
                    statements.push(insert("execution_outputs", &output));
                }
            }
            "run.ended" => {
                let columns = ["status", "state", "ended_at", "queued_at", "owner", "lease_until"];
                statements.push(update("runs", &found(&self.runs)?, &columns)?);
            }
            other => anyhow::bail!("no transaction is known for `{other}`"),
        }
        Ok((pipeline, statements))
    }
}

async fn by_id(raw: &mut Raw, table: &str) -> anyhow::Result<BTreeMap<String, Columns>> {
    let rows = raw.rows(&format!("SELECT * FROM {table}"), &[]).await?;
    Ok(rows.into_iter().map(|row| (text(&row, "id").to_string(), row)).collect())
}

fn words(text: &str) -> Value {
    Value::Text(Some(text.to_string()))
}

/// A column that is text.
fn text<'r>(row: &'r Columns, name: &str) -> &'r str {
    let found = row.iter().find(|(column, _)| column == name);
    match found {
        Some((_, Value::Text(Some(text)))) => text,
        Some((_, Value::Text(None) | Value::Number(_))) | None => "",
    }
}

fn insert(table: &str, row: &Columns) -> Statement {
    let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    let places: Vec<String> = (1..=row.len()).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
    (sql, row.iter().map(|(_, value)| value.clone()).collect())
}

/// Writes these columns of the row again.
fn update(table: &str, row: &Columns, columns: &[&str]) -> anyhow::Result<Statement> {
    let mut values = vec![words(text(row, "id"))];
    let mut sets = Vec::new();
    for column in columns {
        let (_, value) = row.iter().find(|(name, _)| name == column).context("a column")?;
        values.push(value.clone());
        sets.push(format!("{column} = ${}", values.len()));
    }
    Ok((format!("UPDATE {table} SET {} WHERE id = $1", sets.join(", ")), values))
}
