//! Finds and fetches the files that runs start from, wherever they lie.

use async_trait::async_trait;
use countersign_model::pipeline::Source;
use std::path::Path;

/// A delivered file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Where it lies: a path, or the `s3://` address of an object.
    pub path: String,
    /// The span that its name spells.
    pub span: Option<String>,
}

/// Lists a source's place and copies out of it. Errors are sentences that name the place and say what was expected there.
#[async_trait]
pub trait DeliveryFinder: Send + Sync {
    /// The newest file of the source, by span.
    async fn newest(&self, source: &Source) -> Result<Delivered, String>;
    /// Every file of the source, from the oldest span to the newest; none when its place is not there yet.
    async fn all(&self, source: &Source) -> Result<Vec<Delivered>, String>;
    /// Copies the file at `path`, as in [`Delivered::path`], to a new file.
    async fn fetch(&self, path: &str, to: &Path) -> Result<(), String>;
}
