//! Reads a directory tree that somebody else filled: lists its plain files, refuses everything else, digests bytes in a stream.

use super::durable::failed;
use countersign_model::digest::Digest;
use countersign_ports::ArtifactStoreError;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// More is a mistake or an attack: every file costs a manifest entry, a look and an fsync.
const MOST_FILES: usize = 100_000;
const DEEPEST: usize = 32;

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    device: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A plain file.
pub(super) struct ListedFile {
    pub(super) path: PathBuf,
    /// Path inside the tree, `/` separated.
    pub(super) name: String,
    pub(super) stamp: Stamp,
}

/// A tree's files and directories, each directory before what lies in it.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) files: Vec<ListedFile>,
    pub(super) directories: Vec<PathBuf>,
}

/// What to do with directories without files, which no manifest mentions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    Remove,
    Ignore,
}

/// Lists the tree below `root`.
pub(super) fn list(root: &Path, empty: Empty) -> Result<Listed, ArtifactStoreError> {
    let mut listed = Listed::default();
    let metadata = root.symlink_metadata().map_err(failed("read directory", root))?;
    if !metadata.is_dir() {
        return Err(unfit(root, "is no directory"));
    }
    visit(root, "", 0, empty, &mut listed)?;
    Ok(listed)
}

fn unfit(path: &Path, problem: impl Into<String>) -> ArtifactStoreError {
    ArtifactStoreError::Unfit { path: path.to_path_buf(), problem: problem.into() }
}

fn visit(
    directory: &Path,
    prefix: &str,
    depth: usize,
    empty: Empty,
    listed: &mut Listed,
) -> Result<(), ArtifactStoreError> {
    if depth > DEEPEST {
        return Err(unfit(directory, format!("lies deeper than {DEEPEST} directories")));
    }
    let before = listed.files.len();
    listed.directories.push(directory.to_path_buf());
    for entry in std::fs::read_dir(directory).map_err(failed("list directory", directory))? {
        let path = entry.map_err(failed("list directory", directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(unfit(&path, "its name is no UTF-8"));
        };
        let name = format!("{prefix}{name}");
        let metadata = path.symlink_metadata().map_err(failed("read entry", &path))?;
        if metadata.is_dir() {
            visit(&path, &format!("{name}/"), depth + 1, empty, listed)?;
        } else {
            let stamp = plain(&path, &metadata)?;
            listed.files.push(ListedFile { path, name, stamp });
            if listed.files.len() > MOST_FILES {
                return Err(unfit(directory, format!("the tree has more than {MOST_FILES} files")));
            }
        }
    }
    if listed.files.len() == before && depth > 0 && empty == Empty::Remove {
        std::fs::remove_dir(directory).map_err(failed("remove empty directory", directory))?;
        listed.directories.retain(|kept| kept != directory);
    }
    Ok(())
}

/// A second name of the same file could change it behind our back, so it is refused like a link.
fn plain(path: &Path, metadata: &Metadata) -> Result<Stamp, ArtifactStoreError> {
    if metadata.file_type().is_symlink() {
        return Err(unfit(path, "is a symbolic link"));
    }
    if !metadata.is_file() {
        return Err(unfit(path, "is neither a file nor a directory"));
    }
    if metadata.nlink() > 1 {
        return Err(unfit(path, "is a hard link: the file has another name"));
    }
    Ok(Stamp::of(metadata))
}

/// The digest of a file, and its stamp when it was read. Refuses a file that was exchanged or written to meanwhile.
pub(super) fn digest(path: &Path) -> Result<(Digest, Stamp), ArtifactStoreError> {
    let listed = path.symlink_metadata().map_err(failed("read file", path))?;
    let stamp = plain(path, &listed)?;
    let file = File::open(path).map_err(failed("read file", path))?;
    let digest = Digest::of_reader(&file).map_err(failed("read file", path))?;
    let read = file.metadata().map_err(failed("read file", path))?;
    if Stamp::of(&read) != stamp {
        return Err(unfit(path, "changed while it was read"));
    }
    Ok((digest, stamp))
}
