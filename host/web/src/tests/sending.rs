//! Bodies: too large, too slow, of the wrong type; the endpoint that Slack sends to; and the server on a real socket.

use super::stage::{Carried, HOME, Setting, Stage, request};
use axum::body::Body;
use axum::http::{Method, Request};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn interaction(signatures: &[&str], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(Method::POST).uri("/slack/interactions");
    for signature in signatures {
        request = request.header("x-slack-signature", *signature);
    }
    request.header("content-type", "application/x-www-form-urlencoded").body(body).unwrap()
}

#[tokio::test]
async fn what_slack_sends_reaches_its_judge_as_it_came() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    let right = stage.send(interaction(&["v0=right"], Body::from("payload=%7B%7D"))).await;
    assert_eq!((right.status.as_u16(), right.text.as_str()), (200, "{\"bytes\":14}"));
    for forged in [&[][..], &["v0=wrong"], &["v0=right", "v0=right"], &["v0=right", "v0=wrong"]] {
        assert_eq!(stage.send(interaction(forged, Body::from("payload=%7B%7D"))).await.status, 401, "{forged:?}");
    }
    assert_eq!(before, stage.snapshot().await);
}

#[tokio::test]
async fn without_slack_there_is_no_endpoint() {
    let stage = Stage::set(Setting::default()).await;
    assert_eq!(stage.send(interaction(&["v0=right"], Body::from("payload"))).await.status, 404);
}

#[tokio::test]
async fn bodies_that_are_too_large_or_of_another_type_are_refused() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await.from(HOME);
    let before = stage.snapshot().await;
    let mebibyte = 1 << 20;
    assert_eq!(stage.send(interaction(&["v0=right"], Body::from(vec![b'a'; mebibyte]))).await.status, 200);
    assert_eq!(stage.send(interaction(&["v0=right"], Body::from(vec![b'a'; mebibyte + 1]))).await.status, 413);
    let path = format!("/requests/{}/poke", stage.request.id);
    let large = Some(("application/x-www-form-urlencoded", format!("column.a={}", "x".repeat(256 << 10))));
    assert_eq!(stage.send(request(Method::POST, &path, &carried, large)).await.status, 413);
    let typed = Some(("multipart/form-data", String::new()));
    assert_eq!(stage.send(request(Method::POST, &path, &carried, typed)).await.status, 415);
    assert_eq!(before, stage.snapshot().await);
    let numbers = stage.get(&Carried::default(), "/metrics").await.text;
    assert!(numbers.contains("countersign_webhook_refused_total 1"), "{numbers}");
}

/// Sends bytes to a server on a socket, answers what comes back until it closes.
async fn over_a_socket(address: std::net::SocketAddr, bytes: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn the_server_answers_on_a_socket_gives_up_on_slow_bodies_and_stops_when_told() {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let setting = Setting { webhook: true, body_timeout: Some(Duration::from_millis(20)), ..Setting::default() };
    let (stage, web) = Stage::with_server(setting).await;
    let before = stage.snapshot().await;
    let served = tokio::spawn(web.serve(listener, stopped));
    let text = over_a_socket(address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("alive\n"), "{text}");
    let half = "POST /slack/interactions HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf";
    let text = over_a_socket(address, half).await;
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    assert_eq!(before, stage.snapshot().await);
    stop.send(true).unwrap();
    served.await.unwrap().unwrap();
}
