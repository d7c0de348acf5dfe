//! Deliveries wherever they lie: the one place that knows directories from object stores.

use crate::arrival;
use crate::error::ArrivalError;
use crate::look::{Found, Listing};
use crate::objects::{Objects, S3Options};
use async_trait::async_trait;
use countersign_model::digest::Digest;
use countersign_model::pipeline::Source;
use countersign_ports::{Delivered, DeliveryFinder};
use std::path::{Path, PathBuf};

/// Lists, digests and copies delivered files and objects.
pub struct Deliveries {
    objects: Objects,
}

impl Deliveries {
    /// Files by their paths, objects by these options.
    pub fn new(s3: S3Options) -> Self {
        Self { objects: Objects::new(s3) }
    }

    /// What lies in a source's place now, from the oldest span to the newest.
    pub(crate) async fn list(&self, source: &Source) -> Result<Listing, ArrivalError> {
        if source.object().is_some() {
            return self.objects.list(source).await;
        }
        let (path, source) = (PathBuf::from(&source.path), source.clone());
        blocking("list deliveries", path, move || arrival::list(&source)).await
    }

    /// The digest of a delivery that still looks as it was found.
    pub(crate) async fn digest(&self, found: &Found) -> Result<Option<Digest>, ArrivalError> {
        if is_object(&found.delivered.path) {
            return self.objects.digest(found).await;
        }
        let (path, look) = (PathBuf::from(&found.delivered.path), found.look);
        blocking("read delivery", path.clone(), move || arrival::digest(&path, look)).await
    }
}

#[async_trait]
impl DeliveryFinder for Deliveries {
    async fn newest(&self, source: &Source) -> Result<Delivered, String> {
        let missing = || format!("no file matches {}: put one there, or change the source's `path`", source.path);
        self.all(source).await?.pop().ok_or_else(missing)
    }

    async fn all(&self, source: &Source) -> Result<Vec<Delivered>, String> {
        let listing = self.list(source).await.map_err(|error| crate::error::with_causes(&error))?;
        Ok(listing.found.into_iter().map(|found| found.delivered).collect())
    }

    async fn fetch(&self, path: &str, to: &Path) -> Result<(), String> {
        if is_object(path) {
            return self.objects.fetch(path, to).await.map_err(|error| crate::error::with_causes(&error));
        }
        let copied = tokio::fs::copy(path, to).await;
        copied.map(drop).map_err(|error| format!("read {path}: {error}; check the source's `path` in the pipeline"))
    }
}

fn is_object(path: &str) -> bool {
    path.starts_with("s3://")
}

/// Waits for disks on a thread where that stops nobody else.
async fn blocking<T: Send + 'static>(
    operation: &'static str,
    path: PathBuf,
    read: impl FnOnce() -> Result<T, ArrivalError> + Send + 'static,
) -> Result<T, ArrivalError> {
    let died = |error| ArrivalError::Io { operation, path, source: std::io::Error::other(error) };
    tokio::task::spawn_blocking(read).await.map_err(died)?
}
