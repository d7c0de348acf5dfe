//! `runs`: what ran, newest first.

use crate::args::RunsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::{run as run_text, text};
use crate::wiring;
use countersign_ports::metadata_store::RunFilter;

/// Lists runs.
///
/// # Errors
/// When the store fails.
pub async fn run(context: &Context, arguments: &RunsArgs) -> anyhow::Result<Exit> {
    let filter = RunFilter {
        pipeline: arguments.pipeline.clone(),
        status: arguments.status.clone(),
        before: None,
        limit: arguments.limit,
    };
    let runs = wiring::metadata(context).await?.runs(&filter).await?;
    if context.json() {
        context.print_json("runs", &runs)?;
    } else if runs.is_empty() {
        println!("no runs yet: `countersign demo` shows one, `countersign run PIPELINE.toml` starts yours");
    } else {
        let rows: Vec<Vec<String>> = runs.iter().map(run_text::row).collect();
        print!("{}", text::table(&["RUN", "PIPELINE", "STATE", "SPAN", "STARTED", "BY"], &rows));
    }
    Ok(Exit::Done)
}
