use super::*;
use crate::graph::{GraphBuilder, integer, integer_list, text_list};
use crate::network::{Layer, Network};
use ndarray::array;

fn load(builder: GraphBuilder) -> Result<Program, OnnxError> {
    Program::load(&graph::encode(&builder.finish(&[])?))
}

fn values(entries: Vec<(&str, Value)>) -> BTreeMap<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn numbers_are_scaled_and_missing_ones_filled() {
    let mut builder = GraphBuilder::new("g");
    builder.input("fare", DataType::Double, 1);
    builder.doubles("mean", &[1], &[10.0]);
    builder.doubles("zero", &[], &[0.0]);
    builder.doubles("low", &[], &[-2.0]);
    builder.doubles("high", &[], &[2.0]);
    builder.node("IsNaN", &["fare"], "missing", vec![]);
    builder.node("Sub", &["fare", "mean"], "centred", vec![]);
    builder.node("Where", &["missing", "zero", "centred"], "filled", vec![]);
    builder.node("Clip", &["filled", "low", "high"], "clipped", vec![]);
    builder.node("Cast", &["clipped"], "number", vec![integer("to", 1)]);
    builder.node("Cast", &["missing"], "flag", vec![integer("to", 1)]);
    builder.node("Concat", &["number", "flag"], "features", vec![integer("axis", 1)]);
    builder.output("features", DataType::Float, 2);
    let program = load(builder).unwrap();
    assert_eq!(program.inputs(), ["fare"]);
    let fares = values(vec![("fare", Value::Double(array![[11.5], [f64::NAN], [99.0], [-99.0]]))]);
    let out = program.run(&fares).unwrap();
    assert_eq!(out["features"], Value::Float(array![[1.5, 0.0], [0.0, 1.0], [2.0, 0.0], [-2.0, 0.0]]));
}

#[test]
fn text_becomes_one_column_a_value() {
    let mut builder = GraphBuilder::new("g");
    builder.input("company", DataType::String, 1);
    builder.integers("codes", &[3], &[0, 1, 2]);
    let keys = ["Blau", "Grün"].map(str::to_owned);
    builder.node(
        "LabelEncoder",
        &["company"],
        "code",
        vec![text_list("keys_strings", &keys), integer_list("values_int64s", vec![0, 1]), integer("default_int64", 2)],
    );
    builder.node("Equal", &["code", "codes"], "equal", vec![]);
    builder.node("Cast", &["equal"], "features", vec![integer("to", 1)]);
    builder.output("features", DataType::Float, 3);
    let program = load(builder).unwrap();
    let text = array![["Grün".to_owned()], ["other".to_owned()], ["Blau".to_owned()]];
    let out = program.run(&values(vec![("company", Value::Text(text))])).unwrap();
    assert_eq!(out["features"], Value::Float(array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
}

fn perceptron() -> (Network, GraphBuilder) {
    let layers = vec![
        Layer { w: array![[0.5, -1.0, 0.25], [1.5, 0.75, -0.5]], b: array![0.1, 0.2, 0.3] },
        Layer { w: array![[1.0, -0.5], [0.3, 0.8], [-0.7, 0.6]], b: array![0.05, -0.05] },
    ];
    let network = Network::new(layers).unwrap();
    let mut builder = GraphBuilder::new("model");
    builder.input("features", DataType::Float, 2);
    builder.network(&network);
    (network, builder)
}

#[test]
fn the_graph_of_a_network_gives_the_networks_logits_and_its_layers_back() {
    let (network, builder) = perceptron();
    let program = load(builder).unwrap();
    let x = array![[0.3, -1.2], [2.0, 0.7], [0.0, 0.0]];
    let out = program.run(&values(vec![("features", Value::Float(x.clone()))])).unwrap();
    let logits = network.forward(x.view()).logits;
    assert_eq!(out["logits"], Value::Float(logits.clone()));
    assert_eq!(out["probabilities"], Value::Float(crate::network::softmax(logits.view())));
    assert_eq!(Network::from_program(&program).unwrap(), network);
}

#[test]
fn only_what_is_wanted_runs() {
    let mut builder = GraphBuilder::new("g");
    builder.input("a", DataType::Float, 1);
    builder.input("b", DataType::Float, 1);
    builder.node("Relu", &["a"], "positive", vec![]);
    builder.node("Add", &["positive", "b"], "sum", vec![]);
    builder.output("sum", DataType::Float, 1);
    let program = load(builder).unwrap();
    let only_a = values(vec![("a", Value::Float(array![[-1.0], [3.0]]))]);
    assert_eq!(program.run_for(&only_a, &["positive"]).unwrap()["positive"], Value::Float(array![[0.0], [3.0]]));
    assert!(matches!(program.run(&only_a), Err(OnnxError::MissingValue(name)) if name == "b"));
}

#[test]
fn what_is_not_in_the_subset_is_named_when_loading() {
    let mut builder = GraphBuilder::new("g");
    builder.input("a", DataType::Float, 1);
    builder.node("Erf", &["a"], "b", vec![]);
    builder.output("b", DataType::Float, 1);
    let error = load(builder).err().unwrap().to_string();
    assert_eq!(error, "read ONNX model: node `b`: the operator Erf is not in the subset that we run");
    assert!(matches!(Program::load(b"not a model"), Err(OnnxError::Decode { .. })));
}

#[test]
fn values_that_do_not_fit_name_the_node() {
    let mut builder = GraphBuilder::new("g");
    builder.input("a", DataType::Float, 2);
    builder.floats("w", &[3, 1], &[1.0, 2.0, 3.0]);
    builder.node("MatMul", &["a", "w"], "b", vec![]);
    builder.output("b", DataType::Float, 1);
    let program = load(builder).unwrap();
    let error = program.run(&values(vec![("a", Value::Float(array![[1.0, 2.0]]))])).unwrap_err().to_string();
    assert_eq!(error, "run ONNX node `b` (MatMul): shapes (1, 2) and (3, 1) do not fit");
    let error = program.run(&values(vec![("a", Value::Int(array![[1]]))])).unwrap_err().to_string();
    assert_eq!(error, "run ONNX node `b` (MatMul): can not take tensor(int64), tensor(float)");
}

#[test]
fn a_graph_with_two_values_of_one_name_or_a_gap_is_refused() {
    let twice = |name: &str, from: &str| {
        let mut builder = GraphBuilder::new("g");
        builder.input("a", DataType::Float, 1);
        builder.node("Relu", &[from], name, vec![]);
        builder.finish(&[]).unwrap_err().to_string()
    };
    assert_eq!(twice("a", "a"), "build ONNX graph: two values are named `a`");
    assert_eq!(twice("b", "c"), "build ONNX graph: node `b` reads `c`, which nothing before it makes");
}
