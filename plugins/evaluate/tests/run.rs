//! The whole component over made-up rows and real ONNX files; only the engine is not the host's.

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use countersign_formats::evaluation::Evaluation;
use countersign_formats::examples::{ColumnType, ExampleColumn, ExamplesIndex, INDEX};
use countersign_formats::model::{Label, MODEL_GRAPH, MODEL_INDEX, ModelIndex, RawInput};
use countersign_onnx::proto::DataType;
use countersign_onnx::{GraphBuilder, Layer, Network, graph};
use countersign_plugin_evaluate::{Parameters, Rows, run};
use countersign_sdk::files::{read_json, write_json};
use countersign_sdk::{Error, Outcome, Severity, Task};
use ndarray::array;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// 1,200 rows: `x` from -1 to 1 (every 40th missing), a company, a float distance, and the label: whether x is above 0, with noise near
/// it; ten labels far from 0 are turned round. The last two rows have no label.
fn examples() -> (RecordBatch, ExamplesIndex) {
    let rows = 1_202usize;
    let noise = |row: usize| ((row * 7_919 + 13) % 1_201) as f64 / 1_201.0 - 0.5;
    let x: Vec<f64> = (0..rows).map(|row| ((row * 389) % 1_000) as f64 / 500.0 - 1.0).collect();
    let turned = |row: usize| row % 120 == 7 && x[row].abs() > 0.6;
    let label = |row: usize| (row < 1_200).then(|| i64::from((x[row] + noise(row) > 0.0) != turned(row)));
    let columns: Vec<(&str, ColumnType, ArrayRef)> = vec![
        ("_line", ColumnType::Int, Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row as i64 + 2)))),
        (
            "x",
            ColumnType::Float,
            Arc::new(Float64Array::from_iter((0..rows).map(|row| (row % 40 != 0).then_some(x[row])))),
        ),
        (
            "company",
            ColumnType::String,
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("c{}", row % 6)))),
        ),
        ("miles", ColumnType::Float, Arc::new(Float64Array::from_iter_values((0..rows).map(|row| (row % 97) as f64)))),
        ("tip", ColumnType::Int, Arc::new(Int64Array::from_iter((0..rows).map(label)))),
    ];
    let column = |(name, column_type, _): &(&str, ColumnType, ArrayRef)| ExampleColumn {
        name: name.to_string(),
        column_type: *column_type,
    };
    let index = ExamplesIndex {
        columns: columns[1..].iter().map(column).collect(),
        rows: [("eval".to_string(), rows as u64)].into(),
        rejected: 0,
    };
    let batch = RecordBatch::try_from_iter(columns.into_iter().map(|(name, _, array)| (name, array))).unwrap();
    (batch, index)
}

/// Transform: `x`, 0 where it is missing, and whether it is. The logit of 1 is `scale` times x.
fn network(scale: f32) -> Network {
    let hidden = Layer { w: array![[1.0, -1.0], [0.0, 0.0]], b: array![0.0, 0.0] };
    let output = Layer { w: array![[0.0, scale], [0.0, -scale]], b: array![0.0, 0.0] };
    Network::new(vec![hidden, output]).unwrap()
}

fn write_model(directory: &Path, input: &str, network: &Network) {
    std::fs::create_dir_all(directory).unwrap();
    let mut builder = GraphBuilder::new("model");
    builder.input(input, DataType::Double, 1);
    builder.doubles("/zero", &[], &[0.0]);
    builder.node("IsNaN", &[input], "/missing", vec![]);
    builder.node("Where", &["/missing", "/zero", input], "/filled", vec![]);
    builder.node("Cast", &["/filled"], "/number", vec![graph::integer("to", 1)]);
    builder.node("Cast", &["/missing"], "/flag", vec![graph::integer("to", 1)]);
    builder.node("Concat", &["/number", "/flag"], graph::FEATURES, vec![graph::integer("axis", 1)]);
    builder.network(network);
    std::fs::write(directory.join(MODEL_GRAPH), graph::encode(&builder.finish(&[]).unwrap())).unwrap();
    let index = ModelIndex {
        inputs: vec![RawInput { name: input.to_string(), text: false }],
        label: Label { name: "tip".to_string(), classes: vec!["0".to_string(), "1".to_string()] },
        features: vec!["x".to_string(), "x is missing".to_string()],
        architecture: "mlp".to_string(),
        hidden: vec![2],
        parameters: network.parameters() as u64,
        trained_on_rows: 1,
        epochs: 1,
        final_loss: 0.0,
        warm_started: None,
    };
    write_json(directory.join(MODEL_INDEX), &index).unwrap();
}

/// A folder of its own for each test, laid out as a run's: `tests/python` can be pointed at `evaluates/`.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-run").join(test);
    let _ = std::fs::remove_dir_all(folder.join("evaluation"));
    std::fs::create_dir_all(folder.join("evaluation/evaluation")).unwrap();
    std::fs::create_dir_all(folder.join("examples")).unwrap();
    folder
}

fn execute(folder: &Path, baseline: bool, parameters: &str) -> Result<(Outcome, Evaluation), Error> {
    let (batch, index) = examples();
    write_json(folder.join("examples").join(INDEX), &index).unwrap();
    let output = folder.join("evaluation/evaluation");
    let mut task = Task::new(1)
        .with_input("examples", [folder.join("examples")])
        .with_input("model", [folder.join("model")])
        .with_output("evaluation", &output);
    if baseline {
        task = task.with_input("baseline", [folder.join("baseline")]);
    }
    let parameters: Parameters = serde_json::from_str(parameters).unwrap();
    let engine = |sql: &str| -> Result<Rows, Error> {
        assert!(sql.contains("\"examples\".\"eval\""), "{sql}");
        let halves = [batch.slice(0, 500), batch.slice(500, batch.num_rows() - 500)];
        Ok(Box::new(halves.into_iter().map(Ok)))
    };
    let outcome = run(&task, &parameters, &engine)?;
    Ok((outcome, read_json(output.join("evaluation.json")).unwrap()))
}

