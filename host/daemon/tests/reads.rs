//! Every read command for programs: one JSON document that names its schema. And components from a directory.

mod harness;

use harness::{Home, newest_run};

#[test]
fn every_read_command_answers_in_json() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let run = newest_run(&home, &["--demo"]);
    home.run(&["--demo", "approve", &run, "--reason", "looks right"]).must(0);
    let pipeline = home.demo().join("taxi-tips.toml");
    let pipeline = pipeline.to_str().expect("a path");
    let model =
        home.data(&["--demo", "explain", "taxi-tips"])["model"]["digest"].as_str().expect("a digest").to_string();
    let reads: [(&[&str], &str); 13] = [
        (&["runs"], "countersign.runs/1"),
        (&["show", &run], "countersign.run/1"),
        (&["show", &run, "--log", "model"], "countersign.run/1"),
        (&["lineage", &model], "countersign.lineage/1"),
        (&["explain", &model], "countersign.explanation/1"),
        (&["events"], "countersign.events/1"),
        (&["audit", "verify"], "countersign.audit/1"),
        (&["doctor"], "countersign.doctor/1"),
        (&["plugin", "list"], "countersign.components/1"),
        (&["plugin", "inspect", "train"], "countersign.component/1"),
        (&["pipeline", "check", pipeline], "countersign.pipeline/1"),
        (&["pipeline", "graph", pipeline], "countersign.pipeline/1"),
        (&["pipeline", "next", pipeline], "countersign.next-fires/1"),
    ];
    for (command, schema) in reads {
        let mut arguments = vec!["--demo", "--output", "json"];
        arguments.extend_from_slice(command);
        let document = home.run(&arguments).must(0).json();
        assert_eq!(document["schema"], schema, "{command:?}");
        let empty = document["data"].as_array().is_some_and(Vec::is_empty) || document["data"].is_null();
        assert!(!empty, "{command:?} answered nothing");
    }
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    let home = Home::new();
    home.run(&["runs"]).must(0).says("countersign demo");
    home.run(&["--demo", "runs"]).must(2).says("there is no demo yet");
    home.run(&["show", "run_nothing"]).must(2).says("names no run").says("countersign runs");
    home.run(&["lineage", "0123456789"]).must(2).says("names no artifact");
    home.run(&["explain", "nobody"]).must(2).says("names no artifact");
    home.run(&["completions", "bash"]).must(0).says("countersign");
    home.run(&["approve"]).must(2).says("<RUN>");
}

#[test]
fn components_are_loaded_from_the_directories_in_the_settings() {
    let home = Home::new();
    let settings = home.write("countersign.toml", "state_dir = \"state\"\ncomponent_dirs = [\"components\"]\n");
    let component = home.write("components/noop.wasm", "");
    std::fs::write(&component, countersign_guests::NOOP).expect("write component");
    let pipeline = home.write("pipeline.toml", "name = \"plugged\"\n[step.nothing]\ncomponent = \"noop\"\n");
    let config = ["--config", settings.to_str().expect("a path")];
    home.run(&[config[0], config[1], "plugin", "list"]).must(0).says("components/noop.wasm").says("built in");
    home.run(&[config[0], config[1], "run", pipeline.to_str().expect("a path")]).must(0).says("nothing");
    home.run(&["run", pipeline.to_str().expect("a path")]).must(2).says("noop");
}
