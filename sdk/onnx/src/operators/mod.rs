//! The operators of our subset: one kind of calculation a file. An operator is prepared once a node, so that attributes are read
//! and look-up tables built once, and then run once a batch.

mod convert;
mod elementwise;
mod matrix;

use crate::error::OnnxError;
use crate::proto::{AttributeProto, ML_DOMAIN, NodeProto};
use crate::run::Value;

/// A prepared operator. Errors are one reason in words; the interpreter adds which node it was.
pub(crate) trait Operator: Send + Sync {
    /// ONNX's name.
    fn name(&self) -> &'static str;
    /// One output from the inputs.
    fn run(&self, inputs: &[&Value]) -> Result<Value, String>;
}

/// The operator of a node.
pub(crate) fn prepare(node: &NodeProto) -> Result<Box<dyn Operator>, OnnxError> {
    let refuse = |reason: String| OnnxError::Unsupported(format!("node `{}`: {reason}", node.name()));
    let prepared = match (node.domain(), node.op_type()) {
        ("" | "ai.onnx", "Add" | "Sub" | "Mul" | "Div") => elementwise::arithmetic(node),
        ("" | "ai.onnx", "Clip") => Ok(Box::new(elementwise::Clip) as Box<dyn Operator>),
        ("" | "ai.onnx", "Equal") => Ok(Box::new(elementwise::Equal) as _),
        ("" | "ai.onnx", "IsNaN") => Ok(Box::new(elementwise::IsNan) as _),
        ("" | "ai.onnx", "Where") => Ok(Box::new(elementwise::Where) as _),
        ("" | "ai.onnx", "Cast") => convert::cast(node),
        ("" | "ai.onnx", "Concat") => convert::concat(node),
        ("" | "ai.onnx", "Identity") => Ok(Box::new(convert::Identity) as _),
        (ML_DOMAIN, "LabelEncoder") => convert::label_encoder(node),
        ("" | "ai.onnx", "Gemm") => matrix::gemm(node),
        ("" | "ai.onnx", "MatMul") => Ok(Box::new(matrix::MatMul) as _),
        ("" | "ai.onnx", "Relu") => Ok(Box::new(matrix::Relu) as _),
        ("" | "ai.onnx", "Softmax") => matrix::softmax(node),
        (domain, operator) => {
            Err(format!("the operator {}{operator} is not in the subset that we run", prefix(domain)))
        }
    };
    prepared.map_err(refuse)
}

fn prefix(domain: &str) -> String {
    if domain.is_empty() { String::new() } else { format!("{domain}.") }
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|a| a.name() == name)
}

fn types(inputs: &[&Value]) -> String {
    let names: Vec<&str> = inputs.iter().map(|v| v.type_name()).collect();
    if names.is_empty() { "no inputs".to_owned() } else { names.join(", ") }
}

fn unfit(inputs: &[&Value]) -> String {
    format!("can not take {}", types(inputs))
}
