//! What programs read: probes, numbers, the OpenAPI document, the style sheet; and the endpoint that Slack sends to.

use super::{Answers, Route, Takes, schema_of};
use crate::answer;
use crate::call::Call;
use crate::health::{self, Health};
use crate::pages;
use crate::problem::Problem;
use crate::rule::{Reading, Writing, run};
use crate::server::Server;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign_ports::WebhookRequest;
use countersign_ports::metadata_store::Counts;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Most bytes of an interaction. Slack's largest are some tens of kilobytes.
const LARGEST_INTERACTION: usize = 1 << 20;
/// How long a probe waits for the store.
const STORE_ANSWERS: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Reading::Public(run(alive)), Answers::Plain("text/plain"), "Whether the server answers"),
        Route::get(
            "/readyz",
            Reading::Public(run(ready)),
            Answers::Document("health", schema_of::<Health>),
            "Whether the daemon can do its work; 503 when it can not",
        ),
        Route::get(
            "/metrics",
            Reading::Public(run(metrics)),
            Answers::Plain("text/plain"),
            "Numbers in Prometheus' text format: counts and ages, no names",
        ),
        Route::get(
            "/api/openapi.json",
            Reading::Public(run(open_api)),
            Answers::Plain("application/json"),
            "This document",
        ),
        Route::get(
            "/assets/countersign.css",
            Reading::Public(run(stylesheet)),
            Answers::Plain("text/css"),
            "The pages' style sheet",
        ),
        Route::post(
            "/slack/interactions",
            Writing::Signed(&["signature"], run(interaction)),
            Takes::Raw("application/x-www-form-urlencoded"),
            Answers::Plain("application/json"),
            "Clicks from Slack, signed by Slack",
        ),
    ]
}

async fn alive(_server: Arc<Server>, _call: Call) -> Result<Response, Problem> {
    Ok(answer::text("alive\n".to_string()))
}

async fn ready(server: Arc<Server>, _call: Call) -> Result<Response, Problem> {
    let (mut health, counts) = tokio::join!((server.options.health)(), counts(&server, "/readyz"));
    let problem = "the store does not answer".to_string();
    if counts.is_none() && !health.problems.contains(&problem) {
        health.problems.push(problem);
    }
    let status = if health.problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer::data_with(status, "health", &health)
}

async fn metrics(server: Arc<Server>, _call: Call) -> Result<Response, Problem> {
    let (mut health, counts) = tokio::join!((server.options.health)(), counts(&server, "/metrics"));
    health.webhook_refused += server.webhook_refused.load(Ordering::Relaxed);
    let text = health::metrics(&health, counts.as_ref(), server.options.clock.now());
    Ok(answer::of(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}

/// What the store counts; none when it does not, or not soon enough for whoever probes.
async fn counts(server: &Server, asking: &str) -> Option<Counts> {
    let counted = tokio::time::timeout(STORE_ANSWERS, server.options.store.counts()).await;
    let problem = match counted {
        Ok(Ok(counts)) => return Some(counts),
        Ok(Err(error)) => Problem::from(error),
        Err(late) => Problem::failed("count what the store holds", late),
    };
    problem.log(asking);
    None
}

async fn open_api(_server: Arc<Server>, _call: Call) -> Result<Response, Problem> {
    Ok(answer::of(StatusCode::OK, "application/json", crate::openapi::text()))
}

async fn stylesheet(_server: Arc<Server>, _call: Call) -> Result<Response, Problem> {
    let mut answer = answer::of(StatusCode::OK, "text/css; charset=utf-8", pages::stylesheet());
    // The one thing that is the same for everybody; ten minutes, so that an upgrade shows soon.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
    Ok(answer)
}

async fn interaction(server: Arc<Server>, mut call: Call) -> Result<Response, Problem> {
    let webhook = server.options.webhook.as_ref();
    let webhook = webhook.ok_or_else(|| Problem::not_found("Slack is not set up to send here"))?;
    let body = call.body(LARGEST_INTERACTION, server.body_timeout).await;
    let body = body.inspect_err(|_| {
        server.webhook_refused.fetch_add(1, Ordering::Relaxed);
    })?;
    let headers = call.headers.iter().map(|(name, value)| (name.as_str().to_string(), value.as_bytes().to_vec()));
    let said = webhook.receive(WebhookRequest { headers: headers.collect(), body }).await;
    let status = StatusCode::from_u16(said.status).map_err(|error| Problem::failed("answer Slack", error))?;
    Ok(answer::of(status, "application/json", said.body))
}

/// For an address that is not in the table.
pub(super) fn nothing_here(server: &Server, request: &Request) -> Response {
    let json = request.uri().path().starts_with("/api/");
    server.excuse(&Problem::not_found("there is nothing at this address"), json, None)
}

/// For a method that the address does not know.
pub(super) fn wrong_method(server: &Server, request: &Request) -> Response {
    let json = request.uri().path().starts_with("/api/");
    let problem = Problem::Refused {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: format!("{} means nothing at this address", request.method()),
    };
    server.excuse(&problem, json, None)
}
