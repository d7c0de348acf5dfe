//! File operations with their modes, their durability and their errors. Never follows a link.

use countersign_ports::ArtifactStoreError;
use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::time::SystemTime;

/// Turns an input or output error into ours.
pub(super) fn failed(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> ArtifactStoreError {
    let path = path.to_path_buf();
    move |source| ArtifactStoreError::Io { operation, path: path.clone(), source }
}

/// A directory with those above it, for the owner alone.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A directory that must not be there yet.
pub(super) fn create_one_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Makes a file's bytes, or a directory's entries, survive a power cut.
pub(super) fn sync(path: &Path) -> Result<(), ArtifactStoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(failed("make durable", path))
}

fn is_directory(path: &Path) -> io::Result<bool> {
    Ok(path.symlink_metadata()?.is_dir())
}

/// A file or directory that nobody writes to any more.
pub(super) fn make_read_only(path: &Path) -> Result<(), ArtifactStoreError> {
    let set = || {
        let mode = if is_directory(path)? { 0o500 } else { 0o400 };
        std::fs::set_permissions(path, Permissions::from_mode(mode))
    };
    set().map_err(failed("make read-only", path))
}

/// A directory whose entries may go again.
pub(super) fn make_writable(directory: &Path) -> Result<(), ArtifactStoreError> {
    std::fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(failed("make writable", directory))
}

/// Removes a tree, read-only directories included.
pub(super) fn discard(path: &Path) -> Result<(), ArtifactStoreError> {
    unlock(path).and_then(|()| remove(path)).map_err(failed("remove", path))
}

fn unlock(path: &Path) -> io::Result<()> {
    if is_directory(path)? {
        std::fs::set_permissions(path, Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(path)? {
            unlock(&entry?.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    if is_directory(path)? { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

/// When it was last written to.
pub(super) fn modified(path: &Path) -> Result<SystemTime, ArtifactStoreError> {
    path.symlink_metadata().and_then(|metadata| metadata.modified()).map_err(failed("read time", path))
}

/// When anything in the tree was last written to.
pub(super) fn newest_in(path: &Path) -> io::Result<SystemTime> {
    let metadata = path.symlink_metadata()?;
    let mut newest = metadata.modified()?;
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path)? {
            newest = newest.max(newest_in(&entry?.path())?);
        }
    }
    Ok(newest)
}
