//! Judged by slack_sdk: what it signs is taken, what it refuses is refused, and ours needs no more calls than its own client.

use crate::world::{SIGNING, World, click, timing};
use countersign_ports::WebhookRequest;
use countersign_slack::Timing;
use countersign_slack_double::{BOT, SlackDouble};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Lets slack_sdk do something; None without Python.
async fn slack_sdk(task: Value) -> Option<Value> {
    let done = tokio::task::spawn_blocking(move || {
        let python = countersign_judges::python()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transport/strangers.py");
        let mut child = Command::new(python)
            .arg(script)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        child.stdin.take().expect("its input").write_all(task.to_string().as_bytes()).expect("give it the task");
        let output = child.wait_with_output().expect("python ends");
        assert!(output.status.success(), "slack_sdk failed");
        Some(serde_json::from_slice(&output.stdout).expect("an answer"))
    });
    done.await.unwrap()
}

fn request(timestamp: &str, signature: &str, body: &str) -> WebhookRequest {
    let header = |name: &str, value: &str| (name.to_string(), value.as_bytes().to_vec());
    let headers = vec![header("x-slack-request-timestamp", timestamp), header("x-slack-signature", signature)];
    WebhookRequest { headers, body: body.to_string().into() }
}

#[tokio::test]
async fn what_slack_sdk_signs_is_taken_and_what_it_refuses_is_refused() {
    let world = World::new().await;
    let gate = world.request("taxi", 1).await;
    let at = world.bench.now().as_micros() / 1_000_000;
    let form = |payload: &str| -> String {
        form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish()
    };
    let clicked = click("U0ADA", "hold", &gate.handle(), "1.1.a").to_string();
    let bodies = [form(&clicked), form("{\"type\":\"✓ 🚕 שלום\"}"), "a=b&c=%20d+e".to_string(), String::new()];
    let Some(signatures) = slack_sdk(json!({ "do": "sign", "secret": SIGNING, "at": at, "bodies": bodies })).await
    else {
        return;
    };
    let webhook = world.webhook();
    let mut tried: Vec<(String, String, String)> = Vec::new();
    for (body, signature) in bodies.iter().zip(signatures.as_array().unwrap()) {
        let signature = signature.as_str().unwrap().to_string();
        assert_eq!(webhook.receive(request(&at.to_string(), &signature, body)).await.status, 200, "{body}");
        let tail = &signature[3..];
        for (timestamp, signature, body) in [
            (at.to_string(), signature.clone(), body.clone()),
            (at.to_string(), signature.clone(), format!("{body}x")),
            ((at + 1).to_string(), signature.clone(), body.clone()),
            ((at - 301).to_string(), signature.clone(), body.clone()),
            ((at + 301).to_string(), signature.clone(), body.clone()),
            (format!("{at}.5"), signature.clone(), body.clone()),
            ("now".to_string(), signature.clone(), body.clone()),
            (String::new(), signature.clone(), body.clone()),
            (at.to_string(), format!("v1={tail}"), body.clone()),
            (at.to_string(), format!("v0={}", tail.to_uppercase()), body.clone()),
            (at.to_string(), signature[..60].to_string(), body.clone()),
            (at.to_string(), String::new(), body.clone()),
        ] {
            tried.push((timestamp, signature, body));
        }
    }
    assert_eq!(world.decisions(&gate).await.len(), 1);
    let requests: Vec<Value> = tried
        .iter()
        .map(|(timestamp, signature, body)| json!({ "timestamp": timestamp, "signature": signature, "body": body }))
        .collect();
    let task = json!({ "do": "verify", "secret": SIGNING, "at": at, "requests": requests });
    let Some(verdicts) = slack_sdk(task).await else { return };
    for ((timestamp, signature, body), valid) in tried.iter().zip(verdicts.as_array().unwrap()) {
        let taken = webhook.receive(request(timestamp, signature, body)).await.status == 200;
        assert_eq!(Value::Bool(taken), *valid, "{timestamp} {signature} {body}");
    }
    assert_eq!(verdicts.as_array().unwrap().iter().filter(|valid| **valid == Value::Bool(true)).count(), bodies.len());
}

#[tokio::test]
async fn ours_posts_with_no_more_calls_than_slack_sdk() {
    const POSTS: usize = 3;
    let second = Duration::from_secs(1);
    let double = SlackDouble::start(second).await;
    let task = json!({ "do": "post", "token": BOT, "url": format!("{}/api/", double.url), "posts": POSTS });
    if slack_sdk(task).await.is_none() {
        return;
    }
    assert_eq!(double.messages().len(), POSTS, "slack_sdk itself passes the double");
    let theirs = double.calls("chat.postMessage").len();
    assert!(theirs > POSTS, "and was asked to wait");
    let world = World::with(second, Timing { message_gap: second, ..timing() }).await;
    for number in 0..POSTS {
        let request = world.request(&format!("p{number}"), 1).await;
        world.posted(&request).await;
    }
    assert_eq!(world.double.messages().len(), POSTS);
    let ours = world.double.calls("chat.postMessage").len();
    assert_eq!(ours, POSTS, "theirs: {theirs}");
}
