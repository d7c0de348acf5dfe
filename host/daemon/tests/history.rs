//! Resolvers over the real thing: training on several spans, starting from the approved model.

mod harness;

use harness::{Home, newest_run, show};
use serde_json::Value;

const PIPELINE: &str = r#"
name = "spans"
[source.rows]
path = "incoming/rows-{SPAN}.csv"
[step.examples]
component = "ingest"
grant = ["query"]
inputs = { delivery = "rows" }
[step.statistics]
component = "statistics"
grant = ["query"]
inputs = { examples = "examples" }
[step.schema]
component = "schema"
inputs = { statistics = "statistics", base = { resolve = "previous schema" } }
[step.transform]
component = "transform"
grant = ["query"]
inputs = { statistics = "statistics", schema = "schema", examples = "examples" }
params = { label = "label" }
[step.model]
component = "train"
grant = ["query"]
inputs = { examples = { resolve = "last 2 spans" }, transform = "transform", base = { resolve = "latest approved model" } }
params = { hidden = [4], epochs = 2 }
"#;

/// Rows that a small network can tell apart; `shift` makes one delivery's bytes differ from another's.
fn rows(count: u32, shift: f64) -> String {
    let mut text = "x,colour,label\n".to_string();
    for row in 0..count {
        let x = f64::from(row % 17) - 8.0 + shift;
        let colour = ["red", "green", "blue"][(row % 3) as usize];
        text.push_str(&format!("{x},{colour},{}\n", if x > 0.0 { "yes" } else { "no" }));
    }
    text
}

fn model(home: &Home, name: &str) -> (Value, Value) {
    let run = newest_run(home, &[]);
    let directory = home.path().join(name);
    home.run(&["export", &run, directory.to_str().unwrap()]).must(0);
    let text = std::fs::read_to_string(directory.join("model/model/model.json")).expect("model.json");
    (serde_json::from_str(&text).expect("JSON"), show(home, &[], &run))
}

fn train_rows(run: &Value) -> u64 {
    let executions = run["executions"].as_array().expect("executions");
    let examples = executions.iter().find(|one| one["step"] == "examples").expect("the step");
    let summary = examples["state"]["result"]["summary"].as_str().expect("a summary");
    let train = summary.split("· ").nth(1).and_then(|splits| splits.split(' ').next()).expect("train rows");
    train.replace(',', "").parse().expect("a number")
}

#[test]
fn training_sees_the_last_spans_and_only_those() {
    let home = Home::new();
    let pipeline = home.write("pipeline.toml", PIPELINE);
    let mut trained = Vec::new();
    for (span, count) in [("1", 400), ("2", 500), ("3", 600)] {
        home.write(&format!("incoming/rows-{span}.csv"), &rows(count, f64::from(count) / 1000.0));
        home.run(&["run", pipeline.to_str().unwrap()]).must(0);
        let (model, run) = model(&home, &format!("exported-{span}"));
        trained.push((model["trained_on_rows"].as_u64().expect("rows"), train_rows(&run)));
    }
    assert_eq!(trained[0].0, trained[0].1, "one span is all there is");
    assert_eq!(trained[1].0, trained[0].1 + trained[1].1);
    assert_eq!(trained[2].0, trained[1].1 + trained[2].1, "the first span is out");

    // Nothing changed: nothing runs, although history has grown by the last run itself.
    home.run(&["run", pipeline.to_str().unwrap()]).must(0);
    let again = show(&home, &[], &newest_run(&home, &[]));
    for execution in again["executions"].as_array().expect("executions") {
        assert_eq!(execution["state"]["status"], "cached", "{}: {}", execution["step"], execution["why"]);
    }
}
