//! Places a signed-off model at its target, whole or not at all, with the papers that say who let it go live and under which conditions.
//!
//! The target directory holds one folder a version, named by the Unix second in which its push began, and the link `current`.
//! A version folder appears by one rename and `current` moves by another, so a server never sees half a model.

use crate::driver::document;
use crate::error::OrchestratorError;
use countersign_model::artifact::{FileEntry, Manifest};
use countersign_model::canonical;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Decision, DecisionKind, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::permit::Permit;
use countersign_model::push::Push;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What lies beside the model: file names and contents.
pub(crate) struct Papers(Vec<(String, Vec<u8>)>);

/// `conditions.json`: the conditions, and whether people let the model go although a check had failed.
#[derive(Serialize)]
struct ConditionsFile<'a> {
    #[serde(flatten)]
    conditions: &'a Conditions,
    overridden: bool,
}

impl Papers {
    /// The evidence as it was signed, the conditions, and every signed statement of those who let it pass.
    pub(crate) fn new(
        request: &SignoffRequest,
        decisions: &[Decision],
        permit: &Permit,
    ) -> Result<Self, OrchestratorError> {
        let counted: Vec<&Decision> =
            decisions.iter().filter(|decision| !decision.late && decision.kind.approves()).collect();
        let overridden = counted.iter().any(|decision| decision.kind == DecisionKind::Override);
        let conditions = ConditionsFile { conditions: &permit.conditions, overridden };
        let mut papers = vec![
            ("evidence.json".to_string(), request.evidence.clone().into_bytes()),
            ("conditions.json".to_string(), canonical::to_bytes(&conditions).map_err(document)?),
        ];
        for decision in counted {
            let envelope = decision.envelope.clone().unwrap_or_default();
            papers.push((format!("decisions/{}.dsse.json", decision.id), envelope.into_bytes()));
        }
        Ok(Self(papers))
    }
}

fn io(operation: &'static str, path: &Path, source: std::io::Error) -> OrchestratorError {
    OrchestratorError::Io { operation, path: path.display().to_string(), source }
}

/// Copies, checks while copying, and shows the version with one rename. Doing it twice changes nothing.
pub(crate) fn place(from: &Path, manifest: &Manifest, push: &Push, papers: &Papers) -> Result<(), OrchestratorError> {
    let target = Path::new(&push.target);
    let version = version(target, manifest, push);
    let shown = target.join(&version);
    if !shown.exists() {
        let hidden = target.join(format!(".incoming-{}", push.id));
        if hidden.exists() {
            std::fs::remove_dir_all(&hidden).map_err(|error| io("clear cut-off push", &hidden, error))?;
        }
        std::fs::create_dir_all(&hidden).map_err(|error| io("create target", &hidden, error))?;
        for file in &manifest.files {
            copy_checked(&from.join(&file.path), &hidden.join(&file.path), file.digest)?;
        }
        for (name, text) in &papers.0 {
            let path = hidden.join(name);
            create_parent(&path)?;
            durable_write(&path, text)?;
            sync_directory(path.parent().unwrap_or(&hidden))?;
        }
        sync_directory(&hidden)?;
        std::fs::rename(&hidden, &shown).map_err(|error| io("show version", &shown, error))?;
    }
    point_current(target, &version)?;
    sync_directory(target)
}

/// The second in which the push began, or the next one that no other model took.
fn version(target: &Path, manifest: &Manifest, push: &Push) -> String {
    let free = |version: &String| {
        let shown = target.join(version);
        let holds =
            |file: &FileEntry| std::fs::read(shown.join(&file.path)).is_ok_and(|b| Digest::of(&b) == file.digest);
        !shown.exists() || manifest.files.iter().all(holds)
    };
    let begun = push.begun_at.to_utc().timestamp();
    (begun..).map(|second| second.to_string()).find(free).unwrap_or_else(|| begun.to_string())
}

fn create_parent(path: &Path) -> Result<(), OrchestratorError> {
    match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent).map_err(|error| io("create target", parent, error)),
        None => Ok(()),
    }
}

/// The bytes that are hashed are the bytes that are written.
fn copy_checked(from: &Path, to: &Path, expected: Digest) -> Result<(), OrchestratorError> {
    let bytes = std::fs::read(from).map_err(|error| io("read model", from, error))?;
    if Digest::of(&bytes) != expected {
        let error = std::io::Error::other("its bytes changed since they were verified");
        return Err(io("copy model", from, error));
    }
    create_parent(to)?;
    durable_write(to, &bytes)
}

