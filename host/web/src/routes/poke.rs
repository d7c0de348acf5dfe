//! Pokes: a reviewer tries the candidate and the live model on an example of their own. Each one is recorded by the desk.

use super::{Answers, Route, Takes, review, runs, schema_of};
use crate::access::Session;
use crate::answer;
use crate::forms::PokeBody;
use crate::problem::Problem;
use crate::review::PokeLine;
use crate::rule::{Deed, Writing, refuse, run};
use crate::server::Server;
use axum::response::Response;
use countersign_model::id::RequestId;
use std::sync::Arc;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/requests/{id}/poke",
            Writing::People(run(from_page)),
            Takes::Form(&["csrf", "column.*"]),
            Answers::Elsewhere,
            "Try both models on an example",
        ),
        Route::post(
            "/api/v1/requests/{id}/poke",
            Writing::People(run(from_program)),
            Takes::Json(schema_of::<PokeBody>),
            Answers::Document("poke", schema_of::<PokeLine>),
            "Try both models on an example",
        ),
    ]
}

async fn from_page(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let request: RequestId = deed.call.id("id")?;
    let Deed { session, sent, .. } = deed;
    may_poke(&server, &session, &request).await?;
    let mut fields = sent.form()?;
    let mut example = fields.take_prefixed("column.")?;
    fields.finish()?;
    example.retain(|_, text| !text.is_empty());
    match server.options.desk.poke(&request, &session.viewer.identity.actor, example).await {
        Ok(poke) => Ok(answer::see_other(&format!("/requests/{request}?poke={}#poke", poke.id))),
        Err(error) => {
            let problem = Problem::from(error);
            problem.log("/requests/{id}/poke");
            review::again(&server, &session, &request, &problem, None).await
        }
    }
}

async fn from_program(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let request: RequestId = deed.call.id("id")?;
    let Deed { session, sent, .. } = deed;
    may_poke(&server, &session, &request).await?;
    let PokeBody { example } = sent.json()?;
    let poke = server.options.desk.poke(&request, &session.viewer.identity.actor, example).await?;
    answer::data("poke", &PokeLine::of(&poke))
}

/// The sandbox is for people who have a say here.
async fn may_poke(server: &Server, session: &Session, request: &RequestId) -> Result<(), Problem> {
    let found = server.options.store.request(request).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no request `{request}`")))?;
    if runs::has_a_say(&session.viewer.identity, Some(&found)) {
        return Ok(());
    }
    let why = "trying the models is for people listed under `[people]` and for those who may decide here";
    Err(refuse(server, session, &request.to_string(), why).await)
}
