//! Other systems start runs over HTTP, as docs/hooks.md says.

use crate::http::{self, Answer};
use crate::pipelines::NOTE;
use crate::site::{SECRET, Site};
use ring::hmac;
use serde_json::json;
use std::time::{Duration, SystemTime};

fn site() -> Site {
    let site = Site::new(
        "[hooks.orders]\nauth = \"token\"\nsecret_file = \"secrets/hook\"\n\
         [hooks.signed]\nauth = \"hmac\"\nsecret_file = \"secrets/hook\"\n\
         [hooks.idle]\nauth = \"token\"\nsecret_file = \"secrets/hook\"\n",
    );
    site.pipeline("note", &format!("[trigger]\nhttp = [\"orders\", \"signed\"]\n{NOTE}"));
    site
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().as_ref().map_or(0, Duration::as_secs)
}

/// A CloudEvent in binary mode, with a token.
fn order(site: &Site, token: &str, id: &str) -> Answer {
    let headers = [
        ("x-countersign-token", token),
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-type", "order.placed"),
        ("ce-source", "/shop"),
        ("ce-id", id),
    ];
    http::send(&site.address(), "POST /hooks/orders", &headers, b"{\"order\":17}")
}

fn signature(seconds: u64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// A CloudEvent in structured mode, signed.
fn signed(site: &Site, signature: &str, body: &str) -> Answer {
    let headers = [("x-countersign-signature", signature), ("content-type", "application/cloudevents+json")];
    http::send(&site.address(), "POST /hooks/signed", &headers, body.as_bytes())
}

fn cloud_event(id: &str) -> String {
    json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": "order.paid", "data": { "order": 17 } })
        .to_string()
}

#[track_caller]
fn outcome(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 202, "{answer:?}");
    let event = &answer.json()["data"]["events"][0];
    let text = |key: &str| event[key].as_str().unwrap_or_else(|| panic!("{key}: {event}")).to_string();
    (text("outcome"), text("run"))
}

#[test]
fn an_event_runs_once_however_often_it_is_sent() {
    let mut site = site();
    site.serve();
    let (first, run) = outcome(&order(&site, SECRET, "17"));
    assert_eq!(first, "run");
    assert_eq!(outcome(&order(&site, SECRET, "17")), ("seen-again".to_string(), run.clone()));
    site.until(&run, "succeeded");
    let (body, seconds) = (cloud_event("18"), now());
    let (first, paid) = outcome(&signed(&site, &signature(seconds, &body), &body));
    assert_eq!((first.as_str(), paid != run), ("run", true));
    // The very same request, as somebody who saw it would repeat it.
    assert_eq!(outcome(&signed(&site, &signature(seconds, &body), &body)).0, "seen-again");
    let elsewhere = outcome(&order(&site, SECRET, "18"));
    assert_eq!(elsewhere, ("seen-again".to_string(), paid.clone()), "an event is the same by whichever hook it comes");
    site.until(&paid, "succeeded");
    site.stop();
    site.serve();
    assert_eq!(outcome(&order(&site, SECRET, "17")), ("seen-again".to_string(), run), "another daemon knows it too");
    let told = site.run(&["events"]).must(0).says("hook orders: order.placed").says("hook signed: order.paid");
    assert_eq!(told.stdout.lines().count(), 3, "a heading and two events: {}", told.stdout);
    assert_eq!(site.outcomes("note"), ["run", "run"]);
}

#[test]
fn who_can_not_prove_it_writes_nothing() {
    let mut site = site();
    site.serve();
    let size = || ["events", "runs", "audit"].map(|table| site.record.number(&format!("SELECT count(*) FROM {table}")));
    let [events, runs, audit] = size();
    let (body, seconds) = (cloud_event("1"), now());
    let proof = signature(seconds, &body);
    for attempt in 0..10 {
        let id = attempt.to_string();
        let elsewhere = [("authorization", "Bearer x"), ("content-type", "application/json")];
        let refused = [
            order(&site, "another-secret-altogether", &id),
            signed(&site, &proof, &cloud_event(&format!("not {attempt}"))),
            signed(&site, &signature(seconds - 3_600, &body), &body),
            signed(&site, SECRET, &body),
            http::send(&site.address(), &format!("POST /hooks/none-{attempt}"), &elsewhere, b"{}"),
        ];
        let said: Vec<&str> = refused.iter().map(|answer| answer.body.as_str()).collect();
        assert!(refused.iter().all(|answer| answer.status == 401), "{refused:?}");
        assert!(said.iter().all(|body| *body == said[0]), "one answer for all: {said:?}");
    }
    let notes = site.record.texts("SELECT subject FROM audit WHERE action = 'webhook.refused' ORDER BY subject");
    assert_eq!(notes, ["no hook", "orders", "signed"], "one note for each in ten minutes");
    assert_eq!(size(), [events, runs, audit + 3]);
    // Whoever knows the secret is told what is wrong, and nothing is written either.
    let idle = site.post_hook("idle", SECRET, "1");
    assert_eq!(idle.status, 422, "{idle:?}");
    assert_eq!(signed(&site, &signature(seconds, "{"), "{").status, 400);
    assert_eq!(size(), [events, runs, audit + 3]);
    let metrics = http::send(&site.address(), "GET /metrics", &[], b"").body;
    assert!(metrics.contains("countersign_webhook_refused_total 50"), "{metrics}");
    let log = site.log();
    assert!(!log.contains(SECRET) && !log.contains("another-secret"), "{log}");
}
