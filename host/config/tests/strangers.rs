//! Judged by strangers' tools: our schemas by check-jsonschema, our samples by Taplo, which is what editors check TOML with.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").canonicalize().expect("the folder config/")
}

/// What Taplo says of files that name their schema in the first line.
fn taplo(node: &Path, files: &[PathBuf]) -> Output {
    let script = node.join("node_modules/@taplo/cli/dist/cli.js");
    Command::new("node").arg(script).args(["lint", "--colors", "never"]).args(files).output().expect("node starts")
}

/// A sample in a folder of the same form, so that its `#:schema` line leads to the schema, with one text replaced; and the
/// line of that text.
fn broken(folder: &Path, name: &str, from: &str, to: &str) -> (PathBuf, usize) {
    let text = std::fs::read_to_string(config().join(name)).unwrap();
    let line = text.lines().position(|line| line.starts_with(from)).unwrap();
    let lines = text.lines().enumerate().map(|(at, text)| if at == line { to } else { text });
    let path = folder.join(name);
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    (path, line + 1)
}

#[test]
fn taplo_takes_our_samples_and_points_at_the_line_of_a_mistake() {
    let Some(node) = countersign_judges::node() else { return };
    let samples = ["countersign.toml", "pipelines/taxi-tips.toml"];
    let said = taplo(&node, &samples.map(|name| config().join(name)));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));

    let folder = tempfile::tempdir().unwrap();
    for inner in ["schemas", "pipelines"] {
        std::fs::create_dir(folder.path().join(inner)).unwrap();
    }
    for (name, text) in countersign_config::schemas() {
        std::fs::write(folder.path().join("schemas").join(name), text).unwrap();
    }
    let [settings, pipeline] = samples;
    for (name, from, to) in [
        (settings, "lease_seconds", "lease_seconds = 1"),
        (settings, "keep_days", "keep_day = 0"),
        (settings, "format", "format = \"xml\""),
        (pipeline, "overlap", "overlap = \"cancel\""),
        (pipeline, "settle_seconds", "settle_second = 10"),
        (pipeline, "timezone", "priority = 101"),
    ] {
        let (path, line) = broken(folder.path(), name, from, to);
        let said = taplo(&node, std::slice::from_ref(&path));
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success(), "{to} is taken");
        assert!(text.contains(&format!("{}:{line}:", path.display())), "{to}: line {line} is not named: {text}");
    }
}

#[test]
fn our_schemas_are_schemas() {
    let Some(python) = countersign_judges::python() else { return };
    let check = |files: &[PathBuf]| {
        Command::new(&python).args(["-m", "check_jsonschema", "--check-metaschema"]).args(files).output().unwrap()
    };
    let schemas = ["countersign.schema.json", "pipeline.schema.json"].map(|name| config().join("schemas").join(name));
    let said = check(&schemas);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));

    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.schema.json");
    let text = std::fs::read_to_string(&schemas[0]).unwrap();
    std::fs::write(&wrong, text.replacen("\"type\": \"object\"", "\"type\": \"table\"", 1)).unwrap();
    assert!(!check(&[wrong]).status.success(), "a schema that is none is taken");
}
