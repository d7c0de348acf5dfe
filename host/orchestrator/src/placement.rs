//! Places a signed-off model at its target: under a fresh permit, at most once per (model, target), whole or not at all.
//!
//! The target directory holds one folder a version, named by the Unix second in which its push began, and the link `current`.
//! A version folder appears by one rename and `current` moves by another, so a server never sees half a model.

use crate::driver::{Position, document};
use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::watcher::RunEvent;
use countersign_model::artifact::{ArtifactKind, Manifest};
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::{PushId, RequestId};
use countersign_model::permit::{self, Permit, Present};
use countersign_model::pipeline::{ComponentStep, Step, Work};
use countersign_model::policy::SignoffPolicy;
use countersign_model::push::Push;
use countersign_ports::metadata_store::PushStart;
use countersign_ports::notifier::Message;
use std::path::{Path, PathBuf};

impl Engine {
    /// Pushes what `step` laid out. Answers a request when the permit was refused and people were asked again.
    pub(crate) async fn push(
        &self,
        position: &Position<'_>,
        step: &Step,
        work: &ComponentStep,
    ) -> Result<Option<RequestId>, OrchestratorError> {
        let (gate, policy, target) = gate_of(position, step, work)?;
        let evidence = self.assemble(position, gate, policy).await?;
        let (_, digest) = evidence.seal().map_err(document)?;
        let Some(request) = self.approved_request(position, gate, digest, evidence.model).await? else {
            return Err(definition(position, format!("gate `{gate}` was passed without an approved request")));
        };
        let live = self.parts.store.pushes(Some(&position.run.pipeline), 1).await?.first().map(|push| push.model);
        let decisions = self.parts.store.decisions(&request.id).await?;
        let present = Present {
            policy,
            evidence: digest,
            model: evidence.model,
            live,
            baseline: evidence.baseline,
            roles_now: &|actor| (self.parts.roles_of)(actor),
            target,
        };
        match permit::derive(&request, &decisions, &present) {
            Ok(permit) => self.place_under(position, step, &permit, &request).await.map(|()| None),
            Err(refusal) => {
                tracing::warn!(run.id = %position.run.id, %refusal, "permit refused: people are asked again");
                let state = RequestState::Void { reason: refusal.to_string() };
                self.parts.store.close_request(&request.id, &state, self.parts.clock.now()).await?;
                self.ask_again(position, gate, policy).await
            }
        }
    }

    async fn ask_again(
        &self,
        position: &Position<'_>,
        gate: &str,
        policy: &SignoffPolicy,
    ) -> Result<Option<RequestId>, OrchestratorError> {
        let Some(step) = position.pipeline.step(gate) else {
            return Err(definition(position, format!("there is no gate `{gate}`")));
        };
        match self.gate(position, step, policy).await? {
            crate::gate::GateAnswer::Wait(request) => Ok(Some(request)),
            crate::gate::GateAnswer::Pass | crate::gate::GateAnswer::End(_) => {
                Err(definition(position, format!("gate `{gate}` did not ask again after a refused permit")))
            }
        }
    }

    /// This run's approved request, or the earlier one on the same evidence that let it pass.
    async fn approved_request(
        &self,
        position: &Position<'_>,
        gate: &str,
        evidence: Digest,
        model: Digest,
    ) -> Result<Option<SignoffRequest>, OrchestratorError> {
        let requests = self.parts.store.requests(None, Some(&model), false).await?;
        let approved = |request: &&SignoffRequest| {
            request.pipeline == position.run.pipeline && request.gate == gate && request.state == RequestState::Approved
        };
        let own = requests.iter().filter(approved).find(|request| request.run == position.run.id);
        let same = requests.iter().filter(approved).find(|request| request.evidence_digest == evidence);
        Ok(own.or(same).cloned())
    }

