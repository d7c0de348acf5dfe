//! The files of a bundle, each to be taken once: what is left at the end was not accounted for.

use crate::failure::AttestFailure;
use countersign_model::digest::Digest;
use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Documents are read whole; one that is larger than this is none of ours.
const LARGEST_DOCUMENT: u64 = 64 << 20;

/// Names inside the bundle, `/` separated, to where they lie.
pub(super) struct Files(BTreeMap<String, PathBuf>);

impl Files {
    pub(super) fn of(directory: &Path) -> Result<Self, AttestFailure> {
        let mut files = BTreeMap::new();
        let mut waiting = vec![(String::new(), directory.to_path_buf())];
        while let Some((prefix, folder)) = waiting.pop() {
            for entry in fs::read_dir(&folder).map_err(AttestFailure::io("read bundle", &folder))? {
                let entry = entry.map_err(AttestFailure::io("read bundle", &folder))?;
                let path = entry.path();
                let kind = entry.file_type().map_err(AttestFailure::io("read bundle", &path))?;
                let name = entry.file_name().into_string();
                let name = name
                    .map_err(|name| AttestFailure::differs(name.to_string_lossy(), "a name in UTF-8", "other bytes"))?;
                let name = format!("{prefix}{name}");
                if kind.is_dir() {
                    waiting.push((format!("{name}/"), path));
                } else if kind.is_file() {
                    files.insert(name, path);
                } else {
                    return Err(AttestFailure::differs(name, "a file or a directory", "a link or a device"));
                }
            }
        }
        Ok(Self(files))
    }

    /// A document's bytes.
    pub(super) fn take(&mut self, name: &str) -> Result<Vec<u8>, AttestFailure> {
        let path = self.path(name)?;
        let file = File::open(&path).map_err(AttestFailure::io("read", &path))?;
        let mut bytes = Vec::new();
        let read = file.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes);
        if read.map_err(AttestFailure::io("read", &path))? as u64 > LARGEST_DOCUMENT {
            return Err(AttestFailure::differs(name, "a document", format!("more than {LARGEST_DOCUMENT} bytes")));
        }
        Ok(bytes)
    }

    /// Size and digest of a file of any size.
    pub(super) fn take_digest(&mut self, name: &str) -> Result<(u64, Digest), AttestFailure> {
        let path = self.path(name)?;
        let mut file = File::open(&path).map_err(AttestFailure::io("read", &path))?;
        let mut hasher = Context::new(&SHA256);
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            match file.read(&mut buffer).map_err(AttestFailure::io("read", &path))? {
                0 => break,
                count => {
                    hasher.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(hasher.finish().as_ref());
        Ok((bytes, Digest::from_bytes(digest)))
    }

    /// The names of the files under a folder, without the folder.
    pub(super) fn names_under(&self, folder: &str) -> Vec<String> {
        let within = |name: &String| name.strip_prefix(folder)?.strip_prefix('/').map(str::to_string);
        self.0.keys().filter_map(within).collect()
    }

    pub(super) fn nothing_left(&self) -> Result<(), AttestFailure> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(AttestFailure::differs(name, "nothing", "a file that nobody signed")),
        }
    }

    fn path(&mut self, name: &str) -> Result<PathBuf, AttestFailure> {
        self.0.remove(name).ok_or_else(|| AttestFailure::differs(name, "a file", "nothing"))
    }
}
