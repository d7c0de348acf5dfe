//! The one table of routes. The router, who gets through, and the OpenAPI document are all made from it.

mod browse;
mod decide;
mod entrance;
mod hooks;
mod machines;
mod pipelines;
mod poke;
mod review;
mod runs;
mod slack;

use crate::call::Call;
use crate::rule::{Reading, Writing};
use crate::server::Server;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use schemars::{Schema, SchemaGenerator};
use std::sync::Arc;

/// What a route answers when all is well.
#[derive(Clone, Copy)]
pub enum Answers {
    /// A page.
    Page,
    /// Elsewhere: 303.
    Elsewhere,
    /// A document in its envelope, by name.
    Document(&'static str, SchemaOf),
    /// Headers only.
    Headers,
    /// Something of another type.
    Plain(&'static str),
    /// What became of what was sent, once it is durable: 202.
    Accepted(&'static str),
}

/// What a route reads from the body.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A form with these fields; a name that ends in `*` stands for every field that begins so.
    Form(&'static [&'static str]),
    /// A JSON document.
    Json(SchemaOf),
    /// Bytes of that type.
    Raw(&'static str),
}

/// A type's schema.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`, by reference.
pub fn schema_of<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The method of a route, with its rule: no route without one.
pub enum Way {
    /// GET, and with it HEAD.
    Get(Reading),
    /// POST.
    Post(Writing),
    /// OPTIONS.
    Options(Reading),
}

impl Way {
    /// The rule's name.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Get(rule) | Self::Options(rule) => rule.name(),
            Self::Post(rule) => rule.name(),
        }
    }

    /// The method's name in the OpenAPI document.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Post(_) => "post",
            Self::Options(_) => "options",
        }
    }
}

/// One route.
pub struct Route {
    /// `/runs/{id}`.
    pub path: &'static str,
    /// Method and rule.
    pub way: Way,
    /// One line for the OpenAPI document.
    pub summary: &'static str,
    /// What its query may say: name and meaning.
    pub query: &'static [(&'static str, &'static str)],
    /// What it reads.
    pub takes: Takes,
    /// What it answers.
    pub answers: Answers,
}

impl Route {
    /// A route that answers GET.
    pub fn get(path: &'static str, rule: Reading, answers: Answers, summary: &'static str) -> Self {
        Self { path, way: Way::Get(rule), summary, query: &[], takes: Takes::Nothing, answers }
    }

    /// A route that answers POST.
    pub fn post(path: &'static str, rule: Writing, takes: Takes, answers: Answers, summary: &'static str) -> Self {
        Self { path, way: Way::Post(rule), summary, query: &[], takes, answers }
    }

    /// A route that answers OPTIONS, with headers and nothing else.
    pub fn options(path: &'static str, rule: Reading, summary: &'static str) -> Self {
        Self { path, way: Way::Options(rule), summary, query: &[], takes: Takes::Nothing, answers: Answers::Headers }
    }

    /// The same, with a query.
    pub fn asking(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    /// Whether programs talk to it: its refusals are JSON documents.
    pub fn is_json(&self) -> bool {
        self.path.starts_with("/api/") || self.path.starts_with("/hooks/")
    }

    async fn answer(&self, server: &Arc<Server>, request: Request) -> Response {
        let address = match &self.way {
            Way::Get(_) => request.uri().path_and_query().map(ToString::to_string),
            Way::Post(_) | Way::Options(_) => None,
        };
        let answered = match Call::take(request).await {
            Ok(call) => match &self.way {
                Way::Get(rule) | Way::Options(rule) => rule.admit(server, call).await,
                Way::Post(rule) => rule.admit(server, call, self.is_json()).await,
            },
            Err(problem) => Err(problem),
        };
        answered.unwrap_or_else(|problem| {
            problem.log(self.path);
            server.excuse(&problem, self.is_json(), address.as_deref())
        })
    }
}

/// Every route.
pub fn table() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(browse::routes());
    routes.extend(review::routes());
    routes.extend(decide::routes());
    routes.extend(poke::routes());
    routes.extend(runs::routes());
    routes.extend(pipelines::routes());
    routes.extend(entrance::routes());
    routes.extend(slack::routes());
    routes.extend(hooks::routes());
    routes.extend(machines::routes());
    routes
}

/// The router: the table, and what is said about everything that is not in it.
pub fn router(server: Arc<Server>) -> Router {
    let mut router = Router::new();
    for route in table() {
        let filter = match &route.way {
            Way::Get(_) => MethodFilter::GET,
            Way::Post(_) => MethodFilter::POST,
            Way::Options(_) => MethodFilter::OPTIONS,
        };
        let (path, route, server) = (route.path, Arc::new(route), server.clone());
        let handler = move |request: Request| {
            let (route, server) = (route.clone(), server.clone());
            async move { route.answer(&server, request).await }
        };
        router = router.route(path, on(filter, handler));
    }
    let (lost, wrong, https) = (server.clone(), server.clone(), server.https());
    router
        .fallback(move |request: Request| async move { machines::nothing_here(&lost, &request) })
        .method_not_allowed_fallback(move |request: Request| async move { machines::wrong_method(&wrong, &request) })
        .layer(axum::middleware::map_response(
            move |answer: Response| async move { crate::answer::seal(answer, https) },
        ))
}
