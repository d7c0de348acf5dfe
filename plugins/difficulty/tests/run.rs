//! The whole component over made-up rows, a real ONNX file and real checkpoints; only the engine is not the host's.

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use countersign_formats::difficulty::{Difficulty, HIGH_IS_HARD};
use countersign_formats::examples::{ColumnType, ExampleColumn, ExamplesIndex, INDEX};
use countersign_formats::model::{
    CHECKPOINT_INDEX, Checkpoint, CheckpointIndex, Label, MODEL_GRAPH, MODEL_INDEX, ModelIndex, RawInput,
};
use countersign_onnx::proto::DataType;
use countersign_onnx::{GraphBuilder, Layer, Network, graph};
use countersign_plugin_difficulty::{Parameters, Rows, run};
use countersign_sdk::files::{read_json, write_json};
use countersign_sdk::{Error, Outcome, Task};
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

fn write_checkpoints(directory: &Path, networks: &[Network]) {
    std::fs::create_dir_all(directory).unwrap();
    let write = |(epoch, network): (u32, &Network)| {
        let file = format!("epoch-{epoch:03}.safetensors");
        std::fs::write(directory.join(&file), network.to_safetensors().unwrap()).unwrap();
        Checkpoint { file, epoch, loss: 0.0 }
    };
    // Newest first, to see that the epoch decides.
    let mut checkpoints: Vec<Checkpoint> = (1..).zip(networks).map(write).collect();
    checkpoints.reverse();
    write_json(directory.join(CHECKPOINT_INDEX), &CheckpointIndex { checkpoints }).unwrap();
}

/// A folder of its own for each test, laid out as a run's: `tests/python` can be pointed at `evaluates/`.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-run").join(test);
    let _ = std::fs::remove_dir_all(folder.join("difficulty"));
    std::fs::create_dir_all(folder.join("difficulty/difficulty")).unwrap();
    std::fs::create_dir_all(folder.join("difficulty-examples")).unwrap();
    folder
}

fn execute(folder: &Path, networks: &[Network], parameters: &str) -> Result<(Outcome, Difficulty), Error> {
    let (batch, index) = examples();
    write_json(folder.join("difficulty-examples").join(INDEX), &index).unwrap();
    write_model(&folder.join("difficulty-model"), "x", networks.last().unwrap());
    write_checkpoints(&folder.join("checkpoints"), networks);
    let output = folder.join("difficulty/difficulty");
    let task = Task::new(1)
        .with_input("examples", [folder.join("difficulty-examples")])
        .with_input("model", [folder.join("difficulty-model")])
        .with_input("checkpoints", [folder.join("checkpoints")])
        .with_output("difficulty", &output);
    let parameters: Parameters = serde_json::from_str(parameters).unwrap();
    let engine = |sql: &str| -> Result<Rows, Error> {
        assert!(sql.contains("\"examples\".\"eval\""), "{sql}");
        let halves = [batch.slice(0, 500), batch.slice(500, batch.num_rows() - 500)];
        Ok(Box::new(halves.into_iter().map(Ok)))
    };
    let outcome = run(&task, &parameters, &engine)?;
    Ok((outcome, read_json(output.join("difficulty.json")).unwrap()))
}

fn training() -> Vec<Network> {
    [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(network).to_vec()
}

#[test]
fn scores_a_split() {
    let (outcome, difficulty) = execute(&folder("evaluates"), &training(), "{}").unwrap();
    assert_eq!(difficulty.direction, HIGH_IS_HARD, "{}", difficulty.direction_reason);
    assert!(outcome.summary.ends_with("% of the errors · high = hard"), "{}", outcome.summary);
    assert_eq!((difficulty.examples, difficulty.error_by_decile.len(), difficulty.hardest.len()), (1_200, 10, 50));
    let record = &difficulty.record;
    assert_eq!(
        (record.target.as_str(), record.label.as_str(), record.stage.as_str()),
        ("softmax", "predicted", "late")
    );
    assert_eq!(record.checkpoints.first().map(String::as_str), Some("epoch-003.safetensors"));
    assert_eq!(record.early_checkpoints.first().map(String::as_str), Some("epoch-001.safetensors"));
    assert_eq!((record.checkpoint_sha256.len(), record.all_checkpoints, record.inputs), (5, 7, 2));
    assert_eq!([&record.model_sha256, &record.examples_sha256].map(String::len), [64, 64]);
    // The labels that were turned round far from the boundary, and only such.
    assert!((1..=10).contains(&difficulty.suspected_mislabelled), "{}", difficulty.suspected_mislabelled);
    for suspect in &difficulty.suspects {
        assert_eq!((suspect.row - 2) % 120, 7, "{suspect:?}");
        assert!(suspect.columns["x"].parse::<f64>().unwrap().abs() > 0.6 && suspect.label != suspect.predicted);
    }
    assert!(difficulty.hardest.windows(2).all(|pair| pair[0].vog >= pair[1].vog));
    assert!((difficulty.hardest_tenth_by_class.values().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = folder("again");
    let file = || std::fs::read(folder.join("difficulty/difficulty/scores.csv")).unwrap();
    execute(&folder, &training(), "{}").unwrap();
    let first = file();
    execute(&folder, &training(), "{}").unwrap();
    assert!(first == file());
}

#[test]
fn the_published_definition_is_there() {
    let parameters = r#"{"target": "logit", "label": "true", "normalisation": "class", "stage": "all"}"#;
    let (_, difficulty) = execute(&folder("definition"), &training(), parameters).unwrap();
    assert_eq!(difficulty.record.normalisation, "class");
    assert_eq!(difficulty.record.checkpoints.len(), 7);
}

#[test]
fn what_has_no_meaning_is_refused() {
    let folder = folder("refused-difficulty");
    let linear = Network::new(vec![Layer { w: array![[0.0, 1.0], [0.0, 0.0]], b: array![0.0, 0.0] }]).unwrap();
    let linear = vec![linear.clone(), linear];
    let refused = execute(&folder, &linear, r#"{"target": "logit"}"#).unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    assert!(execute(&folder, &linear, "{}").is_ok());
    let refused = execute(&folder, &training()[..1], "{}").unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    let broken = execute(&folder, &[network(1.0), network(f32::NAN)], "{}").unwrap_err().to_string();
    assert!(broken.contains("line 2"), "{broken}");
}
