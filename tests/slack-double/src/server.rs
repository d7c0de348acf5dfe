//! The Web API over HTTP: tokens in the right place, faults when they are ordered, a log of every call.

use crate::double::{Call, Fault, SlackDouble, Trouble};
use crate::{APP, BOT};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::time::Instant;

pub(crate) fn router(double: SlackDouble) -> Router {
    Router::new().route("/api/{method}", post(call)).route("/upload/{file}", post(upload)).with_state(double)
}

/// The fault that was ordered for this call, or what ails all of them.
fn fault(double: &SlackDouble, method: &str) -> Option<Fault> {
    let mut inner = double.inner();
    match inner.trouble {
        Some(Trouble::Status(status)) => Some(Fault::Status(status)),
        Some(Trouble::Hang) => Some(Fault::Hang),
        Some(Trouble::Down | Trouble::Reset) => Some(Fault::Reset),
        None => inner.faults.get_mut(method).and_then(VecDeque::pop_front),
    }
}

async fn upload(State(double): State<SlackDouble>, Path(file): Path<String>, body: Bytes) -> Response {
    if fault(&double, "upload").is_some() || body.is_empty() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    double.inner().files.push(file);
    StatusCode::OK.into_response()
}

async fn call(
    State(double): State<SlackDouble>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
    let arguments: Value = if header("content-type").starts_with("application/x-www-form-urlencoded") {
        form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
            .collect()
    } else {
        serde_json::from_slice(&body).unwrap_or_default()
    };
    let fault = fault(&double, &method);
    let token = if method == "apps.connections.open" { APP } else { BOT };
    let answer = match &fault {
        _ if header("authorization") != format!("Bearer {token}") => Err("invalid_auth".to_string()),
        Some(Fault::Refuse(error)) => Err((*error).to_string()),
        Some(Fault::Status(_) | Fault::RateLimit(_) | Fault::Hang | Fault::Reset) => Err("not done".to_string()),
        Some(Fault::DoneThenReset) | None => double.answer(&method, &arguments),
    };
    let limited = matches!(&answer, Err(error) if error == "ratelimited") || matches!(fault, Some(Fault::RateLimit(_)));
    let said = match (&answer, limited) {
        (_, true) => "429".to_string(),
        (Ok(_), _) => "ok".to_string(),
        (Err(error), _) => error.clone(),
    };
    double.inner().calls.push(Call { method, arguments, at: Instant::now(), answer: said });
    match fault {
        Some(Fault::Status(status)) => StatusCode::from_u16(status).expect("a status").into_response(),
        Some(Fault::RateLimit(seconds)) => too_many(seconds),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset | Fault::DoneThenReset) => broken(),
        Some(Fault::Refuse(_)) | None if limited => too_many(double.gap.as_secs().max(1)),
        Some(Fault::Refuse(_)) | None => spoken(&double, answer),
    }
}

fn spoken(double: &SlackDouble, answer: Result<Value, String>) -> Response {
    let value = match answer {
        Ok(mut value) => {
            value["ok"] = true.into();
            value
        }
        Err(error) => json!({ "ok": false, "error": error }),
    };
    let scopes = [("x-oauth-scopes", double.inner().scopes.clone())];
    (scopes, axum::Json(value)).into_response()
}

fn too_many(seconds: u64) -> Response {
    let retry = [("retry-after", seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, retry, axum::Json(json!({ "ok": false, "error": "ratelimited" }))).into_response()
}

/// The head of an answer, and then the connection is gone.
fn broken() -> Response {
    let start = Ok::<_, std::io::Error>(Bytes::from_static(b"{\"ok\":"));
    let end = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    Body::from_stream(futures::stream::iter([start, end])).into_response()
}
