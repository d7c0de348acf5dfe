//! Reads documents out of artifacts, each once.

use super::sources::{ReviewError, Sources};
use countersign_formats::reference::{self, ReferenceBins};
use countersign_formats::tfmd::Message;
use countersign_formats::tfmd::anomalies::{self, Anomalies};
use countersign_model::digest::Digest;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Most bytes of one document; a larger one is not read for a page.
const LARGEST: u64 = 256 << 20;

/// The document in a file of an artifact, as `parse` reads it, from the shelf if it was read before.
pub(super) async fn document<T, E>(
    sources: &Sources,
    digest: &Digest,
    file: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, E> + Send + 'static,
) -> Result<Arc<T>, ReviewError>
where
    T: Send + Sync + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let key = format!("{digest}/{file}");
    if let Some(kept) = sources.shelf.get(&key) {
        return Ok(kept);
    }
    let unreadable =
        |problem: String| ReviewError::Unreadable { what: format!("{file} of {}", digest.short()), problem };
    let folder = sources.artifacts.open(digest).await.map_err(|error| unreadable(error.to_string()))?;
    let path = below(&folder, file).ok_or_else(|| unreadable("no path inside an artifact".to_string()))?;
    let read = tokio::task::spawn_blocking(move || -> Result<T, String> {
        let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
        if size > LARGEST {
            return Err(format!("{size} bytes are too many for a page"));
        }
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        parse(&bytes).map_err(|error| error.to_string())
    });
    let document = Arc::new(read.await.map_err(|error| unreadable(error.to_string()))?.map_err(unreadable)?);
    sources.shelf.put(key, Arc::clone(&document));
    Ok(document)
}

/// A JSON document.
pub(super) async fn json<T>(sources: &Sources, digest: &Digest, file: &str) -> Result<Arc<T>, ReviewError>
where
    T: serde::de::DeserializeOwned + Send + Sync + 'static,
{
    document(sources, digest, file, |bytes| serde_json::from_slice::<T>(bytes)).await
}

/// The reference counts of each split of a `Statistics` artifact, by split.
pub(super) async fn references(
    sources: &Sources,
    digest: &Digest,
) -> Result<Vec<(String, Arc<ReferenceBins>)>, ReviewError> {
    let mut found = Vec::new();
    for split in splits(sources, digest, reference::FILE).await? {
        let bins = json(sources, digest, &format!("{split}/{}", reference::FILE)).await?;
        found.push((split, bins));
    }
    Ok(found)
}

/// The anomalies of each split of an `Anomalies` artifact, by split.
pub(super) async fn anomalies(
    sources: &Sources,
    digest: &Digest,
) -> Result<Vec<(String, Arc<Anomalies>)>, ReviewError> {
    let mut found = Vec::new();
    for split in splits(sources, digest, anomalies::FILE).await? {
        let read = |bytes: &[u8]| Anomalies::decode(bytes);
        let document = document(sources, digest, &format!("{split}/{}", anomalies::FILE), read).await?;
        found.push((split, document));
    }
    Ok(found)
}

/// The folders of an artifact that hold `file`: `train` first, then `eval`, then the others by name.
async fn splits(sources: &Sources, digest: &Digest, file: &str) -> Result<Vec<String>, ReviewError> {
    let key = format!("{digest}//{file}");
    if let Some(kept) = sources.shelf.get::<Vec<String>>(&key) {
        return Ok(kept.as_ref().clone());
    }
    let manifest = sources.artifacts.manifest(digest).await.map_err(|error| ReviewError::Unreadable {
        what: format!("files of {}", digest.short()),
        problem: error.to_string(),
    })?;
    let folders = manifest.files.iter().filter_map(|entry| entry.path.strip_suffix(file)?.strip_suffix('/'));
    let mut splits: Vec<String> = folders.map(str::to_string).collect();
    let rank = |split: &str| ["train", "eval"].iter().position(|known| *known == split).unwrap_or(2);
    splits.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    sources.shelf.put(key, Arc::new(splits.clone()));
    Ok(splits)
}

/// `file` below `folder`; none when it would leave it.
fn below(folder: &Path, file: &str) -> Option<PathBuf> {
    let plain = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| folder.join(file))
}
