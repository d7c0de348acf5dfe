//! Hooks: where other systems say that something happened, and the handshake with which they ask first.

use super::{Answers, Route, Takes};
use crate::answer;
use crate::call::Call;
use crate::problem::Problem;
use crate::rule::{Reading, Writing, run};
use crate::server::Server;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign_ports::WebhookRequest;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Most bytes of a request: a batch of a thousand events fits.
const LARGEST: usize = 1 << 20;
/// How a hook's senders prove who they are: which of them, the settings say.
const PROOFS: &[&str] = &["hook_bearer", "hook_token", "hook_signature"];
const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/hooks/{name}",
            Writing::Signed(PROOFS, run(receive)),
            Takes::Raw("*/*"),
            Answers::Accepted("application/json"),
            "Something happened: a CloudEvent (binary, structured, batch), an S3 notification, or a JSON object of one's own",
        ),
        Route::options(
            "/hooks/{name}",
            Reading::Public(run(shake_hands)),
            "The handshake of CloudEvents: whether events may be delivered here",
        ),
    ]
}

async fn receive(server: Arc<Server>, mut call: Call) -> Result<Response, Problem> {
    let hooks = server.options.hooks.as_ref().ok_or_else(|| Problem::not_found("no hooks are set up here"))?;
    let body = call.body(LARGEST, server.body_timeout).await;
    let body = body.inspect_err(|_| {
        server.webhook_refused.fetch_add(1, Ordering::Relaxed);
    })?;
    let headers = call.headers.iter().map(|(name, value)| (name.as_str().to_string(), value.as_bytes().to_vec()));
    let request = WebhookRequest { headers: headers.collect(), body };
    let said = hooks.receive(call.parameter("name")?, request).await;
    let status = StatusCode::from_u16(said.status).map_err(|error| Problem::failed("answer a hook", error))?;
    let mut answer = answer::of(status, "application/json", said.body);
    if status == StatusCode::UNAUTHORIZED {
        server.webhook_refused.fetch_add(1, Ordering::Relaxed);
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    Ok(answer)
}

/// Agrees to deliveries from whoever asks, at any rate: every one of them has to prove its sender all the same. So the answer says
/// nothing of which hooks there are.
async fn shake_hands(server: Arc<Server>, call: Call) -> Result<Response, Problem> {
    if server.options.hooks.is_none() {
        return Err(Problem::not_found("no hooks are set up here"));
    }
    let mut origins = call.headers.get_all(REQUEST_ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (Some(origin), None) if !origin.is_empty() && origin.len() <= 255 => origin.clone(),
        _ => return Err(Problem::bad_request("a handshake names one origin in `WebHook-Request-Origin`")),
    };
    let mut answer = Response::new(Body::empty());
    let headers = answer.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    headers.insert(ALLOWED_ORIGIN, origin);
    headers.insert(ALLOWED_RATE, HeaderValue::from_static("*"));
    Ok(answer)
}
