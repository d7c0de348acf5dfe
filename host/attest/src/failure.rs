//! What goes wrong with keys, envelopes and bundles.

use std::path::{Path, PathBuf};

/// What goes wrong with keys, envelopes and bundles.
#[derive(Debug, thiserror::Error)]
pub enum AttestFailure {
    /// A file operation failed.
    #[error("{operation}: {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Somebody else may read the signing key.
    #[error("read signing key: {} can be read by others: run `chmod 600 {}`", .0.display(), .0.display())]
    Exposed(PathBuf),
    /// The key file holds no key of ours.
    #[error("read signing key: {}: {problem}", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// A public key without its signing key: a new one would make all earlier signatures worthless without a word.
    #[error(
        "read signing key: {} is missing, but {} is there: restore it from a backup, or move the public key away to start with a new one",
        key.display(), public.display()
    )]
    KeyLost {
        /// The signing key.
        key: PathBuf,
        /// The public key.
        public: PathBuf,
    },
    /// The system gave no randomness, or ring refused to make a key.
    #[error("make signing key: {0}")]
    Make(&'static str),
    /// A text that is no Ed25519 public key in PEM.
    #[error("read public key: {0}")]
    BadPublicKey(&'static str),
    /// No envelope that this key signed.
    #[error("check signature: {0}")]
    Broken(String),
    /// A document can not be written.
    #[error("write bundle: {what}")]
    Unwritable {
        /// Which, and why not.
        what: String,
    },
    /// A bundle does not hold: the first file or field that is not what it has to be.
    #[error("verify bundle: {place}: expected {expected}, found {found}")]
    Differs {
        /// The file, and the field in it.
        place: String,
        /// What it has to be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl AttestFailure {
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { operation, path: path.to_path_buf(), source }
    }

    pub(crate) fn differs(
        place: impl Into<String>,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Self {
        Self::Differs { place: place.into(), expected: expected.to_string(), found: found.to_string() }
    }
}
