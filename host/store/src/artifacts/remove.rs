//! Removing what nobody fills any more, and bytes that nobody needs, while others may be publishing the same ones. The time of an
//! artifact's directory says when it was last published: whoever publishes what is there already sets it, and whoever removes looks at
//! it again after the bytes are out of everybody's sight.

use super::durable::{self, failed};
use super::{FILES, Place};
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::ArtifactStoreError;
use countersign_ports::failpoint::{Point, Side, reach};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than any step may take.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Place {
    /// By the file system's own clock: the one that stamps the files.
    pub(super) fn now(&self) -> Result<SystemTime, ArtifactStoreError> {
        let new = self.stage()?;
        let now = durable::modified(&new)?;
        durable::discard(&new)?;
        Ok(now)
    }

    pub(super) fn sweep(&self) -> Result<u64, ArtifactStoreError> {
        let staging = self.root.join("staging");
        let limit = self.now()?.checked_sub(ABANDONED_AFTER);
        let mut swept = 0;
        for entry in std::fs::read_dir(&staging).map_err(failed("list directory", &staging))? {
            let path = entry.map_err(failed("list directory", &staging))?.path();
            if limit.is_some_and(|limit| durable::newest_in(&path).is_ok_and(|newest| newest < limit)) {
                durable::discard(&path)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Everything that is stored.
    pub(super) fn digests(&self) -> Result<Vec<Digest>, ArtifactStoreError> {
        let mut found = Vec::new();
        let root = self.root.join("sha256");
        for shelf in std::fs::read_dir(&root).map_err(failed("list directory", &root))? {
            let shelf = shelf.map_err(failed("list directory", &root))?.path();
            for entry in std::fs::read_dir(&shelf).map_err(failed("list directory", &shelf))? {
                let name = entry.map_err(failed("list directory", &shelf))?.file_name();
                // Whatever has another name is none of ours.
                found.extend(name.to_str().and_then(|name| name.parse::<Digest>().ok()));
            }
        }
        Ok(found)
    }

    /// Says that the bytes at `home` were published again. False: they were removed just now.
    pub(super) fn publish_again(&self, home: &Path) -> Result<bool, ArtifactStoreError> {
        let now = self.now()?;
        let publish = || -> io::Result<bool> {
            let directory = File::open(home)?;
            directory.set_modified(now)?;
            // Still in its place: whoever takes it away from there looks at the time after that.
            Ok(home.symlink_metadata()?.ino() == directory.metadata()?.ino())
        };
        match publish() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            published => published.map_err(failed("publish artifact again", home)),
        }
    }

    pub(super) fn removable(
        &self,
        digest: &Digest,
        published_until: Timestamp,
    ) -> Result<Option<u64>, ArtifactStoreError> {
        let home = self.home(digest);
        match last_published(&home) {
            Ok(at) if at <= instant(published_until) => bytes_in(&home).map(Some).map_err(failed("measure", &home)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read time", &home)(error)),
        }
    }

    pub(super) fn remove(
        &self,
        digest: &Digest,
        published_until: Timestamp,
    ) -> Result<Option<u64>, ArtifactStoreError> {
        let Some(bytes) = self.removable(digest, published_until)? else { return Ok(None) };
        let home = self.home(digest);
        let out_of_sight = self.stage()?;
        let aside = out_of_sight.join(FILES);
        reach(Point::RemoveArtifact, Side::Before);
        // Only a directory that can be written to can be moved elsewhere.
        let moved = durable::make_writable(&home)
            .and_then(|()| std::fs::rename(&home, &aside).map_err(failed("remove artifact", &home)));
        match moved {
            Ok(()) => reach(Point::RemoveArtifact, Side::After),
            // Somebody else was faster.
            Err(ArtifactStoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return durable::discard(&out_of_sight).map(|()| None);
            }
            Err(error) => return Err(error),
        }
        let at = last_published(&aside).map_err(failed("read time", &aside))?;
        if at <= instant(published_until) {
            return durable::discard(&out_of_sight).map(|()| Some(bytes));
        }
        // Published again at the last moment. Where they are back already, these are not needed.
        if std::fs::rename(&aside, &home).is_ok() {
            durable::make_read_only(&home)?;
        }
        durable::discard(&out_of_sight).map(|()| None)
    }
}

fn instant(at: Timestamp) -> SystemTime {
    let since = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

fn last_published(home: &Path) -> io::Result<SystemTime> {
    home.symlink_metadata()?.modified()
}

fn bytes_in(path: &Path) -> io::Result<u64> {
    let metadata = path.symlink_metadata()?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    std::fs::read_dir(path)?.map(|entry| bytes_in(&entry?.path())).sum()
}
