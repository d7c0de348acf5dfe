//! Finds components: the built-in ones in this binary, others in the directories that settings and command line name.

use crate::failure::{self, WrongInput};
use anyhow::Context as _;
use bytes::Bytes;
use countersign_config::Catalogue;
use countersign_model::component::Description;
use countersign_model::digest::Digest;
use countersign_orchestrator::Components;
use countersign_ports::ComponentRunner;
use countersign_ports::component_runner::Component;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};

/// One component that pipelines can name.
pub struct Entry {
    /// Its bytes.
    pub component: Component,
    /// What it says of itself.
    pub description: Description,
}

/// Every component, by name.
pub struct Installed(pub BTreeMap<String, Entry>);

impl Installed {
    /// Loads the built-in components, then those in `directories`, then `files`; a later one takes an earlier one's name.
    ///
    /// # Errors
    /// When a named directory or file can not be read, or holds no component of our interface.
    pub async fn load(
        runner: &Arc<dyn ComponentRunner>,
        directories: &[PathBuf],
        files: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let mut found = Vec::new();
        for (_, wasm, digest) in countersign_builtins::BUILT_IN {
            let (digest, wasm) = (digest.parse()?, Bytes::from_static(wasm));
            found.push(Component { digest, wasm, origin: "built in".to_string() });
        }
        for directory in directories {
            for path in wasm_files(directory)? {
                found.push(read(&path)?);
            }
        }
        for file in files {
            found.push(read(file)?);
        }
        // At the first start this compiles them, so they are described side by side.
        let mut tasks = Vec::new();
        for component in found {
            let runner = Arc::clone(runner);
            tasks.push(tokio::spawn(async move {
                let description = runner.describe(&component).await;
                description.map(|description| Entry { component, description })
            }));
        }
        let mut progress = Loading::of(tasks.len());
        let mut installed = BTreeMap::new();
        for task in tasks {
            let entry = progress.wait(task).await?;
            let entry = entry.map_err(|error| WrongInput::new(format!("error: {}", failure::chain(&error))))?;
            installed.insert(entry.description.name.clone(), entry);
        }
        Ok(Self(installed))
    }

    /// What pipelines are checked against.
    pub fn catalogue(&self) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for entry in self.0.values() {
            let described = (entry.description.clone(), entry.component.digest);
            catalogue.components.insert(entry.description.name.clone(), described);
        }
        catalogue
    }

    /// What runs are carried with.
    pub fn components(&self) -> Components {
        let mut components = Components::default();
        for entry in self.0.values() {
            components.add(entry.component.clone(), entry.description.clone());
        }
        components
    }
}

/// A bar that appears only when loading takes long, which is when components are compiled for this machine: once.
struct Loading {
    total: usize,
    done: usize,
    bar: Option<ProgressBar>,
}

impl Loading {
    /// Loading that takes less shows nothing.
    const UNNOTICED: Duration = Duration::from_millis(300);

    fn of(total: usize) -> Self {
        Self { total, done: 0, bar: None }
    }

    async fn wait<T>(&mut self, mut task: JoinHandle<T>) -> Result<T, JoinError> {
        let ended = match tokio::time::timeout(Self::UNNOTICED, &mut task).await {
            Ok(ended) => ended,
            Err(_) => {
                let bar = self.bar.get_or_insert_with(|| ProgressBar::new(self.total as u64));
                bar.set_style(
                    ProgressStyle::with_template("{msg} {pos}/{len} · {eta} left {bar:20}")
                        .unwrap_or_else(|_| ProgressStyle::default_bar()),
                );
                bar.set_message("compiling components for this machine, once");
                bar.set_position(self.done as u64);
                task.await
            }
        };
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64);
            if self.done == self.total {
                bar.finish_and_clear();
            }
        }
        ended
    }
}

/// Reads one file.
///
/// # Errors
/// When it can not be read.
pub fn read(path: &Path) -> anyhow::Result<Component> {
    let wasm = std::fs::read(path)
        .map_err(|error| WrongInput::new(format!("error: read component {}: {error}", path.display())))?;
    Ok(Component { digest: Digest::of(&wasm), wasm: wasm.into(), origin: path.display().to_string() })
}

fn wasm_files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("read component directory {} (setting `component_dirs`)", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("read component directory {}", directory.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
