//! Finds the file that a run without an arrival of its own starts from.

use countersign_model::pipeline::Source;
use std::path::PathBuf;

/// A delivered file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The file.
    pub path: PathBuf,
    /// The span that its name spells.
    pub span: Option<String>,
}

/// Lists a source's place.
pub trait DeliveryFinder: Send + Sync {
    /// The newest file of the source, by span.
    ///
    /// # Errors
    /// A sentence that names the place and says what was expected there.
    fn newest(&self, source: &Source) -> Result<Delivered, String>;
}
