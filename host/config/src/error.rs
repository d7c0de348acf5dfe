//! What goes wrong when a file is read.

use crate::diagnostics::Diagnostics;
use std::path::PathBuf;

/// Why a file gave no checked value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can not be read.
    #[error("read: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file's text is wrong; each mistake has its place.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
    /// Values of environment variables are wrong.
    #[error("environment: {}", mistakes.join("\nenvironment: "))]
    Environment {
        /// The variable, what is wrong, and what it should be; one text for each.
        mistakes: Vec<String>,
    },
}
