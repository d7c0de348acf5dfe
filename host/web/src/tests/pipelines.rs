//! Starting, pausing and resuming pipelines, on the page and over the API; and what is sent to hooks.

use super::stage::{Answer, Carried, HOME, Setting, Stage, request};
use axum::body::Body;
use axum::http::{Method, Request};
use countersign_model::pipeline::Trigger;
use countersign_ports::access_store::CredentialKind;
use std::time::Duration;

#[tokio::test]
async fn a_run_is_started_from_the_page_and_over_the_api() {
    let stage = Stage::new().await;
    let carried = stage.session("local:ben").await;
    let started = stage.post(&carried, "/pipelines/taxi/runs", &[]).await;
    assert_eq!(started.status, 303, "{}", started.text);
    let run = started.header("location").strip_prefix("/runs/").unwrap().parse().unwrap();
    let run = stage.bench.store.run(&run).await.unwrap().unwrap();
    assert_eq!((run.started_by.as_str(), run.pipeline.as_str()), ("local:ben", "taxi"));
    let document = stage.post_json(&carried, "/api/v1/pipelines/taxi/runs", &serde_json::json!({})).await;
    assert_eq!(document.json()["schema"], "countersign.started/1", "{}", document.text);
    assert_eq!(stage.bench.store.counts().await.unwrap().queued, 2);
    assert_eq!(stage.post(&carried, "/pipelines/nowhere/runs", &[]).await.status, 404);
    assert_eq!(stage.post(&carried, "/pipelines/taxi/runs", &[("x", "y")]).await.status, 400);
    let token = stage.credential(CredentialKind::Token, "system:token/ci", Duration::from_secs(60)).await;
    assert_eq!(stage.post(&token, "/api/v1/pipelines/taxi/runs", &[]).await.status, 403, "a token reads");
    assert_eq!(stage.bench.store.counts().await.unwrap().queued, 2);
}

