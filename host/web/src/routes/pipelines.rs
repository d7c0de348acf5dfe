//! What people do to a pipeline: start a run of it, pause it, let it go on. The desk does it.

use super::{Answers, Route, Takes, schema_of};
use crate::answer;
use crate::call::Sent;
use crate::forms::{EmptyBody, PauseBody};
use crate::problem::Problem;
use crate::rule::{Deed, Writing, refuse, run};
use crate::server::Server;
use axum::response::Response;
use countersign_model::actor::Actor;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Most characters of a reason: it is shown and kept for ever.
const LONGEST_REASON: usize = 400;

pub(super) fn routes() -> Vec<Route> {
    let (plain, reasoned) = (Takes::Form(&["csrf"]), Takes::Form(&["csrf", "reason"]));
    let empty = Takes::Json(schema_of::<EmptyBody>);
    let started = Answers::Document("started", schema_of::<Started>);
    let paused = Answers::Document("paused", schema_of::<PauseAnswer>);
    let page =
        |path, handler, takes, summary| Route::post(path, Writing::People(handler), takes, Answers::Elsewhere, summary);
    let program =
        |path, handler, takes, answers, summary| Route::post(path, Writing::People(handler), takes, answers, summary);
    let pause_body = Takes::Json(schema_of::<PauseBody>);
    let [start, pause, resume] =
        ["Start a run", "Pause a pipeline: nothing new of it begins", "Let a paused pipeline go on"];
    vec![
        page("/pipelines/{name}/runs", run(start_from_page), plain, start),
        page("/pipelines/{name}/pause", run(pause_from_page), reasoned, pause),
        page("/pipelines/{name}/resume", run(resume_from_page), plain, resume),
        program("/api/v1/pipelines/{name}/runs", run(start_from_program), empty, started, start),
        program("/api/v1/pipelines/{name}/pause", run(pause_from_program), pause_body, paused, pause),
        program("/api/v1/pipelines/{name}/resume", run(resume_from_program), empty, paused, resume),
    ]
}

/// A run that was started.
#[derive(Debug, Serialize, JsonSchema)]
struct Started {
    /// The run.
    run: String,
}

/// Whether a pipeline is paused now.
#[derive(Debug, Serialize, JsonSchema)]
struct PauseAnswer {
    /// Whether it is paused.
    paused: bool,
    /// Whether it was not so before.
    changed: bool,
}

async fn start_from_page(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let (name, actor, sent) = admitted(&server, deed).await?;
    sent.form()?.finish()?;
    let run = server.options.desk.start(&name, &actor).await?;
    Ok(answer::see_other(&format!("/runs/{run}")))
}

async fn start_from_program(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let (name, actor, sent) = admitted(&server, deed).await?;
    let EmptyBody {} = sent.json()?;
    let run = server.options.desk.start(&name, &actor).await?;
    answer::data("started", &Started { run: run.to_string() })
}

async fn pause_from_page(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let (name, actor, sent) = admitted(&server, deed).await?;
    let mut fields = sent.form()?;
    let reason = fields.take("reason")?.unwrap_or_default();
    fields.finish()?;
    pause(&server, &name, &actor, &reason).await?;
    Ok(answer::see_other(&page_of(&name)))
}

async fn pause_from_program(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let (name, actor, sent) = admitted(&server, deed).await?;
    let PauseBody { reason } = sent.json()?;
    let changed = pause(&server, &name, &actor, &reason).await?;
    answer::data("paused", &PauseAnswer { paused: true, changed })
}

async fn resume_from_page(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let (name, actor, sent) = admitted(&server, deed).await?;
    sent.form()?.finish()?;
    server.options.desk.unpause(&name, &actor).await?;
    Ok(answer::see_other(&page_of(&name)))
}

async fn resume_from_program(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let (name, actor, sent) = admitted(&server, deed).await?;
    let EmptyBody {} = sent.json()?;
    let changed = server.options.desk.unpause(&name, &actor).await?;
    answer::data("paused", &PauseAnswer { paused: false, changed })
}

async fn pause(server: &Server, name: &str, actor: &Actor, reason: &str) -> Result<bool, Problem> {
    let reason = reason.trim();
    if reason.chars().count() > LONGEST_REASON {
        return Err(Problem::unprocessable(format!("a reason takes at most {LONGEST_REASON} characters")));
    }
    Ok(server.options.desk.pause(name, actor, reason).await?)
}

/// The pipeline, who acts on it and what came with it. That is for people listed under `[people]`, not for every member of a workspace.
async fn admitted(server: &Server, deed: Deed) -> Result<(String, Actor, Sent), Problem> {
    let Deed { session, sent, call } = deed;
    let (name, identity) = (call.parameter("name")?.to_string(), &session.viewer.identity);
    if identity.is_listed() {
        return Ok((name, identity.actor.clone(), sent));
    }
    let why = "starting and pausing a pipeline is for people listed under `[people]`";
    Err(refuse(server, &session, &name, why).await)
}

fn page_of(name: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("/pipelines/{name}")
}
