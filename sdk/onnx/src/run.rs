//! The interpreter: a decoded graph whose operators are prepared once and run batch by batch.

use crate::error::OnnxError;
use crate::graph;
use crate::operators::{self, Operator};
use crate::proto::{DataType, GraphProto, TensorProto};
use ndarray::Array2;
use std::collections::{BTreeMap, BTreeSet};

/// An array of shape `[N, k]`. Constants of fewer dimensions are rows: `[k]` is `[1, k]`, a scalar is `[1, 1]`, which broadcasts alike.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `tensor(float)`.
    Float(Array2<f32>),
    /// `tensor(double)`.
    Double(Array2<f64>),
    /// `tensor(int64)`.
    Int(Array2<i64>),
    /// `tensor(string)`.
    Text(Array2<String>),
    /// `tensor(bool)`.
    Bool(Array2<bool>),
}

impl Value {
    /// Its shape.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Float(a) => a.dim(),
            Self::Double(a) => a.dim(),
            Self::Int(a) => a.dim(),
            Self::Text(a) => a.dim(),
            Self::Bool(a) => a.dim(),
        }
    }

    /// ONNX's name of its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Float(_) => "tensor(float)",
            Self::Double(_) => "tensor(double)",
            Self::Int(_) => "tensor(int64)",
            Self::Text(_) => "tensor(string)",
            Self::Bool(_) => "tensor(bool)",
        }
    }

    /// The floats in it.
    pub fn into_float(self) -> Result<Array2<f32>, OnnxError> {
        match self {
            Self::Float(a) => Ok(a),
            other => Err(OnnxError::Unsupported(format!("a value is {}, not tensor(float)", other.type_name()))),
        }
    }
}

/// A graph ready to run.
pub struct Program {
    inputs: Vec<String>,
    outputs: Vec<String>,
    constants: BTreeMap<String, Value>,
    steps: Vec<Step>,
}

struct Step {
    inputs: Vec<String>,
    output: String,
    operator: Box<dyn Operator>,
}

impl Program {
    /// Reads a model file; an operator that is not in our subset is an error here, not at the first batch.
    pub fn load(bytes: &[u8]) -> Result<Self, OnnxError> {
        let model = graph::decode(bytes)?;
        Self::new(&model.graph.ok_or_else(|| OnnxError::Unsupported("the model holds no graph".into()))?)
    }

    /// Prepares a graph.
    pub fn new(graph: &GraphProto) -> Result<Self, OnnxError> {
        let constants = graph
            .initializer
            .iter()
            .map(|tensor| Ok((tensor.name().to_owned(), constant(tensor)?)))
            .collect::<Result<BTreeMap<_, _>, OnnxError>>()?;
        let step = |node: &crate::proto::NodeProto| {
            let [output] = node.output.as_slice() else {
                return Err(OnnxError::Unsupported(format!("node `{}` has not exactly one output", node.name())));
            };
            let operator = operators::prepare(node)?;
            Ok(Step { inputs: node.input.clone(), output: output.clone(), operator })
        };
        Ok(Self {
            inputs: graph.input.iter().map(|i| i.name().to_owned()).filter(|n| !constants.contains_key(n)).collect(),
            outputs: graph.output.iter().map(|o| o.name().to_owned()).collect(),
            steps: graph.node.iter().map(step).collect::<Result<_, _>>()?,
            constants,
        })
    }

    /// Names of the inputs, in the graph's order.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Names of the outputs, in the graph's order.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// A constant of the graph.
    pub fn initializer(&self, name: &str) -> Option<&Value> {
        self.constants.get(name)
    }

    /// All outputs of one batch.
    pub fn run(&self, inputs: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, OnnxError> {
        let wanted: Vec<&str> = self.outputs.iter().map(String::as_str).collect();
        self.run_for(inputs, &wanted)
    }

    /// Named values of one batch, inner ones (`features` of a model) included. Runs only the nodes that they need.
    pub fn run_for(
        &self,
        inputs: &BTreeMap<String, Value>,
        wanted: &[&str],
    ) -> Result<BTreeMap<String, Value>, OnnxError> {
        let mut needed: BTreeSet<&str> = wanted.iter().copied().collect();
        let mut steps: Vec<&Step> = Vec::new();
        for step in self.steps.iter().rev() {
            if needed.contains(step.output.as_str()) {
                needed.extend(step.inputs.iter().map(String::as_str));
                steps.push(step);
            }
        }
        let mut made: BTreeMap<&str, Value> = BTreeMap::new();
        for step in steps.into_iter().rev() {
            let arguments =
                step.inputs.iter().map(|name| self.lookup(name, inputs, &made)).collect::<Result<Vec<_>, _>>()?;
            let value = step.operator.run(&arguments).map_err(|reason| OnnxError::Node {
                node: format!("`{}` ({})", step.output, step.operator.name()),
                reason,
            })?;
            made.insert(&step.output, value);
        }
        let take = |name: &&str| {
            let value = match made.remove(*name) {
                Some(value) => value,
                None => self.lookup(name, inputs, &made)?.clone(),
            };
            Ok(((*name).to_owned(), value))
        };
        wanted.iter().map(take).collect()
    }

    fn lookup<'a>(
        &'a self,
        name: &str,
        inputs: &'a BTreeMap<String, Value>,
        made: &'a BTreeMap<&str, Value>,
    ) -> Result<&'a Value, OnnxError> {
        made.get(name)
            .or_else(|| self.constants.get(name))
            .or_else(|| inputs.get(name))
            .ok_or_else(|| OnnxError::MissingValue(name.to_owned()))
    }
}

fn constant(tensor: &TensorProto) -> Result<Value, OnnxError> {
    let bad = |what: String| OnnxError::Unsupported(format!("constant `{}` {what}", tensor.name()));
    let dims = tensor.dims.iter().map(|d| usize::try_from(*d)).collect::<Result<Vec<_>, _>>();
    let shape = match dims.as_deref() {
        Ok([]) => (1, 1),
        Ok([k]) => (1, *k),
        Ok([n, k]) => (*n, *k),
        _ => return Err(bad(format!("has the shape {:?}; we run at most two dimensions", tensor.dims))),
    };
    let raw = tensor.raw_data.as_deref();
    let kind = tensor.data_type();
    let wrong = |_| bad(format!("holds another number of elements than its shape {:?} says", tensor.dims));
    Ok(match kind {
        DataType::Float => Value::Float(
            Array2::from_shape_vec(shape, elements(raw, &tensor.float_data, f32::from_le_bytes)).map_err(wrong)?,
        ),
        DataType::Double => Value::Double(
            Array2::from_shape_vec(shape, elements(raw, &tensor.double_data, f64::from_le_bytes)).map_err(wrong)?,
        ),
        DataType::Int64 => Value::Int(
            Array2::from_shape_vec(shape, elements(raw, &tensor.int64_data, i64::from_le_bytes)).map_err(wrong)?,
        ),
        DataType::String | DataType::Bool | DataType::Undefined => {
            return Err(bad(format!("has the type {}, which we do not run", kind.name())));
        }
    })
}

fn elements<T: Copy, const B: usize>(raw: Option<&[u8]>, typed: &[T], decode: fn([u8; B]) -> T) -> Vec<T> {
    match raw {
        Some(bytes) => bytes.as_chunks::<B>().0.iter().map(|chunk| decode(*chunk)).collect(),
        None => typed.to_vec(),
    }
}

#[cfg(test)]
mod tests;
