//! Where artifacts' bytes lie. Nothing half-written is ever visible; digests are checked before every use.

use async_trait::async_trait;
use countersign_model::artifact::Manifest;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use std::path::{Path, PathBuf};

/// What goes wrong with artifacts' bytes.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactStoreError {
    /// A file operation failed.
    #[error("{operation}: {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No artifact of that digest.
    #[error("find artifact: {0} is not in the artifact store")]
    Missing(Digest),
    /// The bytes are not what was published.
    #[error("verify artifact: {digest}: {problem}")]
    Corrupt {
        /// The artifact.
        digest: Digest,
        /// What is wrong, naming the file.
        problem: String,
    },
    /// A component or a person left something that is no plain file or directory, or a name that is no UTF-8.
    #[error("read tree: {}: {problem}", path.display())]
    Unfit {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Content-addressed directories.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// An empty staging directory on the store's own file system.
    async fn stage(&self) -> Result<PathBuf, ArtifactStoreError>;

    /// Digests the staged directory, makes it durable and moves it into place in one step. When the same tree is there
    /// already, the staged one is dropped. Refuses links, devices and names that are no UTF-8.
    async fn publish(&self, staged: &Path) -> Result<(Digest, Manifest), ArtifactStoreError>;

    /// The artifact's directory, after every file was checked against the manifest. Callers only read.
    async fn open(&self, digest: &Digest) -> Result<PathBuf, ArtifactStoreError>;

    /// The artifact's files.
    async fn manifest(&self, digest: &Digest) -> Result<Manifest, ArtifactStoreError>;

    /// Everything that is stored.
    async fn digests(&self) -> Result<Vec<Digest>, ArtifactStoreError>;

    /// What [`Self::remove`] would free.
    async fn removable(&self, digest: &Digest, published_until: Timestamp) -> Result<Option<u64>, ArtifactStoreError>;

    /// Removes an artifact's bytes and answers how many that were. None, and nothing happens, when they are not there or were published,
    /// for the first time or again, after `published_until`: whoever did that may be about to record it.
    async fn remove(&self, digest: &Digest, published_until: Timestamp) -> Result<Option<u64>, ArtifactStoreError>;

    /// Removes staging directories that no process fills any more (older than a day).
    async fn sweep(&self) -> Result<u64, ArtifactStoreError>;
}
