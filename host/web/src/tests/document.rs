//! The OpenAPI document, judged by strangers, and the numbers, judged by Prometheus' own tool where there is one.

use crate::routes::{Answers, table};
use crate::{Health, SlackHealth, Web};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Counts;
use std::process::Command;

#[test]
fn every_route_is_in_the_document() {
    let document = Web::open_api();
    let mut operations = 0;
    for route in table() {
        let method = route.way.method();
        let operation = &document["paths"][route.path][method];
        assert_eq!(operation["x-rule"], route.way.rule(), "{method} {}", route.path);
        assert_eq!(
            operation["security"].as_array().unwrap().is_empty(),
            ["public", "entering"].contains(&route.way.rule())
        );
        if let Answers::Document(name, _) = route.answers {
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            assert_eq!(schema["properties"]["schema"]["const"], format!("countersign.{name}/1"), "{}", route.path);
            assert!(schema["properties"]["data"].is_object(), "{}", route.path);
        }
        operations += 1;
    }
    let paths = document["paths"].as_object().unwrap();
    let described: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(described, operations, "the document describes more than there is");
}

#[test]
fn the_document_is_open_api_by_the_validators_judgement() {
    let Some(python) = countersign_judges::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, Web::open_api().to_string()).unwrap();
    let script = "import json, sys\nfrom openapi_spec_validator import OpenAPIV31SpecValidator as V\n\
        V(json.load(open(sys.argv[1]))).validate()\nprint('valid')";
    let said = countersign_judges::run(Command::new(&python).args(["-c", script]).arg(&file));
    assert_eq!(said.trim(), "valid");
    let mut broken = Web::open_api();
    broken["paths"]["/runs/{id}"]["get"]["parameters"] = serde_json::json!([]);
    std::fs::write(&file, broken.to_string()).unwrap();
    let judged = Command::new(&python).args(["-c", script]).arg(&file).output().unwrap();
    assert!(!judged.status.success(), "a document without a path's parameter was taken for valid");
}

#[test]
fn the_numbers_are_prometheus_text_by_its_own_judgement() {
    let slack = Some(SlackHealth { transport: "socket".to_string(), connected: true });
    let health = Health { version: "0.1.0".to_string(), slack, ..Health::default() };
    let text = crate::health::metrics(&health, Some(&Counts::default()), Timestamp::from_micros(0));
    let judge = Command::new("promtool").args(["check", "metrics"]).stdin(std::process::Stdio::piped()).spawn();
    let Ok(mut judge) = judge else {
        eprintln!("promtool is not here: its judgement is left out");
        return;
    };
    std::io::Write::write_all(&mut judge.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(judge.wait().unwrap().success(), "{text}");
}
