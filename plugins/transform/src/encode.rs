//! Writes a plan down as an ONNX graph.

use crate::plan::{Category, Number, Plan};
use countersign_formats::model::TransformIndex;
use countersign_onnx::OnnxError;
use countersign_onnx::graph::{self, FEATURES, GraphBuilder, integer, integer_list, text_list};
use countersign_onnx::proto::DataType;

/// Standardised numbers stay within this distance of zero, so that one outlier can not outweigh everything else.
const CLIP: f64 = 10.0;

/// The bytes of `transform.onnx`.
pub fn graph(plan: &Plan, index: &TransformIndex) -> Result<Vec<u8>, OnnxError> {
    let mut builder = GraphBuilder::new("transform");
    for input in &index.inputs {
        let element = if input.text { DataType::String } else { DataType::Double };
        builder.input(&input.name, element, 1);
    }
    let mut parts: Vec<String> = Vec::new();
    if !plan.numbers.is_empty() {
        parts.push(numbers(&mut builder, &plan.numbers));
    }
    parts.extend(indicators(&mut builder, &plan.numbers));
    for (position, category) in plan.categories.iter().enumerate() {
        parts.push(values(&mut builder, position, category));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    builder.node("Concat", &parts, FEATURES, vec![integer("axis", 1)]);
    builder.output(FEATURES, DataType::Float, index.features.len());
    Ok(graph::encode(&builder.finish(&[("countersign.artifact", "TransformGraph")])?))
}

/// All numbers side by side: (x - mean) / std, zero where missing, clipped. In double, because identifiers and times lose their
/// differences in single precision.
fn numbers(builder: &mut GraphBuilder, numbers: &[Number]) -> String {
    let names: Vec<&str> = numbers.iter().map(|n| n.name.as_str()).collect();
    let means: Vec<f64> = numbers.iter().map(|n| n.mean).collect();
    let deviations: Vec<f64> = numbers.iter().map(|n| n.std).collect();
    builder.doubles("/numbers/mean", &[means.len()], &means);
    builder.doubles("/numbers/std", &[deviations.len()], &deviations);
    builder.doubles("/numbers/zero", &[], &[0.0]);
    builder.doubles("/numbers/lowest", &[], &[-CLIP]);
    builder.doubles("/numbers/highest", &[], &[CLIP]);
    builder.node("Concat", &names, "/numbers/raw", vec![integer("axis", 1)]);
    builder.node("IsNaN", &["/numbers/raw"], "/numbers/missing", Vec::new());
    builder.node("Sub", &["/numbers/raw", "/numbers/mean"], "/numbers/centred", Vec::new());
    builder.node("Div", &["/numbers/centred", "/numbers/std"], "/numbers/scaled", Vec::new());
    builder.node("Where", &["/numbers/missing", "/numbers/zero", "/numbers/scaled"], "/numbers/filled", Vec::new());
    builder.node("Clip", &["/numbers/filled", "/numbers/lowest", "/numbers/highest"], "/numbers/clipped", Vec::new());
    to_float(builder, "/numbers/clipped", "/numbers/ready")
}

/// One where a number is missing.
fn indicators(builder: &mut GraphBuilder, numbers: &[Number]) -> Option<String> {
    let names: Vec<&str> = numbers.iter().filter(|n| n.missing).map(|n| n.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    builder.node("Concat", &names, "/indicators/raw", vec![integer("axis", 1)]);
    builder.node("IsNaN", &["/indicators/raw"], "/indicators/missing", Vec::new());
    Some(to_float(builder, "/indicators/missing", "/indicators/ready"))
}

/// One column a value: the value's code, compared with every code. Codes: the vocabulary, then other, then missing.
fn values(builder: &mut GraphBuilder, position: usize, category: &Category) -> String {
    let name = |what: &str| format!("/category {position}/{what}");
    let other = category.values.len() as i64;
    let missing = other + 1;
    let mut keys = category.values.clone();
    keys.push(String::new());
    let mut codes: Vec<i64> = (0..other).collect();
    codes.push(missing);
    let attributes =
        vec![text_list("keys_strings", &keys), integer_list("values_int64s", codes), integer("default_int64", other)];
    builder.node("LabelEncoder", &[&category.name], &name("code"), attributes);
    builder.integers(&name("codes"), &[category.values.len() + 2], &(0..=missing).collect::<Vec<_>>());
    builder.node("Equal", &[&name("code"), &name("codes")], &name("equal"), Vec::new());
    to_float(builder, &name("equal"), &name("ready"))
}

fn to_float(builder: &mut GraphBuilder, from: &str, to: &str) -> String {
    builder.node("Cast", &[from], to, vec![integer("to", DataType::Float as i64)]);
    to.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::model::Label;
    use countersign_onnx::{Program, Value};
    use ndarray::array;
    use std::collections::BTreeMap;

    #[test]
    fn raw_rows_become_the_inputs_worked_out_by_hand() {
        let number = |name: &str, mean, std, missing| Number { name: name.into(), mean, std, missing };
        let plan = Plan {
            numbers: vec![number("fare", 10.0, 4.0, true), number("hour", 12.0, 6.0, false)],
            categories: vec![Category { name: "company".into(), values: vec!["Blue".into(), "Red".into()] }],
            dropped: Vec::new(),
        };
        let label = Label { name: "y".into(), classes: vec!["0".into(), "1".into()] };
        let index = TransformIndex { inputs: plan.inputs(), label, features: plan.features() };
        let program = Program::load(&graph(&plan, &index).unwrap()).unwrap();
        let text = |t: &[&str]| Value::Text(ndarray::Array2::from_shape_fn((4, 1), |(i, _)| t[i].to_owned()));
        let inputs = BTreeMap::from([
            ("fare".to_owned(), Value::Double(array![[12.0], [f64::NAN], [1e9], [f64::NEG_INFINITY]])),
            ("hour".to_owned(), Value::Double(array![[12.0], [18.0], [f64::NAN], [0.0]])),
            ("company".to_owned(), text(&["Red", "", "Green", "Blue"])),
        ]);
        let features = program.run(&inputs).unwrap().remove(FEATURES).unwrap().into_float().unwrap();
        let expected = array![
            [0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            [10.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            [-10.0, -2.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        ];
        assert_eq!(features, expected);
        assert_eq!(
            index.features,
            [
                "fare",
                "hour",
                "fare is missing",
                "company = Blue",
                "company = Red",
                "company = (other)",
                "company = (missing)"
            ]
        );
    }
}
