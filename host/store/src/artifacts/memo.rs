//! What was verified already in this process, so that checking the same unchanged bytes before every use costs a look at the
//! file, not a reading of it.
//!
//! Sound enough because any change through the kernel, of bytes or of times, sets the change time (ctime), and no call sets that
//! to a chosen value. It is no defence against somebody who writes to the raw disk or moves the system clock, who owns the
//! machine anyway; and rot below the file system is seen by the next process, which starts with an empty memo.

use super::tree::{self, Stamp};
use countersign_model::digest::Digest;
use countersign_ports::ArtifactStoreError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Forgets everything beyond: about two megabytes. What runs use again is recent.
const MOST: usize = 5_000;

/// Digests by path and stamp.
#[derive(Default)]
pub(super) struct Memo {
    /// Written by whoever hashed a file.
    seen: Mutex<HashMap<PathBuf, (Stamp, Digest)>>,
}

impl Memo {
    fn seen(&self) -> MutexGuard<'_, HashMap<PathBuf, (Stamp, Digest)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remember(&self, path: PathBuf, stamp: Stamp, digest: Digest) {
        let mut seen = self.seen();
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(path, (stamp, digest));
    }

    /// The digest of the file that has this stamp now.
    pub(super) fn digest(&self, path: &Path, stamp: &Stamp) -> Result<Digest, ArtifactStoreError> {
        if let Some((known, digest)) = self.seen().get(path)
            && known == stamp
        {
            return Ok(*digest);
        }
        let (digest, stamp) = tree::digest(path)?;
        self.remember(path.to_path_buf(), stamp, digest);
        Ok(digest)
    }
}
