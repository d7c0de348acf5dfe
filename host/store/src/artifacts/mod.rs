//! Artifacts' bytes on the local file system.
//!
//! ```text
//! <root>/staging/<unique>/                     being filled; invisible to everybody else
//! <root>/sha256/<2 hex>/<digest>/files/…       whole, read-only
//! <root>/sha256/<2 hex>/<digest>/manifest.json
//! ```
//! An artifact appears by one rename, after its bytes were made durable: a kill at any point before leaves nothing but a staging
//! directory, which [`ArtifactStore::sweep`] removes. It goes in the same way: one rename, and then its files. Knows nothing of kinds, steps or runs.

mod durable;
mod memo;
mod remove;
mod tree;

use async_trait::async_trait;
use countersign_model::artifact::{FileEntry, Manifest};
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::failpoint::{Point, Side, reach};
use countersign_ports::{ArtifactStore, ArtifactStoreError};
use durable::failed;
use memo::Memo;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const FILES: &str = "files";
const MANIFEST: &str = "manifest.json";

/// Content-addressed directories below one root.
#[derive(Clone)]
pub struct LocalArtifacts {
    place: Arc<Place>,
}

struct Place {
    root: PathBuf,
    /// Numbers this process's staging directories.
    staged: AtomicU64,
    memo: Memo,
}

impl LocalArtifacts {
    /// The store below `root`; makes it, for the owner alone, when it is not there.
    ///
    /// # Errors
    /// When the directories can not be made.
    pub fn open(root: &Path) -> Result<Self, ArtifactStoreError> {
        for directory in ["staging", "sha256"] {
            let path = root.join(directory);
            durable::create_private(&path).map_err(failed("create directory", &path))?;
        }
        let place = Place { root: root.to_path_buf(), staged: AtomicU64::new(0), memo: Memo::default() };
        Ok(Self { place: Arc::new(place) })
    }

    /// File work blocks, so it happens on threads made for that.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Place) -> Result<T, ArtifactStoreError> + Send + 'static,
    ) -> Result<T, ArtifactStoreError> {
        let place = Arc::clone(&self.place);
        let root = place.root.clone();
        tokio::task::spawn_blocking(move || work(&place))
            .await
            .map_err(|error| failed("work on artifacts", &root)(std::io::Error::other(error)))?
    }
}

#[async_trait]
impl ArtifactStore for LocalArtifacts {
    async fn stage(&self) -> Result<PathBuf, ArtifactStoreError> {
        self.blocking(Place::stage).await
    }

    async fn publish(&self, staged: &Path) -> Result<(Digest, Manifest), ArtifactStoreError> {
        let staged = staged.to_path_buf();
        self.blocking(move |place| place.publish(&staged)).await
    }

    async fn open(&self, digest: &Digest) -> Result<PathBuf, ArtifactStoreError> {
        let digest = *digest;
        self.blocking(move |place| {
            place.verify(&digest)?;
            Ok(place.home(&digest).join(FILES))
        })
        .await
    }

    async fn manifest(&self, digest: &Digest) -> Result<Manifest, ArtifactStoreError> {
        let digest = *digest;
        self.blocking(move |place| place.manifest(&digest)).await
    }

    async fn digests(&self) -> Result<Vec<Digest>, ArtifactStoreError> {
        self.blocking(Place::digests).await
    }

    async fn removable(&self, digest: &Digest, published_until: Timestamp) -> Result<Option<u64>, ArtifactStoreError> {
        let digest = *digest;
        self.blocking(move |place| place.removable(&digest, published_until)).await
    }

    async fn remove(&self, digest: &Digest, published_until: Timestamp) -> Result<Option<u64>, ArtifactStoreError> {
        let digest = *digest;
        self.blocking(move |place| place.remove(&digest, published_until)).await
    }

    async fn sweep(&self) -> Result<u64, ArtifactStoreError> {
        self.blocking(Place::sweep).await
    }
}

impl Place {
    fn home(&self, digest: &Digest) -> PathBuf {
        let text = digest.to_string();
        self.root.join("sha256").join(&text[..2]).join(text)
    }

