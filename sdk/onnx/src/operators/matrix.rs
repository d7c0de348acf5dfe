//! Operators of the network. They use the same kernels as training, so what was trained is what runs.

use super::{Operator, attribute, unfit};
use crate::network;
use crate::proto::NodeProto;
use crate::run::Value;
use ndarray::Array2;

struct Gemm;

/// `Gemm` as `x w + b`, without scaling or transposing.
pub(super) fn gemm(node: &NodeProto) -> Result<Box<dyn Operator>, String> {
    let scaled = ["alpha", "beta"].iter().any(|name| attribute(node, name).is_some_and(|a| a.f() != 1.0));
    let transposed = ["transA", "transB"].iter().any(|name| attribute(node, name).is_some_and(|a| a.i() != 0));
    if scaled || transposed {
        Err("we run Gemm without scaling and transposing only".to_owned())
    } else {
        Ok(Box::new(Gemm))
    }
}

impl Operator for Gemm {
    fn name(&self) -> &'static str {
        "Gemm"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(x), Value::Float(w), Value::Float(b)] => {
                let product = multiply(x, w)?;
                let bias = b
                    .broadcast(product.dim())
                    .ok_or_else(|| format!("the bias has the shape {:?}, the product {:?}", b.dim(), product.dim()))?;
                Ok(Value::Float(product + bias))
            }
            _ => Err(unfit(inputs)),
        }
    }
}

fn multiply(x: &Array2<f32>, w: &Array2<f32>) -> Result<Array2<f32>, String> {
    if x.ncols() == w.nrows() {
        Ok(x.dot(w))
    } else {
        Err(format!("shapes {:?} and {:?} do not fit", x.dim(), w.dim()))
    }
}

pub(super) struct MatMul;

impl Operator for MatMul {
    fn name(&self) -> &'static str {
        "MatMul"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(x), Value::Float(w)] => Ok(Value::Float(multiply(x, w)?)),
            _ => Err(unfit(inputs)),
        }
    }
}

pub(super) struct Relu;

impl Operator for Relu {
    fn name(&self) -> &'static str {
        "Relu"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(x)] => Ok(Value::Float(x.mapv(|x| x.max(0.0)))),
            _ => Err(unfit(inputs)),
        }
    }
}

struct Softmax;

/// `Softmax` over the columns of each row.
pub(super) fn softmax(node: &NodeProto) -> Result<Box<dyn Operator>, String> {
    match attribute(node, "axis").map_or(-1, |a| a.i()) {
        1 | -1 => Ok(Box::new(Softmax)),
        axis => Err(format!("we run Softmax over columns only, not over axis {axis}")),
    }
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        "Softmax"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(x)] => Ok(Value::Float(network::softmax(x.view()))),
            _ => Err(unfit(inputs)),
        }
    }
}