#[tokio::test]
async fn a_pause_is_shown_with_its_reason_until_somebody_resumes() {
    let stage = Stage::new().await;
    let carried = stage.session("local:ben").await;
    let page = stage.get(&carried, "/pipelines/taxi").await.text;
    assert!(page.contains("Start a run") && page.contains("Why pause") && !page.contains("Let it go on"), "{page}");
    assert!(page.contains("06:00 &#60;Europe/Berlin&#62;"), "the next fires: {page}");
    let paused = stage.post(&carried, "/pipelines/taxi/pause", &[("reason", " the <source> moves ")]).await;
    assert_eq!((paused.status.as_u16(), paused.header("location")), (303, "/pipelines/taxi"));
    let page = stage.get(&carried, "/pipelines/taxi").await.text;
    assert!(page.contains("the &#60;source&#62; moves") && page.contains("Let it go on"), "{page}");
    assert!(stage.get(&carried, "/pipelines").await.text.contains("paused"));
    let twin = stage.get(&carried, "/api/v1/pipelines/taxi").await.json();
    assert_eq!(twin["data"]["paused"]["by"], "local:ben");
    assert_eq!(twin["data"]["next"].as_array().unwrap().len(), 3);
    assert!(twin["data"]["next"][0]["starts_at"].is_null() && !page.contains(", starts"), "{twin}");
    let api = |deed: &str| format!("/api/v1/pipelines/taxi/{deed}");
    let again = stage.post_json(&carried, &api("pause"), &serde_json::json!({})).await.json();
    assert_eq!((&again["data"]["paused"], &again["data"]["changed"]), (&true.into(), &false.into()));
    let resumed = stage.post_json(&carried, &api("resume"), &serde_json::json!({})).await.json();
    assert_eq!((&resumed["data"]["paused"], &resumed["data"]["changed"]), (&false.into(), &true.into()));
    assert_eq!(stage.post(&carried, "/pipelines/taxi/resume", &[]).await.status, 303, "twice is no mistake");
    assert!(stage.bench.store.paused().await.unwrap().is_empty());
    let long = "x".repeat(401);
    assert_eq!(stage.post(&carried, "/pipelines/taxi/pause", &[("reason", &long)]).await.status, 422);
    assert!(stage.bench.store.paused().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_schedule_with_jitter_shows_when_runs_start() {
    let stage = Stage::new().await;
    let carried = stage.session("local:ben").await;
    let cron = Some("0 6 * * *".to_string());
    stage.bench.define("taxi", Trigger { cron, jitter_seconds: 90, ..Trigger::default() }).await;
    let twin = stage.get(&carried, "/api/v1/pipelines/taxi").await.json();
    let starts_at = twin["data"]["next"][0]["starts_at"].as_str().unwrap();
    assert!(starts_at > twin["data"]["next"][0]["at"].as_str().unwrap(), "{twin}");
    let page = stage.get(&carried, "/pipelines/taxi").await.text;
    assert!(page.contains(&format!(", starts <time datetime=\"{starts_at}\"")), "{page}");
}

#[tokio::test]
async fn whoever_can_not_act_is_shown_no_buttons() {
    let stage = Stage::new().await;
    let token = stage.credential(CredentialKind::Token, "system:token/ci", Duration::from_secs(60)).await;
    let page = stage.get(&token, "/pipelines/taxi").await.text;
    assert!(!page.contains("<form"), "{page}");
}

async fn sent(stage: &Stage, hook: &str, proofs: &[&str], body: Body) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri(format!("/hooks/{hook}"));
    for proof in proofs {
        request = request.header("authorization", *proof);
    }
    stage.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn what_is_sent_to_a_hook_reaches_its_judge_as_it_came() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    let right = sent(&stage, "orders", &["Bearer right"], Body::from("{}")).await;
    assert_eq!((right.status.as_u16(), right.text.as_str()), (202, "{\"bytes\":2}"));
    assert_eq!(right.header("content-type"), "application/json");
    for (hook, proofs) in [
        ("orders", &[][..]),
        ("orders", &["Bearer wrong"]),
        ("orders", &["Bearer right", "Bearer right"]),
        ("nowhere", &["Bearer right"]),
        ("..%2Forders", &["Bearer right"]),
    ] {
        let answer = sent(&stage, hook, proofs, Body::from("{}")).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, "{}"), "{hook} {proofs:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let mebibyte = 1 << 20;
    assert_eq!(sent(&stage, "orders", &["Bearer right"], Body::from(vec![b'a'; mebibyte])).await.status, 202);
    let huge = sent(&stage, "orders", &["Bearer right"], Body::from(vec![b'a'; mebibyte + 1])).await;
    assert_eq!((huge.status.as_u16(), &huge.json()["schema"]), (413, &"countersign.error/1".into()));
    let numbers = stage.get(&Carried::default(), "/metrics").await.text;
    assert!(numbers.contains("countersign_webhook_refused_total 6"), "{numbers}");
    assert_eq!(before, stage.snapshot().await);
}

#[tokio::test]
async fn a_handshake_is_answered_to_anybody_and_changes_nothing() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    let ask = |hook: &str, origins: &[&str]| {
        let headers = origins.iter().map(|origin| ("webhook-request-origin", (*origin).to_string())).collect();
        let carried = Carried { headers, ..Carried::default() };
        request(Method::OPTIONS, &format!("/hooks/{hook}"), &carried, None)
    };
    for hook in ["orders", "nowhere"] {
        let answer = stage.send(ask(hook, &["eventemitter.example.com"])).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("webhook-allowed-origin")),
            (200, "eventemitter.example.com")
        );
        assert_eq!((answer.header("webhook-allowed-rate"), answer.header("allow")), ("*", "POST, OPTIONS"));
    }
    for origins in [&[][..], &[""], &["a.example.com", "b.example.com"]] {
        let answer = stage.send(ask("orders", origins)).await;
        assert_eq!((answer.status.as_u16(), answer.header("webhook-allowed-origin")), (400, ""), "{origins:?}");
    }
    assert_eq!(before, stage.snapshot().await);
}

#[tokio::test]
async fn without_hooks_there_is_nothing_to_send_to() {
    let stage = Stage::set(Setting::default()).await;
    assert_eq!(sent(&stage, "orders", &["Bearer right"], Body::from("{}")).await.status, 404);
    let carried = Carried { headers: vec![("webhook-request-origin", HOME.to_string())], ..Carried::default() };
    assert_eq!(stage.send(request(Method::OPTIONS, "/hooks/orders", &carried, None)).await.status, 404);
}
