//! Signing in with Slack, against a strict double: what comes back counts in one browser, once, for a member of our workspace.

use super::slack_double::{Account, SlackDouble, account};
use super::stage::{Answer, Carried, Setting, Stage};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const CALLBACK: &str = "/sign-in/slack/callback";

/// A browser in which a sign-in was begun.
struct Begun {
    browser: Carried,
    query: BTreeMap<String, String>,
}

async fn stage() -> (Stage, SlackDouble) {
    let double = SlackDouble::start().await;
    let setting = Setting { slack: Some(format!("{}/api", double.url)), ..Setting::default() };
    (Stage::set(setting).await, double)
}

async fn begin(stage: &Stage, double: &SlackDouble, next: &str) -> Begun {
    let answer = stage.post(&Carried::default(), "/sign-in/slack", &[("next", next)]).await;
    let place = answer.header("location").to_string();
    let (address, query) = place.split_once('?').unwrap();
    assert_eq!(address, format!("{}/openid/connect/authorize", double.url));
    let secret = answer.cookie("__Host-countersign-sign-in").unwrap();
    let cookie = format!("__Host-countersign-sign-in={secret}");
    assert!(!place.contains(&secret));
    Begun {
        browser: Carried { headers: vec![("cookie", cookie)], csrf: String::new() },
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
    }
}

async fn finish(stage: &Stage, browser: &Carried, code: &str, state: &str) -> Answer {
    stage.post(browser, CALLBACK, &[("code", code), ("state", state)]).await
}

async fn nobody_is_in(stage: &Stage, answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert!(answer.cookie("__Host-countersign").is_none_or(|secret| secret.is_empty()));
    let kind = countersign_ports::access_store::CredentialKind::Session;
    assert!(stage.bench.store.credentials(kind, stage.bench.now()).await.unwrap().is_empty());
    for secret in ["slack-client-secret", "xoxp-"] {
        assert!(!answer.text.contains(secret));
    }
}

#[tokio::test]
async fn a_member_of_the_workspace_comes_in_and_goes_where_they_wanted() {
    let (stage, double) = stage().await;
    let page = stage.get(&Carried::default(), "/sign-in?next=/runs").await;
    assert!(page.header("content-security-policy").contains(&format!("form-action 'self' {}", double.url)));
    let begun = begin(&stage, &double, "/runs?pipeline=taxi").await;
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("client_id", "11.22"),
        ("team", "T01"),
        ("redirect_uri", "https://sign.example.org/sign-in/slack/callback"),
    ] {
        assert_eq!(begun.query[name], value);
    }
    let code = double.allow(&begun.query["nonce"], account("T01", "U09"));
    let state = &begun.query["state"];
    let page = stage.get(&begun.browser, &format!("{CALLBACK}?code={code}&state={state}")).await;
    assert!(
        page.status == 200 && page.text.contains("action=\"/sign-in/slack/callback\"") && page.text.contains(&code)
    );
    let answer = finish(&stage, &begun.browser, &code, state).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/runs?pipeline=taxi"), "{}", answer.text);
    let secret = answer.cookie("__Host-countersign").unwrap();
    let carried = Carried { headers: vec![("cookie", format!("__Host-countersign={secret}"))], csrf: String::new() };
    assert_eq!(stage.get(&carried, "/api/v1/session").await.json()["data"]["actor"], "slack:T01/U09");
    // The same way a second time leads nowhere.
    assert_eq!(finish(&stage, &begun.browser, &code, state).await.status, 403);
}

#[tokio::test]
async fn nobody_is_led_to_another_site() {
    let (stage, double) = stage().await;
    let begun = begin(&stage, &double, "//evil.example.org/").await;
    let code = double.allow(&begun.query["nonce"], account("T01", "U09"));
    assert_eq!(finish(&stage, &begun.browser, &code, &begun.query["state"]).await.header("location"), "/");
}

