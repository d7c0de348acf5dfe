//! A catalogue like the built-in one, the demo pipeline, and settings read so that no secret is printed.
#![allow(dead_code, reason = "each test file uses a part")]

use countersign_config::settings::Settings;
use countersign_config::{Catalogue, ConfigError, Diagnostics, read_pipeline};
use countersign_model::component::{Capability, Description, Port};
use countersign_model::digest::Digest;
use countersign_model::pipeline::Pipeline;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

pub const DEMO: &str = include_str!("../../../../config/pipelines/taxi-tips.toml");
pub const ORIGIN: &str = "config/pipelines/taxi-tips.toml";

pub fn read(text: &str) -> Result<Pipeline, Diagnostics> {
    let check_cron = |text: &str| match text {
        "61 6 * * *" => Err("minutes go from 0 to 59".to_string()),
        "@dayly" => Err("there is no short form `@dayly`".to_string()),
        _ => Ok(()),
    };
    read_pipeline(text, ORIGIN, Path::new("/srv/taxi"), &catalogue(), &check_cron)
}

/// A secret's file, as an operator makes it.
pub fn secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// In every secret of tests about secrets; no message may have it.
pub const CANARY: &str = "9canary7";

pub fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// What is printed of a result, in every way that it can be, with the causes. No canary may be in it.
pub fn printed(result: &Result<Settings, ConfigError>) -> String {
    let mut shown = format!("{result:?}\n{result:#?}\n");
    if let Err(error) = result {
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(one) = cause {
            shown += &format!("{one}\n{one:?}\n");
            cause = one.source();
        }
        if let ConfigError::Invalid(found) = error {
            shown += &(found.render(false) + &found.render(true) + &serde_json::to_string(found).unwrap());
        }
    }
    assert!(!shown.contains(CANARY), "a secret is printed: {shown}");
    shown
}

pub fn read_at(dir: &Path, text: &str, pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let result = Settings::read(text, "countersign.toml", dir, &environment(pairs), dir);
    printed(&result);
    result
}

/// The error's text.
pub fn refused(text: &str, pairs: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    read_at(dir.path(), text, pairs).expect_err(text).to_string()
}

/// `name:Kind`, with `?` behind an optional and `*` behind a many port.
fn ports(texts: &[&str]) -> Vec<Port> {
    let port = |text: &&str| {
        let (name, kind) = text.split_once(':').unwrap();
        Port {
            name: name.into(),
            kind: kind.trim_end_matches(['?', '*']).into(),
            optional: kind.ends_with('?'),
            many: kind.ends_with('*'),
            description: String::new(),
        }
    };
    texts.iter().map(port).collect()
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

pub fn catalogue() -> Catalogue {
    use Capability::Query;
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let mut catalogue = Catalogue::default();
    let mut add = |name: &str, inputs: &[&str], outputs: &[&str], parameters: Value, wants: &[Capability]| {
        let description = Description {
            name: name.into(),
            version: "0.1.0".into(),
            interface: "0.1.0".into(),
            summary: String::new(),
            inputs: ports(inputs),
            outputs: ports(outputs),
            parameters,
            capabilities: wants.iter().copied().collect(),
        };
        catalogue.components.insert(name.into(), (description, Digest::of(name.as_bytes())));
    };
    let format = json!({ "oneOf": [{ "type": "string", "const": "csv" }, { "type": "string", "const": "parquet" }] });
    let split = json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } });
    let nothing = || object(json!({}), &[]);
    add(
        "ingest",
        &["delivery:Delivery"],
        &["examples:Examples"],
        object(json!({ "format": format, "split": split }), &[]),
        &[Query],
    );
    add("statistics", &["examples:Examples"], &["statistics:Statistics"], nothing(), &[Query]);
    add("schema", &["statistics:Statistics", "base:Schema?"], &["schema:Schema"], nothing(), &[]);
    let validate = ["statistics:Statistics", "schema:Schema", "examples:Examples", "previous:Statistics?"];
    add("validate", &validate, &["anomalies:Anomalies"], nothing(), &[Query]);
    let transform = json!({ "label": { "type": "string" }, "exclude": texts(), "categorical": texts(), "vocabulary_size": { "type": "integer", "minimum": 1, "maximum": 1000 } });
    let inputs = ["statistics:Statistics", "schema:Schema", "examples:Examples"];
    add("transform", &inputs, &["transform:TransformGraph"], object(transform, &["label"]), &[Query]);
    let train = json!({
        "model": { "type": "string", "enum": ["mlp"] },
        "hidden": { "type": "array", "items": { "type": "integer", "minimum": 1 } },
        "epochs": { "type": "integer", "minimum": 1 },
        "learning_rate": { "anyOf": [{ "$ref": "#/$defs/rate" }, { "type": "null" }] },
        "checkpoints": { "oneOf": [{ "type": "string", "const": "early and late" }, { "type": "string", "const": "all" }] },
    });
    let mut train = object(train, &[]);
    train["$defs"] = json!({ "rate": { "type": "number", "minimum": 0 } });
    let inputs = ["examples:Examples", "transform:TransformGraph", "base:Model?"];
    add("train", &inputs, &["model:Model", "checkpoints:Checkpoints"], train, &[Query]);
    let metric = json!({ "type": "string", "enum": ["auc", "accuracy", "log_loss"] });
    let limit = || json!({ "type": ["number", "null"] });
    let rule = object(json!({ "metric": metric, "at_least": limit(), "max_decrease_absolute": limit() }), &["metric"]);
    let evaluate = json!({ "slices": texts(), "rules": { "type": "array", "items": { "$ref": "#/$defs/Rule" } } });
    let mut evaluate = object(evaluate, &[]);
    evaluate["$defs"] = json!({ "Rule": rule });
    let inputs = ["model:Model", "examples:Examples", "baseline:Model?"];
    add("evaluate", &inputs, &["evaluation:Evaluation"], evaluate, &[Query]);
    let inputs = ["model:Model", "checkpoints:Checkpoints", "examples:Examples"];
    add("difficulty", &inputs, &["difficulty:ExampleDifficulty"], nothing(), &[Query]);
    add("push", &["model:Model"], &["pushed:PushedModel"], nothing(), &[]);
    // Not built in: what is hard to ask of those that are.
    add("twins", &["examples:Examples*"], &["left:Model", "right:Model"], nothing(), &[]);
    add("tensors", &["examples:Examples"], &["model:Model"], nothing(), &[Capability::Tensor]);
    add("broken", &["examples:Examples"], &[], json!({ "type": 7 }), &[]);
    catalogue
}
