//! One run as rows with gaps, so that one statement writes a hundred runs like it. What tells runs apart (identifiers, digests, the
//! pipeline, the span) is cut out of every text; documents stay what the store can read.

use crate::database::{Columns, Raw, Value};
use std::collections::BTreeMap;

/// The tables that a run leaves rows in, each with its rows of one run, and whether only an approved run leaves them.
const TABLES: &[(&str, &str, bool)] = &[
    ("events", "run = $1", false),
    ("runs", "id = $1", false),
    ("executions", "run = $1", false),
    ("artifacts", "run = $1", false),
    ("execution_inputs", "execution IN (SELECT id FROM executions WHERE run = $1)", false),
    ("execution_outputs", "run = $1", false),
    ("logs", "execution IN (SELECT id FROM executions WHERE run = $1)", false),
    ("requests", "run = $1", true),
    ("decisions", "request IN (SELECT id FROM requests WHERE run = $1)", true),
    ("pushes", "run = $1", true),
];
/// Digits of a run's number. They stand behind an identifier's first three characters, so that identifiers sort by run.
const DIGITS: usize = 7;
/// Characters of a digest that stand for a run.
const SCATTERED: usize = 8;
/// A minute between runs, in microseconds.
const BETWEEN: i64 = 60_000_000;
/// The audit entries of the first run begin behind what is there already.
const AUDIT_FROM: i64 = 1000;

/// Names in the template, and what stands there in a run.
pub struct Names {
    /// Of the run before, beside the same of this run.
    pub previous: BTreeMap<String, String>,
    /// The pipeline, its version's digest, the span.
    pub pipeline: String,
    /// See there.
    pub version: String,
    /// See there.
    pub span: String,
}

/// What tells a run from others; a row of the table `numbers`.
pub struct Number {
    /// Its number.
    pub number: i64,
    /// The number's digits.
    pub digits: String,
    /// The same number as eight hexadecimal digits without an order.
    pub scattered: String,
}

impl Number {
    /// Of the run with that number.
    pub fn new(number: i64) -> Self {
        #[expect(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "numbers are small and not negative"
        )]
        let mixed = (number as u32).wrapping_mul(0x9E37_79B1);
        Self { number, digits: format!("{number:0DIGITS$}"), scattered: format!("{mixed:08x}") }
    }

    /// An identifier or digest of the template in this run.
    pub fn fill(&self, name: &str) -> String {
        match identifier(name) {
            Some(at) => format!("{}{}{}", &name[..at + 3], self.digits, &name[at + 3 + DIGITS..]),
            None => format!("{}{}", self.scattered, &name[SCATTERED..]),
        }
    }
}

/// Makes the table of numbers.
pub const NUMBERS: &str = "CREATE TEMP TABLE numbers (i BIGINT PRIMARY KEY, digits TEXT, scattered TEXT, before_digits TEXT, \
     before_scattered TEXT, first BIGINT, approved BIGINT, pipeline TEXT, version TEXT, span TEXT)";

/// Statements that write the runs from `$1` up to `$2`, of so many.
pub async fn statements(raw: &mut Raw, run: &str, names: &Names, runs: i64) -> anyhow::Result<Vec<String>> {
    let mut statements = Vec::new();
    let asked = [Value::Text(Some(run.to_string()))];
    for (table, of_run, approved) in TABLES {
        for row in raw.rows(&format!("SELECT * FROM {table} WHERE {of_run}"), &asked).await? {
            statements.push(statement(table, &row, names, runs, *approved, None));
        }
    }
    let entries = raw.rows("SELECT * FROM audit ORDER BY sequence", &[]).await?;
    let mut own: Vec<&Columns> = Vec::new();
    let mut seen = false;
    for entry in &entries {
        // The run is the last thing that was written, and its event the first of it.
        seen = seen || entry.iter().any(|(_, value)| matches!(value, Value::Text(Some(text)) if text.contains(run)));
        own.extend(seen.then_some(entry));
    }
    for (place, entry) in (0_i64..).zip(&own) {
        statements.push(statement("audit", entry, names, runs, false, Some((own.len() as i64, AUDIT_FROM + place))));
    }
    Ok(statements)
}

