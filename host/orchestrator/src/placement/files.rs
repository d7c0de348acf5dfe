//! File operations of a placement: checked, durable, with their errors.

use crate::error::OrchestratorError;
use countersign_model::digest::Digest;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

pub(super) fn io(operation: &'static str, path: &Path, source: std::io::Error) -> OrchestratorError {
    OrchestratorError::Io { operation, path: path.display().to_string(), source }
}

/// The bytes that are hashed are the bytes that are written.
pub(super) fn copy_checked(from: &Path, to: &Path, expected: Digest) -> Result<(), OrchestratorError> {
    let bytes = std::fs::read(from).map_err(|error| io("read model", from, error))?;
    if Digest::of(&bytes) != expected {
        let error = std::io::Error::other("its bytes changed since they were verified");
        return Err(io("copy model", from, error));
    }
    write(to, &bytes)
}

/// Writes a new file and the directory above it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), OrchestratorError> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| io("create target", parent, error))?;
    }
    let mut file = File::create(path).map_err(|error| io("create file", path, error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| io("write file", path, error))
}

/// Makes a directory's entries survive a power cut, and those of the directories in it.
pub(super) fn sync_tree(path: &Path) -> Result<(), OrchestratorError> {
    for entry in std::fs::read_dir(path).map_err(|error| io("list directory", path, error))? {
        let entry = entry.map_err(|error| io("list directory", path, error))?.path();
        if entry.is_dir() {
            sync_tree(&entry)?;
        }
    }
    sync_directory(path)
}

pub(super) fn sync_directory(path: &Path) -> Result<(), OrchestratorError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| io("sync directory", path, error))
}
