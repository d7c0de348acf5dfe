//! Reads and checks a file's header line.

use super::fields::split;
use super::frames::{Frames, Shape};
use countersign_ports::query_engine::QueryError;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

const MAX_COLUMNS: usize = 10_000;
/// Names the record's line in every table made from CSV.
pub(crate) const LINE_COLUMN: &str = "_line";

/// A checked header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Unique names, none empty.
    pub(crate) columns: Vec<String>,
}

/// Reads the header of `path`; `file` names it in errors.
pub(crate) fn read_header(path: &Path, file: &str) -> Result<Header, QueryError> {
    let reading = |source: std::io::Error| QueryError::Engine { operation: "read CSV header", source: source.into() };
    let mut frames = Frames::new(File::open(path).map_err(reading)?).map_err(reading)?;
    let Some(frame) = frames.next().map_err(reading)? else {
        return Err(QueryError::Invalid(format!("{file}: no header line: the file is empty")));
    };
    let line = frame.line;
    let invalid = |problem: String| QueryError::Invalid(format!("{file}, line {line}: {problem}"));
    if frame.bytes.starts_with(b"\xFF\xFE") || frame.bytes.starts_with(b"\xFE\xFF") {
        return Err(invalid("the file is UTF-16: save it as UTF-8".to_owned()));
    }
    let fields = match frame.shape {
        Shape::Whole { fields } => fields,
        Shape::OpenQuote => return Err(invalid("a quote in the header is left open".to_owned())),
        Shape::TextAfterQuote => return Err(invalid("the header has text after a closing quote".to_owned())),
        Shape::TooLong => return Err(invalid("the header line is longer than 16 MiB".to_owned())),
    };
    if fields > MAX_COLUMNS {
        return Err(invalid(format!("the header has {fields} columns, and the most is {MAX_COLUMNS}")));
    }
    if frame.bytes.contains(&0) {
        return Err(invalid("the header has a NUL byte: is this a CSV file?".to_owned()));
    }
    let text = std::str::from_utf8(frame.bytes)
        .map_err(|error| invalid(format!("the header is no UTF-8 (at byte {})", error.valid_up_to() + 1)))?;
    let columns = split(text, fields).into_iter().map(String::from).collect::<Vec<_>>();
    check(&columns).map_err(|problem| invalid(format!("{problem}{}", delimiter_hint(&columns))))?;
    Ok(Header { columns })
}

fn check(columns: &[String]) -> Result<(), String> {
    let mut seen = HashMap::new();
    for (index, name) in columns.iter().enumerate() {
        let column = index + 1;
        if name.trim().is_empty() {
            return Err(format!("column {column} has no name"));
        }
        if name == LINE_COLUMN {
            return Err(format!(
                "column {column} is named `{LINE_COLUMN}`, which stands for the line number: rename it"
            ));
        }
        if let Some(first) = seen.insert(name, column) {
            return Err(format!("columns {first} and {column} are both named `{name}`"));
        }
    }
    if columns.len() == 1 && !delimiter_hint(columns).is_empty() {
        return Err("the header has one column".to_owned());
    }
    Ok(())
}

/// Only commas separate fields; another separator is pointed out, never guessed.
fn delimiter_hint(columns: &[String]) -> &'static str {
    match columns {
        [only] if only.contains(';') => ": fields seem to be separated by `;`; write them separated by commas",
        [only] if only.contains('\t') => ": fields seem to be separated by tabs; write them separated by commas",
        _ => "",
    }
}
