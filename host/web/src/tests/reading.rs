//! GET and HEAD change nothing, whatever they are sent to: a link preview is harmless. And what every answer carries.

use super::matrix::filled;
use super::stage::{Answer, Carried, Setting, Stage, request};
use crate::routes::table;
use axum::http::Method;
use countersign_ports::access_store::CredentialKind;
use std::time::Duration;

fn is_strict(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for wanted in
        ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"]
    {
        assert!(policy.contains(wanted), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{what}: {policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
    assert!(answer.header("strict-transport-security").starts_with("max-age="), "{what}");
    assert!(answer.header("cache-control") == "no-store" || what.contains(".css"), "{what}");
}

#[tokio::test]
async fn get_and_head_change_no_row_on_any_route() {
    let stage =
        Stage::set(Setting { webhook: true, slack: Some("http://127.0.0.1:9".to_string()), ..Setting::default() })
            .await;
    let carried = stage.session("local:cleo").await;
    let link = stage.credential(CredentialKind::Link, "local:ben", Duration::from_secs(60)).await;
    let mut paths: Vec<String> = table().iter().map(|route| filled(&stage, route.path)).collect();
    paths.push(format!("/sign-in/link/{}", link.headers[0].1));
    paths.push("/sign-in/slack/callback?code=c&state=s".to_string());
    paths.push(format!("/requests/{}?said=recorded&poke=poke_01JD0000000000000000000000&example=7", stage.request.id));
    let before = stage.snapshot().await;
    for path in &paths {
        for carried in [&carried, &Carried::default()] {
            let got = stage.get(carried, path).await;
            let head = stage.send(request(Method::HEAD, path, carried, None)).await;
            assert_eq!(before, stage.snapshot().await, "{path}");
            assert_eq!((got.status, head.text.as_str()), (head.status, ""), "{path}");
            is_strict(&got, path);
            is_strict(&head, path);
        }
    }
}

#[tokio::test]
async fn other_methods_are_refused_everywhere() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await;
    let before = stage.snapshot().await;
    for route in table() {
        let path = filled(&stage, route.path);
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let answer = stage.send(request(method.clone(), &path, &carried, None)).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            is_strict(&answer, &path);
        }
    }
    assert_eq!(before, stage.snapshot().await);
}

#[tokio::test]
async fn what_is_not_there_says_so_in_the_language_of_whoever_asks() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await;
    let page = stage.get(&carried, "/nothing").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (404, "text/html; charset=utf-8"));
    is_strict(&page, "/nothing");
    for path in ["/api/v1/nothing", "/api/v1/runs/run_x", "/api/v1/requests/req_01JD0000000000000000000000"] {
        let document = stage.get(&carried, path).await;
        assert_eq!(document.status, 404, "{path}");
        assert_eq!(document.json()["schema"], "countersign.error/1", "{path}");
        assert!(document.json()["data"]["message"].as_str().unwrap().starts_with("there is no"), "{path}");
    }
    let doubled = stage.get(&carried, "/runs?pipeline=a&pipeline=b").await;
    assert_eq!(doubled.status, 400);
    assert_eq!(stage.get(&carried, "/requests/req_x%2F..%2F").await.status, 404);
}

#[tokio::test]
async fn the_evidence_is_served_byte_for_byte() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await;
    let answer = stage.get(&carried, &format!("/requests/{}/evidence.json", stage.request.id)).await;
    assert_eq!(answer.text, stage.request.evidence);
    assert_eq!(countersign_model::digest::Digest::of(answer.text.as_bytes()), stage.request.evidence_digest);
}

#[tokio::test]
async fn every_page_shows_what_its_twin_answers_and_where_to_return() {
    let stage = Stage::new().await;
    let token = stage.credential(CredentialKind::Token, "system:token/ci", Duration::from_secs(60)).await;
    let review = stage.get(&token, &format!("/api/v1/requests/{}", stage.request.id)).await;
    assert_eq!(review.json()["schema"], "countersign.review/1");
    assert!(review.text.contains(&stage.request.evidence_digest.to_string()));
    let nobody = stage.get(&Carried::default(), "/runs?pipeline=taxi").await;
    assert_eq!(nobody.header("location"), "/sign-in?next=%2Fruns%3Fpipeline%3Dtaxi");
    let session = stage.get(&token, "/api/v1/session").await.json();
    assert_eq!((&session["data"]["csrf"], &session["data"]["read_only"]), (&"".into(), &true.into()));
}

#[tokio::test]
async fn probes_and_numbers_are_open_and_tell_nothing_of_anybody() {
    let stage = Stage::new().await;
    let nobody = Carried::default();
    assert_eq!(stage.get(&nobody, "/healthz").await.text, "alive\n");
    assert_eq!(stage.get(&nobody, "/readyz").await.status, 200);
    let numbers = stage.get(&nobody, "/metrics").await;
    assert!(numbers.text.contains("countersign_runs{state=\"waiting\"} 1"), "{}", numbers.text);
    assert!(!numbers.text.contains("taxi") && !numbers.text.contains("ada"));
    assert_eq!(stage.get(&nobody, "/assets/countersign.css").await.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn a_daemon_that_can_not_work_is_alive_but_not_ready() {
    let problems = vec!["the audit log is broken".to_string()];
    let stage = Stage::set(Setting { problems, ..Setting::default() }).await;
    let nobody = Carried::default();
    assert_eq!(stage.get(&nobody, "/healthz").await.status, 200);
    let ready = stage.get(&nobody, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["data"]["problems"][0], "the audit log is broken");
    assert!(stage.get(&nobody, "/metrics").await.text.contains("countersign_ready 0"));
}