#[tokio::test]
async fn what_was_begun_in_another_browser_or_too_long_ago_counts_for_nothing() {
    let (stage, double) = stage().await;
    let (mine, theirs) = (begin(&stage, &double, "/").await, begin(&stage, &double, "/").await);
    let code = double.allow(&theirs.query["nonce"], account("T01", "U09"));
    let crossed = finish(&stage, &mine.browser, &code, &theirs.query["state"]).await;
    nobody_is_in(&stage, &crossed, 403).await;
    nobody_is_in(&stage, &finish(&stage, &Carried::default(), &code, &theirs.query["state"]).await, 403).await;
    let own_state = finish(&stage, &mine.browser, &code, &mine.query["state"]).await;
    nobody_is_in(&stage, &own_state, 502).await;
    stage.bench.clock.advance(Duration::from_secs(601));
    let code = double.allow(&theirs.query["nonce"], account("T01", "U09"));
    nobody_is_in(&stage, &finish(&stage, &theirs.browser, &code, &theirs.query["state"]).await, 403).await;
}

#[tokio::test]
async fn an_account_that_does_not_fit_is_refused() {
    let (stage, double) = stage().await;
    let bent = |claims: &[(&'static str, serde_json::Value)], info: &[(&'static str, serde_json::Value)]| Account {
        claims: claims.iter().cloned().collect(),
        info: info.iter().cloned().collect(),
        ..account("T01", "U09")
    };
    let cases = [
        (account("T02", "U09"), 403),
        (account("T01", "U08"), 403),
        (bent(&[("nonce", json!("another"))], &[]), 502),
        (bent(&[("nonce", json!(null))], &[]), 502),
        (bent(&[("aud", json!("33.44"))], &[]), 502),
        (bent(&[("iss", json!("https://evil.example.org"))], &[]), 502),
        (bent(&[("exp", json!(1_700_000_000))], &[]), 502),
        (bent(&[("sub", json!("U07"))], &[]), 502),
        (bent(&[], &[("https://slack.com/user_id", json!("U09/../U01"))]), 502),
        (bent(&[], &[("https://slack.com/team_id", json!("T02"))]), 502),
        (bent(&[], &[("ok", json!(false)), ("error", json!("account_inactive"))]), 502),
        (bent(&[], &[("sub", json!("x".repeat(100_000)))]), 502),
    ];
    for (account, status) in cases {
        let begun = begin(&stage, &double, "/").await;
        let code = double.allow(&begun.query["nonce"], account);
        let answer = finish(&stage, &begun.browser, &code, &begun.query["state"]).await;
        nobody_is_in(&stage, &answer, status).await;
    }
}

#[tokio::test]
async fn slack_that_does_not_answer_is_said_in_words() {
    let setting = Setting { slack: Some("http://127.0.0.1:9".to_string()), ..Setting::default() };
    let stage = Stage::set(setting).await;
    let answer = stage.post(&Carried::default(), "/sign-in/slack", &[("next", "/")]).await;
    let secret = answer.cookie("__Host-countersign-sign-in").unwrap();
    let place = answer.header("location");
    let query = place.split_once('?').unwrap().1;
    let query: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let browser =
        Carried { headers: vec![("cookie", format!("__Host-countersign-sign-in={secret}"))], csrf: String::new() };
    let answer = finish(&stage, &browser, "code", &query["state"]).await;
    nobody_is_in(&stage, &answer, 502).await;
    assert!(answer.text.contains("one-time link"), "{}", answer.text);
}

#[tokio::test]
async fn without_sign_in_with_slack_its_routes_are_not_there() {
    let stage = Stage::new().await;
    assert_eq!(stage.post(&Carried::default(), "/sign-in/slack", &[("next", "/")]).await.status, 404);
    assert_eq!(stage.get(&Carried::default(), &format!("{CALLBACK}?code=a&state=b")).await.status, 404);
}
