//! Arrow batches as graph inputs, and labels as class indices.
//!
//! Numbers are fed as double with NaN for missing, text as string with "" for missing. A number that the graph reads as text
//! (a category, a label) is written as Rust prints it: `7`, `7.5`, and `7` for 7.0.

use crate::error::OnnxError;
use crate::run::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use countersign_formats::model::{Label, RawInput};
use ndarray::Array2;
use std::collections::BTreeMap;

/// The column that every split of `Examples` has: the row's line in the delivery.
pub const LINE: &str = "_line";

/// An SQL identifier, quoted.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// SQL that reads, in delivered order, only the given columns (each once) and `_line`.
pub fn select<'a>(columns: impl IntoIterator<Item = &'a str>, input: &str, split: &str) -> String {
    let mut names: Vec<&str> = vec![LINE];
    for column in columns {
        if !names.contains(&column) {
            names.push(column);
        }
    }
    let list: Vec<String> = names.into_iter().map(identifier).collect();
    let (input, split, line) = (identifier(input), identifier(split), identifier(LINE));
    format!("SELECT {} FROM {input}.{split} ORDER BY {line}", list.join(", "))
}

/// The graph's inputs for one batch.
pub fn inputs(batch: &RecordBatch, raw: &[RawInput]) -> Result<BTreeMap<String, Value>, OnnxError> {
    let value = |input: &RawInput| {
        let rows = batch.num_rows();
        let array = column(batch, &input.name)?;
        let wrong_size = |e: ndarray::ShapeError| fault(&input.name, &e.to_string());
        let value = if input.text {
            let texts = texts_of(array, &input.name)?.into_iter().map(Option::unwrap_or_default).collect();
            Value::Text(Array2::from_shape_vec((rows, 1), texts).map_err(wrong_size)?)
        } else {
            Value::Double(Array2::from_shape_vec((rows, 1), numbers_of(array, &input.name)?).map_err(wrong_size)?)
        };
        Ok((input.name.clone(), value))
    };
    raw.iter().map(value).collect()
}

/// Each row's class, in the order of the logits; none where the label is missing or no known class.
pub fn class_indices(batch: &RecordBatch, label: &Label) -> Result<Vec<Option<usize>>, OnnxError> {
    let by_text: BTreeMap<&str, usize> = label.classes.iter().map(String::as_str).zip(0..).collect();
    let class = |text: Option<String>| text.and_then(|t| by_text.get(t.as_str()).copied());
    Ok(texts(batch, &label.name)?.into_iter().map(class).collect())
}

/// A column as text; none where it is missing.
pub fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, OnnxError> {
    texts_of(column(batch, name)?, name)
}

/// A column as doubles; NaN where it is missing.
pub fn numbers(batch: &RecordBatch, name: &str) -> Result<Vec<f64>, OnnxError> {
    numbers_of(column(batch, name)?, name)
}

/// Lines of the delivery that the rows came from.
pub fn lines(batch: &RecordBatch) -> Result<Vec<u64>, OnnxError> {
    Ok(numbers(batch, LINE)?.into_iter().map(|line| line as u64).collect())
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, OnnxError> {
    batch.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| fault(name, "the data does not have it"))
}

fn fault(column: &str, reason: &str) -> OnnxError {
    OnnxError::Column { column: column.to_owned(), reason: reason.to_owned() }
}

/// `$cast` of each value of a primitive array that is not null.
macro_rules! each {
    ($array:expr, $type:ty, $cast:expr) => {
        $array.as_primitive::<$type>().iter().map(|v| v.map($cast)).collect()
    };
}

fn numbers_of(array: &dyn Array, name: &str) -> Result<Vec<f64>, OnnxError> {
    let values: Vec<Option<f64>> = match array.data_type() {
        DataType::Int8 => each!(array, Int8Type, f64::from),
        DataType::Int16 => each!(array, Int16Type, f64::from),
        DataType::Int32 => each!(array, Int32Type, f64::from),
        DataType::Int64 => each!(array, Int64Type, |v| v as f64),
        DataType::UInt8 => each!(array, UInt8Type, f64::from),
        DataType::UInt16 => each!(array, UInt16Type, f64::from),
        DataType::UInt32 => each!(array, UInt32Type, f64::from),
        DataType::UInt64 => each!(array, UInt64Type, |v| v as f64),
        DataType::Float32 => each!(array, Float32Type, f64::from),
        DataType::Float64 => each!(array, Float64Type, |v| v),
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| f64::from(u8::from(v)))).collect(),
        DataType::Null => vec![None; array.len()],
        other => return Err(fault(name, &format!("a number is wanted, not {other}"))),
    };
    Ok(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
}

fn texts_of(array: &dyn Array, name: &str) -> Result<Vec<Option<String>>, OnnxError> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(|v| v.map(str::to_owned)).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(|v| v.map(str::to_owned)).collect(),
        DataType::Int8 => each!(array, Int8Type, |v| v.to_string()),
        DataType::Int16 => each!(array, Int16Type, |v| v.to_string()),
        DataType::Int32 => each!(array, Int32Type, |v| v.to_string()),
        DataType::Int64 => each!(array, Int64Type, |v| v.to_string()),
        DataType::UInt8 => each!(array, UInt8Type, |v| v.to_string()),
        DataType::UInt16 => each!(array, UInt16Type, |v| v.to_string()),
        DataType::UInt32 => each!(array, UInt32Type, |v| v.to_string()),
        DataType::UInt64 => each!(array, UInt64Type, |v| v.to_string()),
        DataType::Float32 => each!(array, Float32Type, |v| v.to_string()),
        DataType::Float64 => each!(array, Float64Type, |v| v.to_string()),
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| v.to_string())).collect(),
        DataType::Null => vec![None; array.len()],
        other => return Err(fault(name, &format!("text or a number is wanted, not {other}"))),
    })
}

#[cfg(test)]
mod tests;