fn kinds(outcome: &Outcome) -> Vec<(&str, Severity)> {
    outcome.findings.iter().map(|finding| (finding.kind.as_str(), finding.severity)).collect()
}

#[test]
fn evaluates() {
    let folder = folder("evaluates");
    write_model(&folder.join("model"), "x", &network(4.0));
    write_model(&folder.join("baseline"), "x", &network(4.0));
    let parameters = r#"{"slices": ["company", "miles", "tip"], "rules": [
        {"metric": "auc", "max_decrease_absolute": 0.001},
        {"metric": "accuracy", "slice": "every slice", "at_least": 0.2}
    ]}"#;
    let (outcome, evaluation) = execute(&folder, true, parameters).unwrap();
    assert_eq!(kinds(&outcome), [("missing label", Severity::Warn)]);
    assert_eq!(outcome.findings[0].rows, [1_202, 1_203]);
    assert!(
        outcome.summary.starts_with("auc 0.") && outcome.summary.ends_with("+0.000) · 1,200 rows"),
        "{}",
        outcome.summary
    );
    assert_eq!((evaluation.overall.examples, evaluation.examples_without_label), (1_200, 2));
    assert!(evaluation.overall.candidate["auc"].unwrap() > 0.8);
    assert_eq!(evaluation.overall.candidate, evaluation.overall.baseline);
    assert_eq!(evaluation.slices.iter().filter(|slice| slice.column.as_deref() == Some("company")).count(), 6);
    assert_eq!(evaluation.slices.iter().filter(|slice| slice.column.as_deref() == Some("miles")).count(), 4);
    assert_eq!(evaluation.slices.last().unwrap().candidate["auc"], None, "one label only: not defined, and last");
    assert!(evaluation.rules.iter().all(|rule| rule.holds == Some(true)), "{:?}", evaluation.rules);
    let predictions = std::fs::read_to_string(folder.join("evaluation/evaluation/predictions.csv")).unwrap();
    assert!(predictions.starts_with("_line,label,p0,p1,b0,b1\n2,"));
    assert_eq!(predictions.lines().count(), 1_201);
}

#[test]
fn a_baseline_that_reads_a_column_that_is_gone_is_left_out_with_a_question() {
    let folder = folder("gone");
    write_model(&folder.join("model"), "x", &network(4.0));
    write_model(&folder.join("baseline"), "fare", &network(4.0));
    let rules = r#"{"rules": [{"metric": "auc", "min_increase_absolute": 0.0}]}"#;
    let (outcome, evaluation) = execute(&folder, true, rules).unwrap();
    assert_eq!(
        kinds(&outcome),
        [("baseline unusable", Severity::Ask), ("missing label", Severity::Warn), ("rule", Severity::Info)]
    );
    assert!(outcome.findings[0].message.contains("`fare`"));
    assert!(!evaluation.has_baseline && evaluation.overall.baseline.is_empty());
    assert_eq!(evaluation.rules[0].holds, None);
}

#[test]
fn a_baseline_that_reads_text_as_a_number_is_left_out_on_the_way() {
    let folder = folder("type");
    write_model(&folder.join("model"), "x", &network(4.0));
    write_model(&folder.join("baseline"), "company", &network(4.0));
    let (outcome, evaluation) = execute(&folder, true, "{}").unwrap();
    assert_eq!(kinds(&outcome)[0], ("baseline unusable", Severity::Ask));
    assert!(evaluation.baseline_unusable.unwrap().contains("company"));
}

#[test]
fn the_first_run_has_nothing_to_compare_with() {
    let folder = folder("first");
    write_model(&folder.join("model"), "x", &network(4.0));
    let (outcome, evaluation) = execute(&folder, false, "{}").unwrap();
    assert_eq!(kinds(&outcome), [("missing label", Severity::Warn), ("rule", Severity::Info)]);
    assert!(outcome.summary.contains("(no live model)"));
    assert_eq!(evaluation.baseline_unusable, None);
}

#[test]
fn a_worse_candidate_is_blocked_and_seen() {
    let folder = folder("worse");
    write_model(&folder.join("model"), "miles", &network(0.01));
    write_model(&folder.join("baseline"), "x", &network(4.0));
    let rules = r#"{"slices": ["company"], "rules": [{"metric": "auc", "max_decrease_percent": 1}]}"#;
    let (outcome, _) = execute(&folder, true, rules).unwrap();
    let kinds = kinds(&outcome);
    assert!(kinds.contains(&("rule", Severity::Block)), "{kinds:?}");
    assert!(kinds.contains(&("regression", Severity::Warn)), "{kinds:?}");
    assert!(kinds.contains(&("slice regression", Severity::Warn)), "{kinds:?}");
}

#[test]
fn what_can_not_be_measured_is_said() {
    let folder = folder("refused");
    write_model(&folder.join("model"), "x", &network(f32::NAN));
    let error = execute(&folder, false, "{}").unwrap_err().to_string();
    assert!(error.contains("probability NaN"), "{error}");
    write_model(&folder.join("model"), "x", &network(1.0));
    let error = execute(&folder, false, r#"{"slices": ["compny"]}"#).unwrap_err().to_string();
    assert!(error.contains("did you mean `company`?"), "{error}");
    let error = execute(&folder, false, r#"{"split": "evl"}"#).unwrap_err().to_string();
    assert!(error.contains("did you mean `eval`?"), "{error}");
}
