//! Requests to hooks as honest senders and attackers make them.

use super::world::{SECRET, World, known, request, version};
use countersign_model::actor::Actor;
use countersign_model::event::{Cause, EventOutcome};
use countersign_model::pipeline::Trigger;
use countersign_ports::WebhookRequest;
use ring::hmac;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

fn structured(event: &Value) -> WebhookRequest {
    known(&[("content-type", "application/cloudevents+json; charset=utf-8")], &event.to_string())
}

fn plain(body: &str) -> WebhookRequest {
    known(&[("content-type", "application/json")], body)
}

fn signed(secret: &str, time: &str, body: &str) -> WebhookRequest {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    request(&[("content-type", "application/json"), ("x-countersign-signature", &format!("t={time},v1={hex}"))], body)
}

fn event(id: &str) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": "order.placed", "data": { "secret": "x" } })
}

#[tokio::test]
async fn whoever_proves_nothing_is_told_the_same_and_leaves_one_note() {
    let world = World::new().await;
    let now = world.now();
    let at = |seconds: i64| seconds.to_string();
    let good = signed(SECRET, &at(now), "{}");
    let changed = |change: &dyn Fn(&mut WebhookRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let value = |request: &WebhookRequest| String::from_utf8(request.headers[1].1.clone()).unwrap();
    let token = |headers: &[(&str, &str)]| request(&[&[("content-type", "application/json")], headers].concat(), "{}");
    let bearer = format!("Bearer {SECRET}");
    let refused = [
        ("signed", "another secret", signed("another", &at(now), "{}")),
        ("signed", "an edited body", changed(&|request| request.body = "{ }".into())),
        ("signed", "too old", signed(SECRET, &at(now - 301), "{}")),
        ("signed", "from the future", signed(SECRET, &at(now + 301), "{}")),
        (
            "signed",
            "an old signature with a new time",
            changed(&|request| {
                request.headers[1].1 = value(request).replace(&at(now), &at(now + 1)).into_bytes();
            }),
        ),
        ("signed", "a signed time", signed(SECRET, &format!("+{now}"), "{}")),
        ("signed", "no time", signed(SECRET, "", "{}")),
        ("signed", "doubled", changed(&|request| request.headers.push(request.headers[1].clone()))),
        ("signed", "shortened", changed(&|request| request.headers[1].1.truncate(60))),
        ("signed", "no header", changed(&|request| drop(request.headers.remove(1)))),
        ("signed", "the secret itself", token(&[("authorization", &bearer)])),
        ("orders", "another token", token(&[("authorization", "Bearer wrong")])),
        ("orders", "no token", token(&[("authorization", "Bearer ")])),
        ("orders", "another scheme", token(&[("authorization", &format!("Basic {SECRET}"))])),
        ("orders", "doubled", token(&[("authorization", &bearer), ("authorization", &bearer)])),
        ("orders", "in both", token(&[("authorization", &bearer), ("x-countersign-token", SECRET)])),
        ("orders", "nothing", token(&[])),
        ("orders", "signed", good.clone()),
        ("nowhere", "a right token", token(&[("authorization", &bearer)])),
        ("another", "a right signature", good.clone()),
    ];
    let length = world.store.audit_head().await.unwrap().0;
    let mut answers = std::collections::BTreeSet::new();
    for (hook, how, request) in &refused {
        let (status, body) = world.send(hook, request).await;
        assert_eq!(status, 401, "{hook}: {how}");
        answers.insert(body.to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(
        world.store.audit_head().await.unwrap().0,
        length + 3,
        "one note for each of the two, one for names that are none"
    );
    assert!(world.events().await.is_empty());
    world.clock.advance(Duration::from_secs(601));
    world.send("orders", &refused[11].2).await;
    let notes = world.audited("webhook.refused").await;
    assert_eq!(notes.len(), 4, "{notes:?}");
    let last = notes.last().unwrap().to_string();
    assert!(last.contains("\"refused\":7") && last.contains("another secret"), "the six between the two count: {last}");
    assert!(!notes.iter().any(|note| note.to_string().contains("nowhere") || note.to_string().contains(SECRET)));
}

#[tokio::test]
async fn a_known_sender_starts_runs_once_however_often_it_says_so() {
    let world = World::new().await;
    let body = "{\"order\":1}";
    for hook in ["signed", "orders"] {
        let request = if hook == "signed" { signed(SECRET, &world.now().to_string(), body) } else { plain(body) };
        let (status, first) = world.send(hook, &request).await;
        assert_eq!(status, 202, "{first}");
        assert!(World::notified(&world.work).await);
        let (_, replayed) = world.send(hook, &request).await;
        assert_eq!(replayed["data"]["events"][0]["outcome"], "seen-again");
        assert_eq!(replayed["data"]["events"][0]["run"], first["data"]["events"][0]["run"]);
    }
    let token = request(&[("content-type", "application/json"), ("x-countersign-token", SECRET)], body);
    assert_eq!(world.outcomes(&token).await, ["a seen-again", "b seen-again"], "the other header");
    let events = world.events().await;
    assert_eq!(events.len(), 4, "the same body at two hooks is two requests");
    let skipped: Vec<_> =
        events.iter().filter(|(_, outcome)| matches!(outcome, EventOutcome::Skipped { .. })).collect();
    assert_eq!(skipped.len(), 1, "`b` runs one at a time, and says so: {skipped:?}");
    assert!(events.iter().all(|(event, _)| matches!(&event.cause, Cause::Http { kind, .. } if kind == "request")));
    assert!(!serde_json::to_string(&events).unwrap().contains("{\\\"order"), "what it is about is not kept");
    let run = world.store.runs(&Default::default()).await.unwrap();
    assert!(run.iter().any(|run| run.pipeline == "a" && run.priority == 7));
}

#[tokio::test]
async fn one_event_in_three_modes_is_one_event() {
    let world = World::new().await;
    assert_eq!(world.outcomes(&structured(&event("1 %"))).await, ["a run", "b run"]);
    let attributes = [
        ("CE-Id", "1%20%25"),
        ("ce-source", "/shop"),
        ("ce-type", "\"order.placed\""),
        ("ce-specversion", "1.0"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(world.outcomes(&known(&attributes, "anything")).await, ["a seen-again", "b seen-again"]);
    let batch = json!([event("1 %"), event("2"), event("2")]).to_string();
    let batch = known(&[("content-type", "application/cloudevents-batch+json")], &batch);
    let told = world.outcomes(&batch).await;
    assert_eq!(told, ["a seen-again", "b seen-again", "a run", "b skipped", "a seen-again", "b seen-again"]);
    let empty = known(&[("content-type", "application/cloudevents-batch+json")], "[]");
    assert_eq!(world.outcomes(&empty).await, [""; 0]);
    let (first, _) = world.events().await.pop().unwrap();
    assert_eq!((first.actor.as_str(), first.dedupe_key.as_str()), ("system:hook/orders", "http:a:event:5:/shop:1 %"));
}

#[tokio::test]
async fn what_is_not_understood_is_told_and_writes_nothing() {
    let world = World::new().await;
    let with = |name: &str, value: Value| {
        let mut event = event("1");
        event[name] = value;
        structured(&event)
    };
    let without = |name: &str| {
        let mut event = event("1");
        event.as_object_mut().unwrap().remove(name);
        structured(&event)
    };
    let batch = |events: Value| known(&[("content-type", "application/cloudevents-batch+json")], &events.to_string());
    let binary = |headers: &[(&str, &str)]| {
        let good = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/shop"), ("ce-type", "t")];
        known(&[&good[..], headers].concat(), "")
    };
    let json = "application/json";
    let keyed = |key: &str| known(&[("content-type", json), ("idempotency-key", key)], "{}");
    for (status, words, request) in [
        (400, "`id` is missing", without("id")),
        (400, "`type` is missing", without("type")),
        (400, "`specversion` is missing", without("specversion")),
        (400, "`id` is empty", with("id", "".into())),
        (400, "`id` has control characters", with("id", "a\u{0}".into())),
        (400, "`id` has more than 1024 bytes", with("id", "x".repeat(1025).into())),
        (400, "`source` is no URI reference", with("source", "a b".into())),
        (400, "`source` is no URI reference", with("source", "/%zz".into())),
        (400, "`specversion` is `0.3`", with("specversion", "0.3".into())),
        (400, "`id` has a value that", with("id", 7.into())),
        (400, "`trace` has a value that", with("trace", json!({}))),
        (400, "`big` has a value that", with("big", json!(3_000_000_000_u64))),
        (400, "`Upper` is no attribute's name", with("Upper", "x".into())),
        (400, "`time` is no time", with("time", "yesterday".into())),
        (400, "`data` and `data_base64` are both", with("data_base64", "eA==".into())),
        (400, "expected one event", structured(&json!([event("1")]))),
        (400, "event 2: `id` is missing", batch(json!([event("1"), {"specversion": "1.0"}]))),
        (400, "expected a JSON array", batch(event("1"))),
        (400, "at most 1000", batch(json!(vec![event("1"); 1001]))),
        (400, "the header `ce-id` was given twice", binary(&[("ce-id", "1")])),
        (400, "is not percent-encoded", binary(&[("ce-subject", "100%")])),
        (400, "is not percent-encoded", binary(&[("ce-subject", "%ff")])),
        (400, "is not percent-encoded", binary(&[("ce-subject", "\"open")])),
        (400, "the header `ce-subject` is empty", binary(&[("ce-subject", "")])),
        (400, "by `content-type`", binary(&[("ce-datacontenttype", "text/plain")])),
        (
            400,
            "the header `ce-type` is missing",
            known(&[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/")], ""),
        ),
        (400, "`content-type` was given twice", known(&[("content-type", json), ("content-type", json)], "{}")),
        (400, "no JSON document", plain("{")),
        (400, "expected a JSON object", plain("[]")),
        (400, "visible ASCII", keyed("")),
        (400, "visible ASCII", keyed("a b")),
        (400, "visible ASCII", keyed(&"x".repeat(256))),
        (400, "`Records[0].s3.bucket.name`", plain("{\"Records\":[{\"s3\":{}}]}")),
        (415, "application/cloudevents+json", known(&[("content-type", "application/cloudevents+avro")], "")),
        (415, "send `application/json`", known(&[("content-type", "text/plain")], "{}")),
        (415, "send `application/json`", known(&[], "{}")),
    ] {
        let (got, body) = world.send("orders", &request).await;
        let message = body["data"]["message"].as_str().unwrap();
        assert_eq!(got, status, "{words}: {message}");
        assert!(message.contains(words), "{words}: {message}");
    }
    assert!(world.events().await.is_empty());
    let (status, body) = world.send("idle", &plain("{}")).await;
    assert_eq!(status, 422);
    assert!(body["data"]["message"].as_str().unwrap().contains("http = [\"idle\"]"), "{body}");
}

#[tokio::test]
async fn an_idempotency_key_says_what_is_the_same() {
    let world = World::new().await;
    let keyed = |key: &str, body: &str| known(&[("content-type", "application/json"), ("idempotency-key", key)], body);
    assert_eq!(world.outcomes(&keyed("k-1", "{}")).await, ["a run", "b run"]);
    assert_eq!(world.outcomes(&keyed("\"k-1\"", "{\"again\":1}")).await, ["a seen-again", "b seen-again"]);
    assert_eq!(world.outcomes(&keyed("k-2", "{}")).await[0], "a run");
    assert_eq!(world.outcomes(&plain("{}")).await[0], "a run", "a body without a key");
}

#[tokio::test]
async fn a_notification_of_an_object_store_is_a_hint() {
    let world = World::new().await;
    let record = |bucket: &str, key: &str| json!({ "eventVersion": "2.1", "s3": { "bucket": { "name": bucket }, "object": { "key": key } } });
    let send = async |records: Value| {
        let (status, body) = world.send("idle", &plain(&json!({ "Records": records }).to_string())).await;
        assert_eq!(status, 202, "{body}");
        (body["data"]["sources"].clone(), World::notified(&world.look).await)
    };
    assert_eq!(send(json!([record("data", "trips/2026-11-22.csv")])).await, (json!(["files/trips"]), true));
    assert!(send(json!([record("data", "trips/2026%2D11%2D22.csv")])).await.1, "keys are URL-encoded");
    let marker =
        json!([record("data", "other"), record("data", "taxis/_SUCCESS"), record("data", "trips/2026-11-23.csv")]);
    assert_eq!(send(marker).await, (json!(["files/trips", "files/taxis"]), true));
    for elsewhere in
        [("data", "trips/x.csv"), ("data", "2026-11-22.csv"), ("other", "trips/2026-11-22.csv"), ("data", "")]
    {
        assert_eq!(send(json!([record(elsewhere.0, elsewhere.1)])).await, (json!([]), false), "{elsewhere:?}");
    }
    let trial = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "data" }).to_string();
    assert_eq!(world.send("idle", &plain(&trial)).await.0, 200);
    assert!(world.events().await.is_empty(), "the listing is the truth");
}

#[tokio::test]
async fn when_the_record_fails_the_sender_is_to_come_again() {
    let listening = Trigger { http: vec!["orders".to_string()], ..Trigger::default() };
    let versions = ["a", "unregistered"].map(|name| version(name, listening.clone(), BTreeMap::new())).to_vec();
    let world = World::with(versions.clone(), &versions[..1]).await;
    assert_eq!(world.send("orders", &plain("{}")).await.0, 503);
    world.store.register_pipeline(&versions[1], &Actor::local("ada")).await.unwrap();
    assert_eq!(world.outcomes(&plain("{}")).await, ["a seen-again", "unregistered run"]);
}
