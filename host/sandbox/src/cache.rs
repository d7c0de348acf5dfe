//! Precompiled code on disk. Loading it runs it as native code, so it is only read from a directory that nobody else can write to,
//! and only when it is byte for byte what was written.

use countersign_model::component::Description;
use countersign_model::digest::Digest;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is kept beside the code. Its name carries the version of this file's form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// SHA-256 of the code file.
    pub code: Digest,
    /// The component's description, once it was asked.
    pub description: Option<Description>,
}

/// The directory.
pub struct Cache {
    directory: PathBuf,
    engine: u64,
    temporary: AtomicU64,
}

impl Cache {
    /// A cache for an engine of that compatibility hash.
    ///
    /// # Errors
    /// When the directory can not be made or not be trusted.
    pub fn new(directory: &Path, engine: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let cache = Self { directory: directory.to_path_buf(), engine, temporary: AtomicU64::new(0) };
        cache.check_trust()?;
        Ok(cache)
    }

    /// Only we may write here. Checked before every load, not once: the process lives for months.
    fn check_trust(&self) -> io::Result<()> {
        let metadata = fs::symlink_metadata(&self.directory)?;
        let refuse = |problem: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, problem.to_string()));
        if !metadata.is_dir() {
            return refuse("it is no directory (a link?)");
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return refuse("others may read or write it: its mode has to be 0700");
        }
        // std does not tell who we are; a file that we make does.
        let probe = self.temporary_path();
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe)?;
        let owner = made.metadata().map(|metadata| metadata.uid());
        fs::remove_file(&probe)?;
        if owner? != metadata.uid() {
            return refuse("it belongs to another user");
        }
        Ok(())
    }

    /// What is kept about that component, when it is there and can be read.
    pub fn record(&self, wasm: &Digest) -> Option<Record> {
        self.check_trust().ok()?;
        serde_json::from_slice(&fs::read(self.path(wasm, "json")).ok()?).ok()
    }

    /// The code of that component, checked against its record.
    pub fn code(&self, wasm: &Digest) -> Option<Vec<u8>> {
        let record = self.record(wasm)?;
        let code = fs::read(self.path(wasm, "cwasm")).ok()?;
        if Digest::of(&code) != record.code {
            tracing::warn!(component.digest = %wasm, "precompiled code is not what was written: it is compiled again");
            return None;
        }
        Some(code)
    }

    /// Keeps code, and its record after it: a record never speaks of code that is not there.
    pub fn keep(&self, wasm: &Digest, code: &[u8]) -> io::Result<()> {
        self.write(&self.path(wasm, "cwasm"), code)?;
        self.write_record(wasm, &Record { code: Digest::of(code), description: None })
    }

    /// Adds the description to the record.
    pub fn keep_description(&self, wasm: &Digest, description: &Description) -> io::Result<()> {
        match self.record(wasm) {
            Some(record) => self.write_record(wasm, &Record { description: Some(description.clone()), ..record }),
            None => Ok(()),
        }
    }

    fn write_record(&self, wasm: &Digest, record: &Record) -> io::Result<()> {
        self.write(&self.path(wasm, "json"), &serde_json::to_vec(record)?)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.temporary_path();
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn path(&self, wasm: &Digest, extension: &str) -> PathBuf {
        self.directory.join(format!("{wasm}-{:016x}-1.{extension}", self.engine))
    }

    fn temporary_path(&self) -> PathBuf {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        self.directory.join(format!(".{}-{number}", std::process::id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_read_back_only_as_it_was_written() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::new(&home.path().join("code"), 7).unwrap();
        let wasm = Digest::of(b"wasm");
        assert_eq!(cache.code(&wasm), None);
        cache.keep(&wasm, b"code").unwrap();
        assert_eq!(cache.code(&wasm).as_deref(), Some(b"code".as_slice()));
        fs::write(cache.path(&wasm, "cwasm"), b"evil").unwrap();
        assert_eq!(cache.code(&wasm), None);
        assert_eq!(Cache::new(&home.path().join("code"), 8).unwrap().record(&wasm), None);
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_not_trusted() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("code");
        let cache = Cache::new(&directory, 7).unwrap();
        let wasm = Digest::of(b"wasm");
        cache.keep(&wasm, b"code").unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(cache.code(&wasm), None);
        assert!(Cache::new(&directory, 7).is_err());
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&directory, &link).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(Cache::new(&link, 7).is_err());
        assert_eq!(cache.code(&wasm).as_deref(), Some(b"code".as_slice()));
    }
}
