//! Operators that change type or arrangement: `Cast`, `Concat`, `Identity`, `LabelEncoder`.

use super::{Operator, attribute, unfit};
use crate::proto::{DataType, NodeProto};
use crate::run::Value;
use ndarray::{Array2, ArrayView2, Axis};
use std::collections::HashMap;

struct Cast {
    to: DataType,
}

/// `Cast` between numbers, and from truth values.
pub(super) fn cast(node: &NodeProto) -> Result<Box<dyn Operator>, String> {
    let to = attribute(node, "to").map_or(0, |a| a.i());
    match i32::try_from(to).map(DataType::try_from) {
        Ok(Ok(to @ (DataType::Float | DataType::Double))) => Ok(Box::new(Cast { to })),
        _ => Err(format!("we cast to float and double only, not to type {to}")),
    }
}

impl Operator for Cast {
    fn name(&self) -> &'static str {
        "Cast"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        let [input] = inputs else { return Err(unfit(inputs)) };
        match (self.to, input) {
            (DataType::Float, Value::Float(x)) => Ok(Value::Float(x.clone())),
            (DataType::Float, Value::Double(x)) => Ok(Value::Float(x.mapv(|x| x as f32))),
            (DataType::Float, Value::Int(x)) => Ok(Value::Float(x.mapv(|x| x as f32))),
            (DataType::Float, Value::Bool(x)) => Ok(Value::Float(x.mapv(|x| f32::from(u8::from(x))))),
            (_, Value::Float(x)) => Ok(Value::Double(x.mapv(f64::from))),
            (_, Value::Double(x)) => Ok(Value::Double(x.clone())),
            (_, Value::Int(x)) => Ok(Value::Double(x.mapv(|x| x as f64))),
            (_, Value::Bool(x)) => Ok(Value::Double(x.mapv(|x| f64::from(u8::from(x))))),
            (_, Value::Text(_)) => Err(unfit(inputs)),
        }
    }
}

struct Concat;

/// `Concat` of columns.
pub(super) fn concat(node: &NodeProto) -> Result<Box<dyn Operator>, String> {
    match attribute(node, "axis").map(|a| a.i()) {
        Some(1 | -1) => Ok(Box::new(Concat)),
        axis => Err(format!("we concatenate columns (axis 1) only, not axis {axis:?}")),
    }
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs.first() {
            Some(Value::Float(_)) => Ok(Value::Float(beside(inputs, |v| match v {
                Value::Float(a) => Some(a.view()),
                _ => None,
            })?)),
            Some(Value::Double(_)) => Ok(Value::Double(beside(inputs, |v| match v {
                Value::Double(a) => Some(a.view()),
                _ => None,
            })?)),
            _ => Err(unfit(inputs)),
        }
    }
}

fn beside<T: Clone>(inputs: &[&Value], view: fn(&Value) -> Option<ArrayView2<'_, T>>) -> Result<Array2<T>, String> {
    let views = inputs.iter().map(|v| view(v)).collect::<Option<Vec<_>>>().ok_or_else(|| unfit(inputs))?;
    ndarray::concatenate(Axis(1), &views).map_err(|e| e.to_string())
}

pub(super) struct Identity;

impl Operator for Identity {
    fn name(&self) -> &'static str {
        "Identity"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [value] => Ok((*value).clone()),
            _ => Err(unfit(inputs)),
        }
    }
}

struct LabelEncoder {
    codes: HashMap<String, i64>,
    default: i64,
}

/// `LabelEncoder` from text to integers.
pub(super) fn label_encoder(node: &NodeProto) -> Result<Box<dyn Operator>, String> {
    let keys = attribute(node, "keys_strings").map(|a| a.strings.as_slice()).unwrap_or_default();
    let values = attribute(node, "values_int64s").map(|a| a.ints.as_slice()).unwrap_or_default();
    if keys.is_empty() || keys.len() != values.len() {
        return Err("we encode text as integers only (keys_strings with as many values_int64s)".to_owned());
    }
    let text = |key: &Vec<u8>| String::from_utf8(key.clone()).map_err(|e| format!("a key is not UTF-8: {e}"));
    let codes = keys.iter().zip(values).map(|(k, v)| Ok((text(k)?, *v))).collect::<Result<_, String>>()?;
    Ok(Box::new(LabelEncoder { codes, default: attribute(node, "default_int64").map_or(-1, |a| a.i()) }))
}

impl Operator for LabelEncoder {
    fn name(&self) -> &'static str {
        "LabelEncoder"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Text(x)] => Ok(Value::Int(x.map(|x| self.codes.get(x).copied().unwrap_or(self.default)))),
            _ => Err(unfit(inputs)),
        }
    }
}
