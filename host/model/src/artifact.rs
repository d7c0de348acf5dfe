//! Artifacts: immutable, typed, digest-addressed directories of files.

use crate::digest::Digest;
use crate::id::{ArtifactId, ExecutionId, RunId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::Path;

/// What an artifact is: one of the kinds below or a plugin's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArtifactKind(String);

impl ArtifactKind {
    /// A file or files as they arrived, copied into the store before anything reads them.
    pub const DELIVERY: &'static str = "Delivery";
    /// Parquet, one folder a split.
    pub const EXAMPLES: &'static str = "Examples";
    /// tensorflow-metadata `DatasetFeatureStatisticsList`, one folder a split.
    pub const STATISTICS: &'static str = "Statistics";
    /// tensorflow-metadata `Schema`.
    pub const SCHEMA: &'static str = "Schema";
    /// tensorflow-metadata `Anomalies`.
    pub const ANOMALIES: &'static str = "Anomalies";
    /// ONNX graph from raw columns to model inputs.
    pub const TRANSFORM_GRAPH: &'static str = "TransformGraph";
    /// ONNX with the transformation inside.
    pub const MODEL: &'static str = "Model";
    /// safetensors, one file a checkpoint.
    pub const CHECKPOINTS: &'static str = "Checkpoints";
    /// Metrics overall and by slice, against a baseline.
    pub const EVALUATION: &'static str = "Evaluation";
    /// VoG and its neighbours, per example.
    pub const EXAMPLE_DIFFICULTY: &'static str = "ExampleDifficulty";
    /// A model laid out for its target; the host places it, under a permit.
    pub const PUSHED_MODEL: &'static str = "PushedModel";

    /// A kind by name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ArtifactKind {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path inside the artifact, `/` separated, never absolute, never with `..`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub digest: Digest,
}

/// The files of an artifact, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Sorted by path.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Sorts the entries.
    pub fn new(mut files: Vec<FileEntry>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// The tree digest: SHA-256 over `<path length>:<path> <bytes> <file digest>\n` of every file in path order.
    /// The length in front makes two different trees never spell the same text.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for file in &self.files {
            hasher.update(format!("{}:{} {} {}\n", file.path.len(), file.path, file.bytes, file.digest));
        }
        Digest::from_bytes(hasher.finalize().into())
    }

    /// Bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The artifact that a source makes of a delivered file of this path and content.
    pub fn of_delivery(path: &str, bytes: u64, digest: Digest) -> Self {
        Self::new(vec![FileEntry { path: name_in_delivery(path), bytes, digest }])
    }
}

/// What a delivered file is called in its artifact: `delivery.<extension>`, so that equal bytes are equal artifacts whatever day their
/// names spell.
pub fn name_in_delivery(path: &str) -> String {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or("data");
    format!("delivery.{extension}")
}

/// One recorded artifact: the same bytes made twice are two artifacts with one digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its identifier.
    pub id: ArtifactId,
    /// What it is.
    pub kind: ArtifactKind,
    /// The tree digest of its files; where they lie in the artifact store.
    pub digest: Digest,
    /// Bytes of all files together.
    pub bytes: u64,
    /// The pipeline whose step made it.
    pub pipeline: String,
    /// The step that made it, or the source that delivered it.
    pub step: String,
    /// The output port, or `delivery` for a source.
    pub output: String,
    /// The run in which it was made.
    pub run: RunId,
    /// The execution that made it; none for a delivery.
    pub execution: Option<ExecutionId>,
    /// The delivery of data it belongs to.
    pub span: Option<String>,
    /// When it was published.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_digest_depends_on_every_path_and_byte_but_not_on_order() {
        let entry = |path: &str, text: &str| FileEntry {
            path: path.into(),
            bytes: text.len() as u64,
            digest: Digest::of(text.as_bytes()),
        };
        let base = Manifest::new(vec![entry("a", "1"), entry("b", "2")]).digest();
        assert_eq!(Manifest::new(vec![entry("b", "2"), entry("a", "1")]).digest(), base);
        assert_ne!(Manifest::new(vec![entry("a", "1"), entry("b", "3")]).digest(), base);
        assert_ne!(Manifest::new(vec![entry("a", "1"), entry("c", "2")]).digest(), base);
    }

    #[test]
    fn a_delivery_is_its_bytes_and_its_kind_of_file() {
        let of = |path: &str, text: &str| {
            Manifest::of_delivery(path, text.len() as u64, Digest::of(text.as_bytes())).digest()
        };
        assert_eq!(of("/in/2026-11-22.csv", "x"), of("s3://data/2026-11-23.csv", "x"));
        assert_ne!(of("/in/a.csv", "x"), of("/in/a.csv", "y"));
        assert_ne!(of("/in/a.csv", "x"), of("/in/a.parquet", "x"));
        assert_eq!(name_in_delivery("/in/archive.d/rows"), "delivery.data");
    }
}
