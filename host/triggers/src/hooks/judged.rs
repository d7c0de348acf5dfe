//! The official CloudEvents SDKs of Python and JavaScript as strangers: what they send is taken for what they meant, and what either of
//! them refuses to read is refused here.

use super::world::{World, known};
use countersign_model::event::Cause;
use countersign_ports::WebhookRequest;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;

const SINGLE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

fn here() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hooks"))
}

fn headers(content_type: &str) -> Value {
    json!({ "content-type": content_type })
}

/// A good event and what can be wrong with it, in each mode. `complete`: no attribute is missing or empty that must be there.
fn requests() -> Vec<Value> {
    let good = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed", "subject": "s",
        "time": "2026-11-22T06:00:00Z", "datacontenttype": "application/json", "trace": "x", "data": { "a": 1 },
    });
    let mut events = vec![good.clone()];
    for name in ["id", "source", "type", "specversion"] {
        let mut without = good.clone();
        without.as_object_mut().expect("an object").remove(name);
        events.push(without);
    }
    let wrong = [
        ("id", json!("")),
        ("source", json!("")),
        ("type", json!("")),
        ("specversion", json!("")),
        ("specversion", json!("2.0")),
        ("id", json!(7)),
        ("source", json!(["a"])),
        ("type", json!({})),
        ("time", json!("yesterday")),
        ("Trace", json!("x")),
        ("tr_ace", json!("x")),
        ("dataschema", json!("https://example.org/schema")),
        ("number", json!(7)),
        ("flag", json!(true)),
    ];
    for (name, value) in wrong {
        let mut event = good.clone();
        event[name] = value;
        events.push(event);
    }
    let mut requests = Vec::new();
    for event in &events {
        let said = |name: &&str| event.get(name).is_some_and(|value| *value != "");
        let complete = ["id", "source", "type", "specversion"].iter().all(said);
        requests.push(json!({ "headers": headers(SINGLE), "body": event.to_string(), "complete": complete }));
        let batch = json!([good, event]).to_string();
        requests.push(json!({ "headers": headers(BATCH), "body": batch, "complete": complete }));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
        let mut binary = Map::from_iter([("content-type".to_string(), json!("application/json"))]);
        let attributes = event.as_object().expect("an object").iter();
        let attributes = attributes.filter(|(name, _)| !["data", "datacontenttype"].contains(&name.as_str()));
        binary.extend(attributes.map(|(name, value)| (format!("ce-{name}"), text(value).into())));
        requests.push(json!({ "headers": binary, "body": "{\"a\":1}", "complete": complete }));
    }
    for body in ["", "{", "[]", "7", "null"] {
        requests.push(json!({ "headers": headers(SINGLE), "body": body }));
    }
    requests
}

fn request(said: &Value) -> WebhookRequest {
    let headers = said["headers"].as_object().expect("headers").iter();
    let headers: Vec<(&str, &str)> =
        headers.map(|(name, value)| (name.as_str(), value.as_str().expect("a text"))).collect();
    known(&headers, said["body"].as_str().expect("a body"))
}

/// What the SDK made, and for each of ours whether it takes it; none where it has no opinion.
fn judge(command: &mut Command) -> (Vec<Value>, Vec<Option<bool>>) {
    let file = tempfile::NamedTempFile::new().expect("a file for the requests");
    std::fs::write(file.path(), Value::from(requests()).to_string()).expect("write the requests");
    let said = countersign_judges::run(command.arg(file.path()));
    let said: Value = serde_json::from_str(&said).expect("the judge's answer");
    let taken = said["taken"].as_array().expect("verdicts").iter().map(Value::as_bool).collect();
    (said["made"].as_array().expect("requests").clone(), taken)
}

async fn agrees_with(made: Vec<Value>, taken: Vec<Option<bool>>) {
    assert!(made.len() > 20 && taken.contains(&Some(true)) && taken.contains(&Some(false)));
    for made in &made {
        let world = World::new().await;
        let told = world.outcomes(&request(made)).await;
        assert_eq!(told, ["a run", "b run"], "{made}");
        let (event, _) = world.events().await.remove(0);
        let Cause::Http { kind, source, id, .. } = event.cause else { panic!("{made}") };
        assert_eq!(json!([kind, source, id]), made["meant"], "{made}");
    }
    for (said, taken) in requests().iter().zip(taken) {
        let (status, body) = World::new().await.send("orders", &request(said)).await;
        match taken {
            Some(false) => assert_eq!(status, 400, "refused by the judge: {said} {body}"),
            Some(true) | None => assert!([202, 400].contains(&status), "{said} {body}"),
        }
    }
}

#[tokio::test]
async fn what_pythons_sdk_sends_is_taken_and_what_it_refuses_is_refused() {
    let Some(python) = countersign_judges::python() else { return };
    let (made, taken) = judge(Command::new(python).arg(here().join("judge.py")));
    agrees_with(made, taken).await;
}

#[tokio::test]
async fn what_javascripts_sdk_sends_is_taken_and_what_it_refuses_is_refused() {
    let Some(node) = countersign_judges::node() else { return };
    let (made, taken) = judge(Command::new("node").arg(here().join("judge.mjs")).current_dir(&node));
    agrees_with(made, taken).await;
}

#[tokio::test]
async fn what_both_sdks_take_is_taken() {
    let (Some(python), Some(node)) = (countersign_judges::python(), countersign_judges::node()) else { return };
    let (_, one) = judge(Command::new(python).arg(here().join("judge.py")));
    let (_, other) = judge(Command::new("node").arg(here().join("judge.mjs")).current_dir(&node));
    let mut both = 0;
    for ((said, one), other) in requests().iter().zip(one).zip(other) {
        // When they read an event without an identifier, or without a version, they make one up: a key must not be made up.
        if one == Some(true) && other == Some(true) && said["complete"] == true {
            let (status, body) = World::new().await.send("orders", &request(said)).await;
            assert_eq!(status, 202, "{said} {body}");
            both += 1;
        }
    }
    assert!(both >= 8, "{both}");
}
