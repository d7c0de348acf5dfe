//! The page on which people decide, its twin for programs, and the document that a decision is bound to, byte for byte.

use super::{Answers, Route, schema_of};
use crate::access::Session;
use crate::answer;
use crate::forms::Draft;
use crate::pages;
use crate::problem::Problem;
use crate::review::{self, Review};
use crate::rule::{Reading, Visit, run};
use crate::server::Server;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_model::id::{PokeId, RequestId};
use std::sync::Arc;

pub(super) fn routes() -> Vec<Route> {
    let query = &[
        ("said", "what just happened: recorded, late"),
        ("poke", "a try of the models to show"),
        ("example", "row of the hard example that the next try begins with"),
    ];
    vec![
        Route::get("/requests/{id}", Reading::Viewers(run(page)), Answers::Page, "A candidate under review")
            .asking(query),
        Route::get(
            "/api/v1/requests/{id}",
            Reading::Viewers(run(document)),
            Answers::Document("review", schema_of::<Review>),
            "A candidate under review: everything that its page shows",
        ),
        Route::get(
            "/requests/{id}/evidence.json",
            Reading::Viewers(run(evidence)),
            Answers::Plain("application/json"),
            "The evidence exactly as it was shown and signed: its SHA-256 is the evidence digest",
        ),
    ]
}

async fn page(server: Arc<Server>, visit: Visit) -> Result<Response, Problem> {
    let Visit { session, mut call } = visit;
    let request: RequestId = call.id("id")?;
    // Words of ours only: a link must not be able to put words on this page.
    let notice = match call.query("said")?.as_deref() {
        Some("recorded") => Some("Your decision is recorded."),
        Some("late") => {
            Some("Somebody was faster: this was decided already. Yours is recorded as late and changes nothing.")
        }
        Some(_) | None => None,
    };
    let poke = match call.query_as::<PokeId>("poke")? {
        Some(wanted) => server.options.store.pokes(&request).await?.into_iter().find(|poke| poke.id == wanted),
        None => None,
    };
    let mut view = review::load_review(&server.sources, &request).await?;
    if let Some(row) = call.query_as("example")? {
        view.poke.begin_with(row);
    }
    let html = pages::review(&server.frame(Some(&session), notice), &view, poke.as_ref(), None)?;
    Ok(answer::page(html))
}

async fn document(server: Arc<Server>, visit: Visit) -> Result<Response, Problem> {
    answer::data("review", &review::load_review(&server.sources, &visit.call.id("id")?).await?)
}

async fn evidence(server: Arc<Server>, visit: Visit) -> Result<Response, Problem> {
    let request: RequestId = visit.call.id("id")?;
    let found = server.options.store.request(&request).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no request `{request}`")))?;
    Ok(answer::of(StatusCode::OK, "application/json", found.evidence))
}

/// The page again after something on it was not done: says why, and keeps what was typed.
pub(super) async fn again(
    server: &Server,
    session: &Session,
    request: &RequestId,
    problem: &Problem,
    draft: Option<&Draft>,
) -> Result<Response, Problem> {
    let view = review::load_review(&server.sources, request).await?;
    let words = problem.words();
    let html = pages::review(&server.frame(Some(session), Some(&words)), &view, None, draft)?;
    Ok(answer::page_with(problem.status(), html))
}
