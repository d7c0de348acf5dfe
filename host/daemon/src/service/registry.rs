//! Reads, checks and registers every pipeline that the settings name.

use crate::failure::WrongInput;
use crate::wiring::{self, Installation};
use anyhow::Context as _;
use countersign_config::settings::Settings;
use countersign_model::actor::Actor;
use countersign_model::pipeline::PipelineVersion;
use std::path::PathBuf;

/// The pipelines of `places`: files, and folders of `.toml` files. Changes nothing.
///
/// # Errors
/// When one is wrong, or two have the same name.
pub fn read(places: &[PathBuf], installation: &Installation) -> anyhow::Result<Vec<PipelineVersion>> {
    let mut versions: Vec<PipelineVersion> = Vec::new();
    let catalogue = installation.installed.catalogue();
    for path in pipeline_files(places)? {
        let version = wiring::read_pipeline(&path, &catalogue, installation.clock.as_ref())?;
        if let Some(twin) = versions.iter().find(|other| other.name == version.name) {
            let text = format!("error: {} and {} are both named `{}`", twin.origin, version.origin, version.name);
            return Err(WrongInput::new(text).into());
        }
        versions.push(version);
    }
    Ok(versions)
}

/// Says what does not fit together between the settings and the pipelines: nothing is wrong with either, but something never starts.
pub fn tell_disagreements(settings: &Settings, versions: &[PipelineVersion]) {
    for disagreement in countersign_config::disagreements(settings, versions.iter().map(|version| &version.pipeline)) {
        tracing::warn!("{disagreement}");
    }
}

/// Registers them.
///
/// # Errors
/// When the store fails.
pub async fn register(versions: &[PipelineVersion], installation: &Installation, by: &Actor) -> anyhow::Result<()> {
    for version in versions {
        installation.stores.metadata.register_pipeline(version, by).await?;
    }
    Ok(())
}

/// The files that the settings name.
///
/// # Errors
/// When a folder can not be read.
pub fn pipeline_files(places: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for place in places {
        if !place.is_dir() {
            files.push(place.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(place).with_context(|| format!("read {} (setting `pipelines`)", place.display()))?;
        let toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        files.extend(entries.flatten().map(|entry| entry.path()).filter(toml));
    }
    files.sort();
    Ok(files)
}
