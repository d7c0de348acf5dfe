//! `report`: the reviewer's page of a run as one file that needs nothing else: for mail, archives and auditors.

use crate::args::ReportArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::{lookup, wiring};
use anyhow::Context as _;
use countersign_orchestrator::Silent;
use std::path::PathBuf;
use std::sync::Arc;

/// Writes the report.
///
/// # Errors
/// When there is no such run, an artifact can not be read, or the file can not be written.
pub async fn run(context: &Context, arguments: &ReportArgs) -> anyhow::Result<Exit> {
    let installation = wiring::install(context, &[], Arc::new(Silent)).await?;
    let run = lookup::run(installation.stores.metadata.as_ref(), &arguments.run).await?;
    let web = wiring::web::pages(context, &installation, context.page_url().unwrap_or_default(), None)?;
    let page = web.report(&run.id).await.context("put the report together")?;
    let file = arguments.html.clone().flatten().unwrap_or_else(|| PathBuf::from(format!("{}.html", run.id)));
    std::fs::write(&file, page).with_context(|| format!("write {}", file.display()))?;
    if context.json() {
        context.print_json("report", &serde_json::json!({ "run": run.id, "file": file }))?;
    } else {
        println!("{}", file.display());
    }
    Ok(Exit::Done)
}