    /// The process number keeps processes apart, and the loop whatever a former process of that number left behind.
    fn stage(&self) -> Result<PathBuf, ArtifactStoreError> {
        loop {
            let number = self.staged.fetch_add(1, Ordering::Relaxed);
            let path = self.root.join("staging").join(format!("{}-{number}", std::process::id()));
            match durable::create_one_private(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("create directory", &path)(error)),
            }
        }
    }

    fn publish(&self, staged: &Path) -> Result<(Digest, Manifest), ArtifactStoreError> {
        let listed = tree::list(staged, tree::Empty::Remove)?;
        let mut entries = Vec::new();
        let mut stamps = Vec::new();
        for file in &listed.files {
            durable::make_read_only(&file.path)?;
            let (digest, stamp) = tree::digest(&file.path)?;
            entries.push(FileEntry { path: file.name.clone(), bytes: stamp.bytes, digest });
            stamps.push((file.name.clone(), stamp, digest));
        }
        let manifest = Manifest::new(entries);
        let digest = manifest.digest();
        let home = self.home(&digest);
        if home.exists() && self.keeps_whole(&digest)? && self.publish_again(&home)? {
            durable::discard(staged)?;
            return Ok((digest, manifest));
        }
        for file in &listed.files {
            durable::sync(&file.path)?;
        }
        self.move_in(staged, &listed.directories, &manifest, &home)?;
        for (name, stamp, digest) in stamps {
            self.memo.remember(home.join(FILES).join(name), stamp, digest);
        }
        Ok((digest, manifest))
    }

    /// Whether what lies there may stay. Spoilt bytes are put aside, so that good ones take their place.
    fn keeps_whole(&self, digest: &Digest) -> Result<bool, ArtifactStoreError> {
        match self.verify(digest) {
            Ok(()) => Ok(true),
            Err(ArtifactStoreError::Corrupt { .. } | ArtifactStoreError::Unfit { .. }) => {
                let home = self.home(digest);
                if !home.exists() {
                    return Ok(false);
                }
                tracing::warn!(artifact.digest = %digest, "replacing a stored artifact whose bytes are spoilt");
                durable::make_writable(&home)?;
                let aside = self.stage()?.join("spoilt");
                std::fs::rename(&home, &aside).map_err(failed("put spoilt artifact aside", &home))?;
                Ok(false)
            }
            // It was removed just now.
            Err(ArtifactStoreError::Missing(_)) => Ok(false),
            Err(error @ ArtifactStoreError::Io { .. }) => Err(error),
        }
    }

    fn move_in(
        &self,
        staged: &Path,
        directories: &[PathBuf],
        manifest: &Manifest,
        home: &Path,
    ) -> Result<(), ArtifactStoreError> {
        let whole = self.stage()?;
        let manifest_path = whole.join(MANIFEST);
        let text = serde_json::to_vec(manifest)
            .map_err(|error| failed("write manifest", &manifest_path)(std::io::Error::other(error)))?;
        std::fs::write(&manifest_path, text).map_err(failed("write manifest", &manifest_path))?;
        durable::make_read_only(&manifest_path)?;
        durable::sync(&manifest_path)?;
        // Deepest first, and the top one only when it has moved: a directory that is read-only can not change its parent.
        for directory in directories.iter().rev() {
            durable::sync(directory)?;
            if directory != staged {
                durable::make_read_only(directory)?;
            }
        }
        let files = whole.join(FILES);
        std::fs::rename(staged, &files).map_err(failed("move files", staged))?;
        durable::make_read_only(&files)?;
        durable::sync(&whole)?;

        let shelf = home.parent().unwrap_or(&self.root);
        if !shelf.exists() {
            durable::create_private(shelf).map_err(failed("create directory", shelf))?;
            durable::sync(&self.root.join("sha256"))?;
        }
        reach(Point::PublishArtifact, Side::Before);
        while let Err(error) = std::fs::rename(&whole, home) {
            if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) {
                return Err(failed("publish artifact", home)(error));
            }
            // Somebody else published the same bytes meanwhile, unless they were removed again since.
            if self.publish_again(home)? {
                return durable::discard(&whole);
            }
        }
        reach(Point::PublishArtifact, Side::After);
        durable::make_read_only(home)?;
        durable::sync(shelf)
    }

    fn manifest(&self, digest: &Digest) -> Result<Manifest, ArtifactStoreError> {
        let path = self.home(digest).join(MANIFEST);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !self.home(digest).exists() => {
                return Err(ArtifactStoreError::Missing(*digest));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(corrupt(digest, format!("{MANIFEST} is missing")));
            }
            Err(error) => return Err(failed("read manifest", &path)(error)),
        };
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|error| corrupt(digest, format!("{MANIFEST} can not be read: {error}")))?;
        if manifest.digest() != *digest {
            return Err(corrupt(digest, format!("{MANIFEST} is not the one that was published")));
        }
        Ok(manifest)
    }

    /// Compares what lies there with the manifest: every file's size and digest, none missing, none added.
    fn verify(&self, digest: &Digest) -> Result<(), ArtifactStoreError> {
        let manifest = self.manifest(digest)?;
        let listed = match tree::list(&self.home(digest).join(FILES), tree::Empty::Ignore) {
            // A link or a device where there was a file is damage here, not a component's mistake.
            Err(ArtifactStoreError::Unfit { path, problem }) => {
                return Err(corrupt(digest, format!("{}: {problem}", path.display())));
            }
            Err(ArtifactStoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Err(corrupt(digest, "its files are missing".to_string()));
            }
            listed => listed?,
        };
        let mut found: BTreeMap<&str, &tree::ListedFile> =
            listed.files.iter().map(|file| (file.name.as_str(), file)).collect();
        for entry in &manifest.files {
            let Some(file) = found.remove(entry.path.as_str()) else {
                return Err(corrupt(digest, format!("file `{}` is missing", entry.path)));
            };
            if file.stamp.bytes != entry.bytes {
                let problem =
                    format!("file `{}` has {} bytes instead of {}", entry.path, file.stamp.bytes, entry.bytes);
                return Err(corrupt(digest, problem));
            }
            if self.memo.digest(&file.path, &file.stamp)? != entry.digest {
                return Err(corrupt(digest, format!("file `{}` was changed", entry.path)));
            }
        }
        match found.keys().next() {
            Some(added) => Err(corrupt(digest, format!("file `{added}` was added"))),
            None => Ok(()),
        }
    }
}

fn corrupt(digest: &Digest, problem: String) -> ArtifactStoreError {
    ArtifactStoreError::Corrupt { digest: *digest, problem }
}
