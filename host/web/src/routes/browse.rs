//! Everything that is only looked at: each page with its twin for programs, which answers the very view model that the page shows.

use super::{Answers, Route, schema_of};
use crate::answer;
use crate::call::Call;
use crate::pages::{self, Frame};
use crate::problem::Problem;
use crate::review::{self, Sources};
use crate::rule::{Reading, Visit};
use crate::server::Server;
use countersign_model::actor::Identity;
use countersign_model::artifact::ArtifactKind;
use countersign_ports::metadata_store::{ArtifactFilter, RunFilter};
use schemars::JsonSchema;
use serde::Serialize;
use std::pin::Pin;
use std::sync::Arc;

type Loaded<'a, View> = Pin<Box<dyn Future<Output = Result<View, Problem>> + Send + 'a>>;
type Load<View> = for<'a> fn(&'a Sources, &'a Identity, &'a mut Call) -> Loaded<'a, View>;
type Render<View> = for<'a, 'b> fn(&'a Frame<'b>, &'a View) -> Result<String, askama::Error>;

/// A page and its twin.
struct Twins<View> {
    name: &'static str,
    paths: [&'static str; 2],
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
    load: Load<View>,
    render: Render<View>,
}

impl<View: Serialize + JsonSchema + Send + Sync + 'static> Twins<View> {
    fn routes(self) -> [Route; 2] {
        let (name, load, render) = (self.name, self.load, self.render);
        let page = Reading::Viewers(Box::new(move |server: Arc<Server>, visit: Visit| {
            Box::pin(async move {
                let Visit { session, mut call } = visit;
                let view = load(&server.sources, &session.viewer.identity, &mut call).await?;
                Ok(answer::page(render(&server.frame(Some(&session), None), &view)?))
            })
        }));
        let document = Reading::Viewers(Box::new(move |server: Arc<Server>, visit: Visit| {
            Box::pin(async move {
                let Visit { session, mut call } = visit;
                answer::data(name, &load(&server.sources, &session.viewer.identity, &mut call).await?)
            })
        }));
        let [page_path, document_path] = self.paths;
        let answers = Answers::Document(name, schema_of::<View>);
        [
            Route::get(page_path, page, Answers::Page, self.summary).asking(self.query),
            Route::get(document_path, document, answers, self.summary).asking(self.query),
        ]
    }
}

const PAGE: (&str, &str) = ("page", "which page, from 1");

pub(super) fn routes() -> Vec<Route> {
    let mut routes = lists();
    routes.extend(things());
    routes.extend(tables());
    routes
}

fn lists() -> Vec<Route> {
    let inbox = Twins {
        name: "inbox",
        paths: ["/", "/api/v1/inbox"],
        summary: "Everything that waits for people, what waits for you first",
        query: &[],
        load: |sources, identity, _| Box::pin(async move { Ok(review::load_inbox(sources, identity).await?) }),
        render: pages::inbox,
    };
    let runs = Twins {
        name: "runs",
        paths: ["/runs", "/api/v1/runs"],
        summary: "Runs, newest first",
        query: &[
            ("pipeline", "of this pipeline only"),
            ("status", "in this status only: queued, running, waiting, succeeded, failed, blocked, rejected, ..."),
            ("before", "older than this run: the next page"),
        ],
        load: |sources, _, call| Box::pin(async move { Ok(review::load_runs(sources, &run_filter(call)?).await?) }),
        render: pages::runs,
    };
    let pipelines = Twins {
        name: "pipelines",
        paths: ["/pipelines", "/api/v1/pipelines"],
        summary: "Pipelines, and what is live of each",
        query: &[],
        load: |sources, _, _| Box::pin(async move { Ok(review::load_pipelines(sources).await?) }),
        render: pages::pipelines,
    };
    let artifacts = Twins {
        name: "artifacts",
        paths: ["/artifacts", "/api/v1/artifacts"],
        summary: "Artifacts, newest first",
        query: &[
            ("pipeline", "of this pipeline only"),
            ("kind", "of this kind only: Model, Examples, ..."),
            ("run", "made in this run only"),
            ("digest", "with this digest only"),
        ],
        load: |sources, _, call| {
            Box::pin(async move { Ok(review::load_artifacts(sources, &artifact_filter(call)?).await?) })
        },
        render: pages::artifacts,
    };
    [inbox.routes(), runs.routes(), pipelines.routes(), artifacts.routes()].into_iter().flatten().collect()
}

fn things() -> Vec<Route> {
    let run = Twins {
        name: "run",
        paths: ["/runs/{id}", "/api/v1/runs/{id}"],
        summary: "A run: its steps, what they made and found",
        query: &[],
        load: |sources, _, call| Box::pin(async move { Ok(review::load_run(sources, &call.id("id")?).await?) }),
        render: pages::run,
    };
    let log = Twins {
        name: "log",
        paths: ["/runs/{id}/steps/{step}/log", "/api/v1/runs/{id}/steps/{step}/log"],
        summary: "What a step of a run wrote",
        query: &[],
        load: |sources, _, call| {
            Box::pin(async move { Ok(review::load_log(sources, &call.id("id")?, call.parameter("step")?).await?) })
        },
        render: pages::log,
    };
    let pipeline = Twins {
        name: "pipeline",
        paths: ["/pipelines/{name}", "/api/v1/pipelines/{name}"],
        summary: "A pipeline: its graph, its runs, when it starts next, what is live",
        query: &[],
        load: |sources, _, call| {
            Box::pin(async move { Ok(review::load_pipeline(sources, call.parameter("name")?).await?) })
        },
        render: pages::pipeline,
    };
    let artifact = Twins {
        name: "artifact",
        paths: ["/artifacts/{id}", "/api/v1/artifacts/{id}"],
        summary: "An artifact: its files, what went into it and what came of it",
        query: &[],
        load: |sources, _, call| Box::pin(async move { Ok(review::load_artifact(sources, &call.id("id")?).await?) }),
        render: pages::artifact,
    };
    [run.routes(), log.routes(), pipeline.routes(), artifact.routes()].into_iter().flatten().collect()
}

fn tables() -> Vec<Route> {
    let compare = Twins {
        name: "comparison",
        paths: ["/compare", "/api/v1/compare"],
        summary: "Two runs side by side",
        query: &[("a", "a run"), ("b", "another run")],
        load: |sources, _, call| {
            Box::pin(async move {
                let wanted = || Problem::bad_request("name two runs: ?a=run_…&b=run_…");
                let a = call.query_as("a")?.ok_or_else(wanted)?;
                let b = call.query_as("b")?.ok_or_else(wanted)?;
                Ok(review::load_compare(sources, &a, &b).await?)
            })
        },
        render: pages::compare,
    };
    let features = Twins {
        name: "features",
        paths: ["/requests/{id}/features", "/api/v1/requests/{id}/features"],
        summary: "Every feature of the data under review, what drifted most first",
        query: &[PAGE],
        load: |sources, _, call| {
            Box::pin(async move {
                let page = call.query_as("page")?.unwrap_or(1);
                Ok(review::load_features(sources, &call.id("id")?, page).await?)
            })
        },
        render: pages::features,
    };
    let slices = Twins {
        name: "slices",
        paths: ["/requests/{id}/slices", "/api/v1/requests/{id}/slices"],
        summary: "Every slice of the evaluation under review, worst first",
        query: &[PAGE, ("q", "slices whose name contains this")],
        load: |sources, _, call| {
            Box::pin(async move {
                let page = call.query_as("page")?.unwrap_or(1);
                let search = call.query("q")?.unwrap_or_default();
                Ok(review::load_slices(sources, &call.id("id")?, page, &search).await?)
            })
        },
        render: pages::slices,
    };
    [compare.routes(), features.routes(), slices.routes()].into_iter().flatten().collect()
}

fn run_filter(call: &mut Call) -> Result<RunFilter, Problem> {
    Ok(RunFilter {
        pipeline: call.query("pipeline")?,
        status: call.query("status")?,
        before: call.query_as("before")?,
        limit: 0,
    })
}

fn artifact_filter(call: &mut Call) -> Result<ArtifactFilter, Problem> {
    Ok(ArtifactFilter {
        pipeline: call.query("pipeline")?,
        kind: call.query("kind")?.map(|kind| ArtifactKind::new(&kind)),
        digest: call.query_as("digest")?,
        run: call.query_as("run")?,
        limit: 0,
    })
}
