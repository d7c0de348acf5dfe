//! `demo`: the bundled pipeline on the bundled data, up to a person's decision.

use crate::args::{DemoArgs, Output};
use crate::context::{Context, demo_directory, program};
use crate::demo::Folder;
use crate::exit::Exit;
use crate::terminal::watch::TerminalWatcher;
use crate::{settle, system, wiring};
use countersign_orchestrator::{Silent, Watcher};
use std::sync::Arc;

/// Prepares the demo's folder, runs the pipeline, shows the evidence and asks.
///
/// # Errors
/// When the folder can not be written or the stores fail.
pub async fn run(output: Output, arguments: &DemoArgs) -> anyhow::Result<Exit> {
    let person = system::person()?;
    let root = demo_directory(arguments.dir.as_deref())?;
    let folder = Folder::prepare(&root, &person, arguments.reset)?;
    let delivered = arguments.with.map(|delivery| folder.deliver(delivery)).transpose()?;
    let prefix = match &arguments.dir {
        None => format!("{} --demo", program()),
        Some(_) => format!("{} --config {}", program(), folder.settings().display()),
    };
    let context = Context::with(output, &folder.settings(), prefix)?;
    let watcher: Arc<dyn Watcher> = if context.json() { Arc::new(Silent) } else { Arc::new(TerminalWatcher::new()) };
    let installation = wiring::install(&context, &[], watcher).await?;
    if !context.json() {
        println!(
            "Countersign {}  ·  data in {}  ·  SQLite  ·  {} built-in components",
            env!("CARGO_PKG_VERSION"),
            root.display(),
            installation.installed.0.len()
        );
        if let Some(file) = delivered {
            println!("delivered {}", file.display());
        }
    }
    let catalogue = installation.installed.catalogue();
    let version = wiring::read_pipeline(&folder.pipeline(), &catalogue, installation.clock.as_ref())?;
    let run = installation.engine.start(&version, &person).await?;
    settle::carry_and_ask(&context, &installation, &run, &person).await
}
