//! Operators that work element by element, with numpy's broadcasting.

use super::{Operator, unfit};
use crate::proto::NodeProto;
use crate::run::Value;
use ndarray::{Array2, Zip};

/// Two operands stretched over each other, combined.
fn combine<A: Clone, B: Clone, C>(a: &Array2<A>, b: &Array2<B>, f: impl Fn(&A, &B) -> C) -> Result<Array2<C>, String> {
    let shape = stretched(a.dim(), b.dim())?;
    match (a.broadcast(shape), b.broadcast(shape)) {
        (Some(a), Some(b)) => Ok(Zip::from(a).and(b).map_collect(f)),
        _ => Err(format!("shapes {:?} and {:?} do not fit", a.dim(), b.dim())),
    }
}

fn stretched(a: (usize, usize), b: (usize, usize)) -> Result<(usize, usize), String> {
    let axis = |a, b| match (a, b) {
        (1, n) | (n, 1) => Ok(n),
        (n, m) if n == m => Ok(n),
        _ => Err(format!("lengths {a} and {b} do not fit")),
    };
    Ok((axis(a.0, b.0)?, axis(a.1, b.1)?))
}

struct Arithmetic {
    name: &'static str,
    float: fn(f32, f32) -> f32,
    double: fn(f64, f64) -> f64,
}

/// `Add`, `Sub`, `Mul`, `Div` of floats and doubles.
pub(super) fn arithmetic(node: &NodeProto) -> Result<Box<dyn Operator>, String> {
    Ok(Box::new(match node.op_type() {
        "Add" => Arithmetic { name: "Add", float: |a, b| a + b, double: |a, b| a + b },
        "Sub" => Arithmetic { name: "Sub", float: |a, b| a - b, double: |a, b| a - b },
        "Mul" => Arithmetic { name: "Mul", float: |a, b| a * b, double: |a, b| a * b },
        "Div" => Arithmetic { name: "Div", float: |a, b| a / b, double: |a, b| a / b },
        other => return Err(format!("{other} is not arithmetic")),
    }))
}

impl Operator for Arithmetic {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(a), Value::Float(b)] => Ok(Value::Float(combine(a, b, |a, b| (self.float)(*a, *b))?)),
            [Value::Double(a), Value::Double(b)] => Ok(Value::Double(combine(a, b, |a, b| (self.double)(*a, *b))?)),
            _ => Err(unfit(inputs)),
        }
    }
}

pub(super) struct Clip;

impl Operator for Clip {
    fn name(&self) -> &'static str {
        "Clip"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(x), Value::Float(low), Value::Float(high)] => {
                let (low, high) = (single(low)?, single(high)?);
                Ok(Value::Float(x.mapv(|x| x.max(low).min(high))))
            }
            [Value::Double(x), Value::Double(low), Value::Double(high)] => {
                let (low, high) = (single(low)?, single(high)?);
                Ok(Value::Double(x.mapv(|x| x.max(low).min(high))))
            }
            _ => Err(unfit(inputs)),
        }
    }
}

fn single<T: Copy>(a: &Array2<T>) -> Result<T, String> {
    match a.as_slice() {
        Some([only]) => Ok(*only),
        _ => Err(format!("a bound has the shape {:?}, not one number", a.dim())),
    }
}

pub(super) struct Equal;

impl Operator for Equal {
    fn name(&self) -> &'static str {
        "Equal"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Int(a), Value::Int(b)] => Ok(Value::Bool(combine(a, b, |a, b| a == b)?)),
            _ => Err(unfit(inputs)),
        }
    }
}

pub(super) struct IsNan;

impl Operator for IsNan {
    fn name(&self) -> &'static str {
        "IsNaN"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Float(x)] => Ok(Value::Bool(x.mapv(f32::is_nan))),
            [Value::Double(x)] => Ok(Value::Bool(x.mapv(f64::is_nan))),
            _ => Err(unfit(inputs)),
        }
    }
}

pub(super) struct Where;

impl Operator for Where {
    fn name(&self) -> &'static str {
        "Where"
    }

    fn run(&self, inputs: &[&Value]) -> Result<Value, String> {
        match inputs {
            [Value::Bool(c), Value::Float(a), Value::Float(b)] => Ok(Value::Float(choose(c, a, b)?)),
            [Value::Bool(c), Value::Double(a), Value::Double(b)] => Ok(Value::Double(choose(c, a, b)?)),
            _ => Err(unfit(inputs)),
        }
    }
}

fn choose<T: Copy>(condition: &Array2<bool>, yes: &Array2<T>, no: &Array2<T>) -> Result<Array2<T>, String> {
    let yes = combine(condition, yes, |c, y| c.then_some(*y))?;
    combine(&yes, no, |y, n| y.unwrap_or(*n))
}
