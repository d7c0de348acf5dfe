//! Stopping a run.

use super::{Answers, Route, Takes, schema_of};
use crate::access::Session;
use crate::answer;
use crate::forms::EmptyBody;
use crate::problem::Problem;
use crate::rule::{Deed, Writing, refuse, run};
use crate::server::Server;
use axum::response::Response;
use countersign_model::actor::Identity;
use countersign_model::decision::SignoffRequest;
use countersign_model::id::RunId;
use countersign_model::run::RunState;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/runs/{id}/cancel",
            Writing::People(run(from_page)),
            Takes::Form(&["csrf"]),
            Answers::Elsewhere,
            "Stop a run",
        ),
        Route::post(
            "/api/v1/runs/{id}/cancel",
            Writing::People(run(from_program)),
            Takes::Json(schema_of::<EmptyBody>),
            Answers::Document("cancelled", schema_of::<Cancelled>),
            "Stop a run",
        ),
    ]
}

/// A run that was stopped.
#[derive(Debug, Serialize, JsonSchema)]
struct Cancelled {
    /// The run.
    run: String,
}

async fn from_page(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let run = deed.call.id("id")?;
    deed.sent.form()?.finish()?;
    cancel(&server, &deed.session, &run).await?;
    Ok(answer::see_other(&format!("/runs/{run}")))
}

async fn from_program(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let run = deed.call.id("id")?;
    let EmptyBody {} = deed.sent.json()?;
    cancel(&server, &deed.session, &run).await?;
    answer::data("cancelled", &Cancelled { run: run.to_string() })
}

async fn cancel(server: &Server, session: &Session, id: &RunId) -> Result<(), Problem> {
    let run = server.options.store.run(id).await?;
    let run = run.ok_or_else(|| Problem::not_found(format!("there is no run `{id}`")))?;
    let identity = &session.viewer.identity;
    let request = match &run.state {
        RunState::Waiting { request } => server.options.store.request(request).await?,
        RunState::Queued | RunState::Running | RunState::Ended { .. } => None,
    };
    if run.started_by != identity.actor && !has_a_say(identity, request.as_ref()) {
        let why = "stopping a run is for whoever started it, for people listed under `[people]` and for those who may decide on it";
        return Err(refuse(server, session, &id.to_string(), why).await);
    }
    Ok(server.options.desk.cancel(id, &identity.actor).await?)
}

/// Whether somebody is more than a member of the workspace: listed under `[people]`, or wanted by a request.
pub(super) fn has_a_say(identity: &Identity, request: Option<&SignoffRequest>) -> bool {
    let wanted = |request: &SignoffRequest| {
        let quorums = request.policy.approvers.iter().chain(request.policy.wanted(request.verdict));
        quorums.into_iter().any(|quorum| identity.roles.contains(&quorum.role))
    };
    identity.is_listed() || request.is_some_and(wanted)
}
