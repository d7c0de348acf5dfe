//! The committed schemas are the ones of this build, and say about keys what the reader says.
//! `UPDATE_SCHEMAS=1 cargo test -p countersign-config` writes them anew.

mod support;

use countersign_config::schemas;
use serde_json::Value;
use std::path::PathBuf;
use support::{DEMO, read};

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "config", "schemas"].iter().collect()
}

#[test]
fn the_committed_schemas_are_up_to_date() {
    for (name, text) in schemas() {
        let path = folder().join(name);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "{} is out of date: run with UPDATE_SCHEMAS=1", path.display());
    }
}

fn schema(name: &str) -> Value {
    let text = schemas().into_iter().find(|(file, _)| *file == name).unwrap().1;
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_schemas_are_sound_and_take_the_files_that_we_ship() {
    let settings = include_str!("../../../config/countersign.toml");
    for (name, text) in [("pipeline.schema.json", DEMO), ("countersign.schema.json", settings)] {
        let schema = schema(name);
        assert!(jsonschema::draft7::meta::is_valid(&schema), "{name}");
        let value: Value = toml::from_str(text).unwrap();
        let wrong: Vec<String> =
            jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|e| e.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
    }
}

/// Puts every key of the schema's step, gate, … into a file: the reader must know each.
#[test]
fn the_reader_knows_every_key_of_the_schema() {
    let schema = schema("pipeline.schema.json");
    let tables = [
        ("Trigger", "[trigger]"),
        ("Source", "[source.s]"),
        ("Step", "[step.s]"),
        ("Limits", "[step.s.limits]"),
        ("Retry", "[step.s.retry]"),
        ("On", "[step.s.on]"),
        ("Signoff", "[signoff.s]"),
        ("Expire", "[signoff.s.expire]"),
        ("Escalate", "[signoff.s.escalate]"),
        ("Override", "[signoff.s.override]"),
        ("Conditions", "[signoff.s.conditions]"),
        ("Approver", "[[signoff.s.approvers]]"),
        ("History", "[step.s.inputs.s]"),
    ];
    assert_eq!(
        schema["definitions"].as_object().unwrap().len(),
        tables.len() + 1,
        "a table is missing here, or `Input`"
    );
    for (definition, header) in tables {
        for key in schema["definitions"][definition]["properties"].as_object().unwrap().keys() {
            let found = read(&format!("name = \"a\"\n{header}\n{key} = 0\n")).unwrap_err();
            let unknown: Vec<_> = found.diagnostics.iter().filter(|one| one.code == "file.unknown-key").collect();
            assert!(unknown.is_empty(), "{header} {key}: {found}");
        }
    }
}

#[test]
fn the_schema_knows_every_key_of_the_reader() {
    // An unknown key makes the reader name all it knows.
    let schema = schema("pipeline.schema.json");
    for (definition, header) in
        [("Step", "[step.s]"), ("Limits", "[step.s.limits]"), ("Signoff", "[signoff.s]"), ("Trigger", "[trigger]")]
    {
        let found = read(&format!("name = \"a\"\n{header}\nqqqqqq = 0\n")).unwrap_err();
        let help = &found.diagnostics.iter().find(|one| one.code == "file.unknown-key").unwrap().help[0];
        let known: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        let mut keys: Vec<&str> =
            schema["definitions"][definition]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let mut known = known;
        known.sort_unstable();
        assert_eq!(known, keys, "{definition}");
    }
}