fn statement(
    table: &str,
    row: &Columns,
    names: &Names,
    runs: i64,
    approved: bool,
    sequence: Option<(i64, i64)>,
) -> String {
    let (mut columns, mut values, mut of_the_run_before) = (Vec::new(), Vec::new(), false);
    for (column, value) in row {
        columns.push(column.as_str());
        values.push(match value {
            Value::Text(None) | Value::Number(None) => "NULL".to_string(),
            Value::Number(Some(number)) => match (column.as_str(), sequence) {
                ("sequence", Some((entries, first))) => format!("n.i * {entries} + {first}"),
                (name, _) if name == "at" || name.ends_with("_at") => format!("{number} - ({runs} - n.i) * {BETWEEN}"),
                _ => number.to_string(),
            },
            Value::Text(Some(text)) => {
                of_the_run_before |= column == "artifact" && names.previous.contains_key(text);
                expression(text, names)
            }
        });
    }
    let mut which = "n.i >= $1 AND n.i < $2".to_string();
    if of_the_run_before {
        which.push_str(" AND n.first = 0");
    }
    if approved {
        which.push_str(" AND n.approved = 1");
    }
    format!("INSERT INTO {table} ({}) SELECT {} FROM numbers n WHERE {which}", columns.join(", "), values.join(", "))
}

/// A text as an expression over `numbers`.
fn expression(text: &str, names: &Names) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word =
            rest.find(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_' || sign == '-')).unwrap_or(rest.len());
        let taken = word.max(first.len_utf8());
        match gaps(&rest[..word], names) {
            Some((before, gap, after)) => {
                plain.push_str(&before);
                pieces.push(quoted(&plain));
                pieces.push(format!("n.{gap}"));
                plain = after;
            }
            None => plain.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    pieces.push(quoted(&plain));
    pieces.join(" || ")
}

/// What stands before a word's gap, the column that fills it, and what stands behind it. Constant words have none.
fn gaps(word: &str, names: &Names) -> Option<(String, &'static str, String)> {
    let whole = |gap| Some((String::new(), gap, String::new()));
    if word == names.pipeline {
        return whole("pipeline");
    }
    if word == names.version {
        return whole("version");
    }
    if word == names.span {
        return whole("span");
    }
    let before = names.previous.get(word);
    let name = before.map_or(word, String::as_str);
    if let Some(at) = identifier(name) {
        let gap = if before.is_some() { "before_digits" } else { "digits" };
        return Some((name[..at + 3].to_string(), gap, name[at + 3 + DIGITS..].to_string()));
    }
    if name.len() == 64 && name.bytes().all(|sign| sign.is_ascii_hexdigit()) {
        let gap = if before.is_some() { "before_scattered" } else { "scattered" };
        return Some((String::new(), gap, name[SCATTERED..].to_string()));
    }
    None
}

/// Where the ULID of an identifier begins.
fn identifier(word: &str) -> Option<usize> {
    let at = word.find('_')? + 1;
    let ulid = word.get(at..)?;
    let fits = ulid.len() == 26 && ulid.bytes().all(|sign| sign.is_ascii_digit() || sign.is_ascii_uppercase());
    fits.then_some(at)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{Names, Number, expression};
    use std::collections::BTreeMap;

    #[test]
    fn a_text_becomes_an_expression_with_gaps() {
        let id = "run_01KAAAAAAABBBBBBBBBBBBBBBB";
        let before = ("art_01KAAAAAAACCCCCCCCCCCCCCCC", "art_01KAAAAAAADDDDDDDDDDDDDDDD");
        let names = Names {
            previous: BTreeMap::from([(before.0.to_string(), before.1.to_string())]),
            pipeline: "taxi-tips".to_string(),
            version: "v".to_string(),
            span: "day".to_string(),
        };
        let text = format!(r#"{{"in":"{}","of":"{id}","é's":"taxi-tips"}}"#, before.0);
        assert_eq!(
            expression(&text, &names),
            "'{\"in\":\"art_01K' || n.before_digits || 'DDDDDDDDDDDDDDDD\",\"of\":\"run_01K' || n.digits || \
             'BBBBBBBBBBBBBBBB\",\"é''s\":\"' || n.pipeline || '\"}'"
        );
        assert_eq!(Number::new(42).fill(id), "run_01K0000042BBBBBBBBBBBBBBBB");
        assert_eq!(Number::new(1).fill(&"f".repeat(64)), format!("9e3779b1{}", "f".repeat(56)));
    }
}
