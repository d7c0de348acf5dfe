//! `export`: a run's artifacts as plain files, `DIR/<step>/<output>/…`, for notebooks and other tools.

use crate::args::ExportArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::{lookup, wiring};
use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// Copies every output of the run's finished steps, verified.
///
/// # Errors
/// When there is no such run, the directory holds something already, or an artifact can not be read.
pub async fn run(context: &Context, arguments: &ExportArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    let artifacts = wiring::artifacts(context)?;
    let run = lookup::run(store.as_ref(), &arguments.run).await?;
    let taken = std::fs::read_dir(&arguments.directory).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let text = format!("error: {} is not empty: name a new directory", arguments.directory.display());
        return Err(WrongInput::new(text).into());
    }
    let mut exported: Vec<PathBuf> = Vec::new();
    for execution in store.executions(&run.id).await? {
        let Some(result) = execution.state.result() else { continue };
        for (port, artifact) in &result.outputs {
            let from = artifacts.open(&artifact.digest).await?;
            let to = arguments.directory.join(&execution.step).join(port);
            for file in artifacts.manifest(&artifact.digest).await?.files {
                copy(&from.join(&file.path), &to.join(&file.path))?;
            }
            exported.push(to);
        }
    }
    if context.json() {
        context.print_json("export", &exported)?;
    } else {
        for directory in &exported {
            println!("{}", directory.display());
        }
    }
    Ok(Exit::Done)
}

/// Copies the bytes and not the store's read-only mode: an export is its owner's.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    }
    let bytes = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
    std::fs::write(to, bytes).with_context(|| format!("write {}", to.display()))
}
