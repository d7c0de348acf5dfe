//! Small query results as plain values: for counts and short lists, not for data.

use crate::{Error, query};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Text.
    Text(String),
}

impl Cell {
    /// The integer, when it is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A count: 0 unless it is a positive integer.
    pub fn count(&self) -> u64 {
        self.int().and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
    }

    /// The number, when it is one.
    pub fn float(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, when it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }
}

/// Runs one SELECT and keeps all of its rows.
///
/// # Errors
/// What the engine answered, and `Bug` for a column that is neither a number nor text.
pub fn rows(sql: &str) -> Result<Vec<Vec<Cell>>, Error> {
    let mut all = Vec::new();
    for batch in query::query(sql)? {
        all.extend(cells(&batch?)?);
    }
    Ok(all)
}

/// The rows of one batch.
///
/// # Errors
/// `Bug` for a column that is neither a number nor text.
pub fn cells(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, Error> {
    let columns: Vec<&dyn Array> = batch.columns().iter().map(AsRef::as_ref).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| cell(*column, row)).collect()).collect()
}

fn cell(column: &dyn Array, row: usize) -> Result<Cell, Error> {
    if column.is_null(row) {
        return Ok(Cell::Null);
    }
    let text = |value: &str| Cell::Text(value.to_string());
    if let Some(values) = column.as_primitive_opt::<Int64Type>() {
        Ok(Cell::Int(values.value(row)))
    } else if let Some(values) = column.as_primitive_opt::<Float64Type>() {
        Ok(Cell::Float(values.value(row)))
    } else if let Some(values) = column.as_string_opt::<i32>() {
        Ok(text(values.value(row)))
    } else if let Some(values) = column.as_string_view_opt() {
        Ok(text(values.value(row)))
    } else if let Some(values) = column.as_string_opt::<i64>() {
        Ok(text(values.value(row)))
    } else if let Some(values) = column.as_primitive_opt::<UInt64Type>() {
        i64::try_from(values.value(row))
            .map(Cell::Int)
            .map_err(|_| Error::Bug("read query result: integer over 63 bits".into()))
    } else if let Some(values) = column.as_primitive_opt::<Int32Type>() {
        Ok(Cell::Int(values.value(row).into()))
    } else if let Some(values) = column.as_primitive_opt::<Float32Type>() {
        Ok(Cell::Float(values.value(row).into()))
    } else {
        Err(Error::Bug(format!("read query result: {} is neither a number nor text", column.data_type())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, StringViewArray};
    use std::sync::Arc;

    #[test]
    fn numbers_and_texts_of_every_layout_are_read_and_null_is_null() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("a", Arc::new(Int64Array::from(vec![Some(7), None]))),
            ("b", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY]))),
            ("c", Arc::new(StringArray::from(vec!["x", "y"]))),
            ("d", Arc::new(StringViewArray::from(vec![Some("long enough not to be inlined"), None]))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let rows = cells(&batch).unwrap();
        let text = |value: &str| Cell::Text(value.into());
        assert_eq!(rows[0], [Cell::Int(7), Cell::Float(0.5), text("x"), text("long enough not to be inlined")]);
        assert_eq!(rows[1], [Cell::Null, Cell::Float(f64::INFINITY), text("y"), Cell::Null]);
        assert_eq!((rows[0][0].count(), rows[1][0].count()), (7, 0));
    }
}
