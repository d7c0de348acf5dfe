//! The directories that a component writes to: staged outputs and scratch space. They go when nobody can write to them any more.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::component::Description;
use countersign_model::time::Timestamp;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// Longer than any step may take.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory that goes with what it is for, unless it was moved.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(path: PathBuf) -> Result<Self, OrchestratorError> {
        std::fs::create_dir_all(&path).map_err(|error| io("create scratch directory", &path, error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// What one execution writes to. The component's thread ends a moment after whoever waited for it gave up, and holds the observer
/// until then: the observer holds this.
pub(crate) struct Workplace {
    pub(crate) scratch: Scratch,
    /// By output port; what was published is not here any more.
    staged: Mutex<BTreeMap<String, PathBuf>>,
}

impl Workplace {
    /// The staged output, which stays ours.
    pub(crate) fn staged(&self, port: &str) -> Option<PathBuf> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).get(port).cloned()
    }

    /// Leaves the staged output to whoever publishes it.
    pub(crate) fn give(&self, port: &str) -> Option<PathBuf> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).remove(port)
    }

    /// It was not published after all.
    pub(crate) fn take_back(&self, port: &str, path: PathBuf) {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).insert(port.to_string(), path);
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        self.staged.get_mut().unwrap_or_else(PoisonError::into_inner).values().for_each(|path| remove(path));
    }
}

fn remove(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "directory left for the sweep");
        }
        Ok(()) | Err(_) => {}
    }
}

fn io(operation: &'static str, path: &Path, source: std::io::Error) -> OrchestratorError {
    OrchestratorError::Io { operation, path: path.display().to_string(), source }
}

impl Engine {
    /// Fresh directories for one execution, named by its identifier.
    pub(crate) async fn workplace(&self, name: &str, described: &Description) -> Result<Workplace, OrchestratorError> {
        let scratch = Scratch::new(self.options.scratch.join(name))?;
        let mut staged = BTreeMap::new();
        for port in &described.outputs {
            staged.insert(port.name.clone(), self.parts.artifacts.stage().await?);
        }
        Ok(Workplace { scratch, staged: Mutex::new(staged) })
    }

    /// Removes staging and scratch directories that a process left when it was killed.
    ///
    /// # Errors
    /// When the artifact store fails or a directory can not be removed.
    pub async fn sweep(&self) -> Result<u64, OrchestratorError> {
        let staged = self.parts.artifacts.sweep().await?;
        Ok(staged + sweep_scratch(&self.options.scratch, self.parts.clock.now())?)
    }
}

fn sweep_scratch(scratch: &Path, now: Timestamp) -> Result<u64, OrchestratorError> {
    let failed = |error| io("sweep scratch directory", scratch, error);
    let listed = match std::fs::read_dir(scratch) {
        Ok(listed) => listed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(error)),
    };
    let mut swept = 0;
    for entry in listed {
        let path = entry.map_err(failed)?.path();
        // Gone meanwhile: whoever made it is alive.
        let Ok(written) = path.symlink_metadata().and_then(|metadata| metadata.modified()) else { continue };
        let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        let written = Timestamp::from_micros(i64::try_from(written.as_micros()).unwrap_or(i64::MAX));
        if now.since(written) > ABANDONED_AFTER {
            std::fs::remove_dir_all(&path).map_err(failed)?;
            swept += 1;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_older_than_a_day_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("exec_1")).unwrap();
        let written = folder.path().join("exec_1").metadata().unwrap().modified().unwrap();
        let written = written.duration_since(UNIX_EPOCH).unwrap().as_micros();
        let later = |hours: u64| {
            Timestamp::from_micros(i64::try_from(written).unwrap()).plus(Duration::from_secs(hours * 3600))
        };
        assert_eq!(sweep_scratch(folder.path(), later(23)).unwrap(), 0);
        assert_eq!(sweep_scratch(folder.path(), later(25)).unwrap(), 1);
        assert_eq!(sweep_scratch(folder.path(), later(25)).unwrap(), 0);
        assert_eq!(sweep_scratch(&folder.path().join("none"), later(25)).unwrap(), 0);
    }
}
