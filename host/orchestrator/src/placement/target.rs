//! A target: one folder a version, the link `current`, and the lock that whoever changes either of them holds.
//!
//! Version numbers only grow, in the order in which versions are shown and whatever clocks do: model servers serve the highest.

use super::files::{io, sync_directory};
use crate::error::OrchestratorError;
use countersign_ports::failpoint::{Point, Side, reach};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often a lock that somebody else holds is tried.
const TRY: Duration = Duration::from_millis(50);
/// After so many tries a person should know.
const TRIES_IN_SILENCE: u32 = 100;

/// A directory that models are placed in.
#[derive(Clone)]
pub(crate) struct Target(PathBuf);

/// Nobody else changes the target while one of its clones lives: one goes with each piece of work on a thread of its own, which
/// goes on when whoever waits for it does not.
///
/// A process that is stopped keeps it, and the others wait, because it acts the moment that it wakes. One that ends lets go.
#[derive(Clone)]
pub(crate) struct Locked {
    _file: Arc<File>,
}

impl Target {
    pub(crate) fn new(path: &str) -> Self {
        Self(PathBuf::from(path))
    }

    pub(super) fn version(&self, number: u64) -> PathBuf {
        self.0.join(number.to_string())
    }

    /// Where the files of one attempt at a push are gathered. The epoch is that of its claim, so two processes never share a folder.
    pub(super) fn incoming(&self, push: &str, epoch: i64) -> PathBuf {
        self.0.join(format!("{}{epoch}", incoming_prefix(push)))
    }

    /// Waits until nobody else changes the target.
    pub(super) async fn lock(&self) -> Result<Locked, OrchestratorError> {
        let path = self.0.join(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| io("open the target's lock", &path, error))?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Locked { _file: Arc::new(file) }),
                Err(TryLockError::Error(error)) => return Err(io("lock target", &path, error)),
                Err(TryLockError::WouldBlock) => tries += 1,
            }
            if tries == TRIES_IN_SILENCE {
                let lock = path.display();
                tracing::warn!(%lock, "another process is placing a model here: if it is stopped, let it go on or end it");
            }
            tokio::time::sleep(TRY).await;
        }
    }

    /// The highest version; none in an empty or missing directory.
    pub(crate) fn newest(&self) -> Result<Option<u64>, OrchestratorError> {
        Ok(self.names()?.iter().filter_map(|name| name.parse().ok()).max())
    }

    fn names(&self) -> Result<Vec<String>, OrchestratorError> {
        let listed = match std::fs::read_dir(&self.0) {
            Ok(listed) => listed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io("list target", &self.0, error)),
        };
        let names = listed.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        names.collect::<Result<_, _>>().map_err(|error| io("list target", &self.0, error))
    }

    /// Shows what was gathered as the next version: the second in which its push began, or one more than the highest.
    pub(super) fn show(&self, _lock: &Locked, gathered: &Path, begun: u64) -> Result<u64, OrchestratorError> {
        let after = self.newest()?.map_or(0, |newest| newest.saturating_add(1));
        let number = begun.max(after);
        let shown = self.version(number);
        reach(Point::ShowVersion, Side::Before);
        std::fs::rename(gathered, &shown).map_err(|error| io("show version", &shown, error))?;
        reach(Point::ShowVersion, Side::After);
        sync_directory(&self.0)?;
        Ok(number)
    }

    /// Moves `current` to the highest version. False, and nothing moved, when `number` is not the highest any more.
    pub(super) fn move_current(&self, _lock: &Locked, number: u64) -> Result<bool, OrchestratorError> {
        if self.newest()? != Some(number) {
            return Ok(false);
        }
        let (link, version) = (self.0.join("current"), number.to_string());
        if std::fs::read_link(&link).is_ok_and(|now| now == Path::new(&version)) {
            return Ok(true);
        }
        let next = self.0.join(format!(".current-{version}"));
        if next.symlink_metadata().is_ok() {
            std::fs::remove_file(&next).map_err(|error| io("clear link", &next, error))?;
        }
        std::os::unix::fs::symlink(&version, &next).map_err(|error| io("create link", &next, error))?;
        reach(Point::MoveCurrent, Side::Before);
        std::fs::rename(&next, &link).map_err(|error| io("move link", &link, error))?;
        reach(Point::MoveCurrent, Side::After);
        sync_directory(&self.0)?;
        Ok(true)
    }

    /// Removes what earlier attempts at the push gathered. A later one may be gathering: that is not touched.
    pub(super) fn clear_cut_off(&self, _lock: &Locked, push: &str, epoch: i64) -> Result<(), OrchestratorError> {
        let prefix = incoming_prefix(push);
        for name in self.names()? {
            let attempt = name.strip_prefix(&prefix).and_then(|attempt| attempt.parse::<i64>().ok());
            if attempt.is_some_and(|attempt| attempt < epoch) {
                let path = self.0.join(&name);
                std::fs::remove_dir_all(&path).map_err(|error| io("clear cut-off push", &path, error))?;
            }
        }
        Ok(())
    }
}

fn incoming_prefix(push: &str) -> String {
    format!(".incoming-{push}-")
}
