//! Reads, checks and registers every pipeline that the settings name.

use crate::failure::WrongInput;
use crate::wiring::{self, Installation};
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_model::pipeline::PipelineVersion;
use std::path::PathBuf;

/// Registers the pipelines of `places`: files, and folders of `.toml` files.
///
/// # Errors
/// When one is wrong, two have the same name, or the store fails.
pub async fn register(
    places: &[PathBuf],
    installation: &Installation,
    person: &Actor,
) -> anyhow::Result<Vec<PipelineVersion>> {
    let mut versions: Vec<PipelineVersion> = Vec::new();
    for path in pipeline_files(places)? {
        let catalogue = installation.installed.catalogue();
        let version = wiring::read_pipeline(&path, &catalogue, installation.clock.as_ref())?;
        if let Some(twin) = versions.iter().find(|other| other.name == version.name) {
            let text = format!("error: {} and {} are both named `{}`", twin.origin, version.origin, version.name);
            return Err(WrongInput::new(text).into());
        }
        installation.stores.metadata.register_pipeline(&version, person).await?;
        versions.push(version);
    }
    Ok(versions)
}

fn pipeline_files(places: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
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
