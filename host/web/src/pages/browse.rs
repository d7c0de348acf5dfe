//! Pages that are only looked at.

use super::plots::{self, Plot};
use super::shell::{Frame, Shell};
use super::words;
use crate::review::{
    ArtifactList, ArtifactPage, Comparison, Inbox, LogPage, PipelinePage, PipelinesPage, RunList, RunPage,
};
use askama::Template;

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxTemplate<'a> {
    shell: Shell<'a>,
    inbox: &'a Inbox,
}

/// Everything that waits for people.
///
/// # Errors
/// When the template fails, which it does not.
pub fn inbox(frame: &Frame<'_>, inbox: &Inbox) -> Result<String, askama::Error> {
    InboxTemplate { shell: Shell::of(frame, "inbox"), inbox }.render()
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsTemplate<'a> {
    shell: Shell<'a>,
    list: &'a RunList,
    statuses: [&'static str; 11],
}

/// Runs, newest first.
///
/// # Errors
/// When the template fails, which it does not.
pub fn runs(frame: &Frame<'_>, list: &RunList) -> Result<String, askama::Error> {
    let statuses = [
        "queued",
        "running",
        "waiting",
        "succeeded",
        "failed",
        "blocked",
        "rejected",
        "superseded",
        "expired",
        "replaced",
        "cancelled",
    ];
    RunsTemplate { shell: Shell::of(frame, "runs"), list, statuses }.render()
}

#[derive(Template)]
#[template(path = "run.html")]
pub(super) struct RunTemplate<'a> {
    pub(super) shell: Shell<'a>,
    pub(super) page: &'a RunPage,
    pub(super) graph: Option<Plot>,
}

/// One run.
///
/// # Errors
/// When the template fails, which it does not.
pub fn run(frame: &Frame<'_>, page: &RunPage) -> Result<String, askama::Error> {
    let artifacts = format!("{}/artifacts/", frame.base);
    let graph = plots::nodes("Lineage of the run", &page.lineage.nodes, &page.lineage.edges, Some(&artifacts));
    RunTemplate { shell: Shell::of(frame, "runs"), page, graph }.render()
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogTemplate<'a> {
    shell: Shell<'a>,
    page: &'a LogPage,
}

/// A step's log.
///
/// # Errors
/// When the template fails, which it does not.
pub fn log(frame: &Frame<'_>, page: &LogPage) -> Result<String, askama::Error> {
    LogTemplate { shell: Shell::of(frame, "runs"), page }.render()
}

#[derive(Template)]
#[template(path = "pipelines.html")]
struct PipelinesTemplate<'a> {
    shell: Shell<'a>,
    page: &'a PipelinesPage,
}

/// All pipelines.
///
/// # Errors
/// When the template fails, which it does not.
pub fn pipelines(frame: &Frame<'_>, page: &PipelinesPage) -> Result<String, askama::Error> {
    PipelinesTemplate { shell: Shell::of(frame, "pipelines"), page }.render()
}

#[derive(Template)]
#[template(path = "pipeline.html")]
struct PipelineTemplate<'a> {
    shell: Shell<'a>,
    page: &'a PipelinePage,
    graph: Option<Plot>,
}

/// One pipeline.
///
/// # Errors
/// When the template fails, which it does not.
pub fn pipeline(frame: &Frame<'_>, page: &PipelinePage) -> Result<String, askama::Error> {
    let graph = plots::nodes("Steps of the pipeline", &page.nodes, &page.edges, None);
    PipelineTemplate { shell: Shell::of(frame, "pipelines"), page, graph }.render()
}

#[derive(Template)]
#[template(path = "artifacts.html")]
struct ArtifactsTemplate<'a> {
    shell: Shell<'a>,
    list: &'a ArtifactList,
}

/// Artifacts, newest first.
///
/// # Errors
/// When the template fails, which it does not.
pub fn artifacts(frame: &Frame<'_>, list: &ArtifactList) -> Result<String, askama::Error> {
    ArtifactsTemplate { shell: Shell::of(frame, "artifacts"), list }.render()
}

#[derive(Template)]
#[template(path = "artifact.html")]
struct ArtifactTemplate<'a> {
    shell: Shell<'a>,
    page: &'a ArtifactPage,
    upstream: Option<Plot>,
    downstream: Option<Plot>,
}

/// One artifact.
///
/// # Errors
/// When the template fails, which it does not.
pub fn artifact(frame: &Frame<'_>, page: &ArtifactPage) -> Result<String, askama::Error> {
    let path = format!("{}/artifacts/", frame.base);
    let upstream = plots::lineage("upstream", "What went into it", &page.upstream, &path);
    let downstream = plots::lineage("downstream", "What came of it", &page.downstream, &path);
    ArtifactTemplate { shell: Shell::of(frame, "artifacts"), page, upstream, downstream }.render()
}

#[derive(Template)]
#[template(path = "compare.html")]
struct CompareTemplate<'a> {
    shell: Shell<'a>,
    page: &'a Comparison,
}

/// Two runs side by side.
///
/// # Errors
/// When the template fails, which it does not.
pub fn compare(frame: &Frame<'_>, page: &Comparison) -> Result<String, askama::Error> {
    CompareTemplate { shell: Shell::of(frame, "runs"), page }.render()
}