    async fn place_under(
        &self,
        position: &Position<'_>,
        step: &Step,
        permit: &Permit,
        request: &SignoffRequest,
    ) -> Result<(), OrchestratorError> {
        let laid_out = position
            .finished
            .get(&step.name)
            .and_then(|execution| execution.state.result())
            .and_then(|result| {
                result.outputs.values().find(|artifact| artifact.kind.as_str() == ArtifactKind::PUSHED_MODEL)
            })
            .ok_or_else(|| definition(position, format!("step `{}` laid out no PushedModel", step.name)))?;
        let push = Push {
            id: PushId::from_ulid(self.parts.ids.ulid()),
            run: position.run.id,
            pipeline: position.run.pipeline.clone(),
            model: permit.model,
            target: permit.target.clone(),
            request: permit.request,
            begun_at: self.parts.clock.now(),
            completed_at: None,
        };
        let push = match self.parts.store.begin_push(position.claim, &push).await? {
            PushStart::AlreadyThere(push) => {
                self.parts.watcher.hear(RunEvent::Pushed { push, already: true });
                return Ok(());
            }
            PushStart::Go(push) => push,
        };
        let from = self.parts.artifacts.open(&laid_out.digest).await?;
        let manifest = self.parts.artifacts.manifest(&laid_out.digest).await?;
        let evidence = request.evidence.clone();
        let placed = push.clone();
        tokio::task::spawn_blocking(move || place(&from, &manifest, &placed, &evidence))
            .await
            .map_err(|error| io("place model", Path::new(&push.target), std::io::Error::other(error)))??;
        let push = Push { completed_at: Some(self.parts.clock.now()), ..push };
        let notice = self.notice(position.run.id, Message::Pushed { push: push.clone() });
        self.parts.store.complete_push(position.claim, &push, &[notice]).await?;
        self.parts.watcher.hear(RunEvent::Pushed { push, already: false });
        Ok(())
    }
}

fn gate_of<'a>(
    position: &'a Position<'_>,
    step: &'a Step,
    work: &'a ComponentStep,
) -> Result<(&'a str, &'a SignoffPolicy, &'a str), OrchestratorError> {
    let gate = work.release.as_deref().and_then(|gate| position.pipeline.step(gate));
    match (gate, work.target.as_deref()) {
        (Some(Step { name, work: Work::Signoff(policy), .. }), Some(target)) => Ok((name, policy, target)),
        _ => Err(definition(position, format!("step `{}` pushes without a sign-off gate", step.name))),
    }
}

fn definition(position: &Position<'_>, problem: String) -> OrchestratorError {
    OrchestratorError::Definition { run: position.run.id.to_string(), problem }
}

fn io(operation: &'static str, path: &Path, source: std::io::Error) -> OrchestratorError {
    OrchestratorError::Io { operation, path: path.display().to_string(), source }
}

/// Copies, checks while copying, and shows the version with one rename. Doing it twice changes nothing.
fn place(from: &Path, manifest: &Manifest, push: &Push, evidence: &str) -> Result<(), OrchestratorError> {
    let target = Path::new(&push.target);
    let version = push.begun_at.to_utc().timestamp().to_string();
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
        durable_write(&hidden.join("evidence.json"), evidence.as_bytes())?;
        sync_directory(&hidden)?;
        std::fs::rename(&hidden, &shown).map_err(|error| io("show version", &shown, error))?;
    }
    point_current(target, &version)?;
    sync_directory(target)
}

/// The bytes that are hashed are the bytes that are written.
fn copy_checked(from: &Path, to: &Path, expected: Digest) -> Result<(), OrchestratorError> {
    let bytes = std::fs::read(from).map_err(|error| io("read model", from, error))?;
    if Digest::of(&bytes) != expected {
        let error = std::io::Error::other("its bytes changed since they were verified");
        return Err(io("copy model", from, error));
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|error| io("create target", parent, error))?;
    }
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
    use countersign_model::artifact::FileEntry;
    use countersign_model::id::RunId;
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
            begun_at: Timestamp::from_micros(second * 1_000_000),
            completed_at: None,
        }
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
            place(from.path(), &manifest, &push(to.path(), 100), "{}").unwrap();
        }
        let manifest = laid_out(from.path(), "two");
        place(from.path(), &manifest, &push(to.path(), 200), "{}").unwrap();
        let mut names: Vec<String> =
            std::fs::read_dir(to.path()).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into()).collect();
        names.sort();
        assert_eq!(names, ["100", "200", "current"]);
        assert_eq!(std::fs::read_to_string(to.path().join("current/model.onnx")).unwrap(), "two");
    }

    #[test]
    fn a_push_that_was_cut_off_starts_over_and_changed_bytes_are_refused() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let manifest = laid_out(from.path(), "one");
        let half = to.path().join(format!(".incoming-{}", push(to.path(), 100).id));
        std::fs::create_dir_all(&half).unwrap();
        std::fs::write(half.join("left-over"), "x").unwrap();
        place(from.path(), &manifest, &push(to.path(), 100), "{}").unwrap();
        assert!(!to.path().join("100/left-over").exists() && !half.exists());
        std::fs::write(from.path().join("model.onnx"), "evil").unwrap();
        let error = place(from.path(), &manifest, &push(to.path(), 300), "{}").unwrap_err();
        assert!(error.to_string().contains("copy model"), "{error}");
        assert!(!to.path().join("300").exists());
        assert_eq!(std::fs::read_to_string(to.path().join("current/model.onnx")).unwrap(), "one");
    }
}