fn durable_write(path: &Path, bytes: &[u8]) -> Result<(), OrchestratorError> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).map_err(|error| io("create file", path, error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| io("write file", path, error))
}

fn sync_directory(path: &Path) -> Result<(), OrchestratorError> {
    std::fs::File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| io("sync directory", path, error))
}

/// Moves the link `current` with one rename.
fn point_current(target: &Path, version: &str) -> Result<(), OrchestratorError> {
    let link: PathBuf = target.join("current");
    if std::fs::read_link(&link).is_ok_and(|now| now == Path::new(version)) {
        return Ok(());
    }
    let next = target.join(format!(".current-{version}"));
    if next.symlink_metadata().is_ok() {
        std::fs::remove_file(&next).map_err(|error| io("clear link", &next, error))?;
    }
    std::os::unix::fs::symlink(version, &next).map_err(|error| io("create link", &next, error))?;
    std::fs::rename(&next, &link).map_err(|error| io("move link", &link, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::id::{PushId, RequestId, RunId};
    use countersign_model::time::Timestamp;

    fn push(target: &Path, second: i64) -> Push {
        let id = |part| ulid::Ulid::from_parts(1, part);
        Push {
            id: PushId::from_ulid(id(1)),
            run: RunId::from_ulid(id(2)),
            pipeline: "p".to_string(),
            model: Digest::of(b"model"),
            target: target.display().to_string(),
            request: RequestId::from_ulid(id(3)),
            conditions: Conditions::default(),
            begun_at: Timestamp::from_micros(second * 1_000_000),
            completed_at: None,
        }
    }

    fn papers() -> Papers {
        Papers(vec![
            ("evidence.json".to_string(), b"{}".to_vec()),
            ("decisions/dec_1.dsse.json".to_string(), b"signed".to_vec()),
        ])
    }

    fn laid_out(directory: &Path, text: &str) -> Manifest {
        std::fs::write(directory.join("model.onnx"), text).unwrap();
        let entry =
            FileEntry { path: "model.onnx".into(), bytes: text.len() as u64, digest: Digest::of(text.as_bytes()) };
        Manifest::new(vec![entry])
    }

    #[test]
    fn placing_twice_is_placing_once_and_current_follows_the_newest() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let manifest = laid_out(from.path(), "one");
        for _ in 0..2 {
            place(from.path(), &manifest, &push(to.path(), 100), &papers()).unwrap();
        }
        let manifest = laid_out(from.path(), "two");
        place(from.path(), &manifest, &push(to.path(), 200), &papers()).unwrap();
        let mut names: Vec<String> =
            std::fs::read_dir(to.path()).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into()).collect();
        names.sort();
        assert_eq!(names, ["100", "200", "current"]);
        assert_eq!(std::fs::read_to_string(to.path().join("current/model.onnx")).unwrap(), "two");
        let signed = to.path().join("current/decisions/dec_1.dsse.json");
        assert_eq!(std::fs::read_to_string(signed).unwrap(), "signed");
    }

    #[test]
    fn two_models_in_one_second_are_two_versions() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for text in ["one", "two", "two"] {
            let manifest = laid_out(from.path(), text);
            place(from.path(), &manifest, &push(to.path(), 100), &papers()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(to.path().join(name).join("model.onnx")).unwrap();
        assert_eq!([read("100"), read("101"), read("current")], ["one", "two", "two"]);
        assert!(!to.path().join("102").exists());
    }

    #[test]
    fn a_push_that_was_cut_off_starts_over_and_changed_bytes_are_refused() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let manifest = laid_out(from.path(), "one");
        let half = to.path().join(format!(".incoming-{}", push(to.path(), 100).id));
        std::fs::create_dir_all(&half).unwrap();
        std::fs::write(half.join("left-over"), "x").unwrap();
        place(from.path(), &manifest, &push(to.path(), 100), &papers()).unwrap();
        assert!(!to.path().join("100/left-over").exists() && !half.exists());
        std::fs::write(from.path().join("model.onnx"), "evil").unwrap();
        let error = place(from.path(), &manifest, &push(to.path(), 300), &papers()).unwrap_err();
        assert!(error.to_string().contains("copy model"), "{error}");
        assert!(!to.path().join("300").exists());
        assert_eq!(std::fs::read_to_string(to.path().join("current/model.onnx")).unwrap(), "one");
    }
}
