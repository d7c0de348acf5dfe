//! Places a signed-off model at its target, whole or not at all, with the papers that say who let it go live and under which conditions.
//!
//! A version appears by one rename and `current` moves by another, so a server never sees half a model. Between the decision to place it
//! and each of the two renames a process may have been stopped, for a second or for a day, and others may have carried the run on. So
//! both happen under the target's lock, each after asking the store whether the run is still ours, and only while the target is what it
//! was when the permit was derived. Whoever carries the same push meanwhile waits for the lock, and finds what is there.

mod files;
mod papers;
mod target;
#[cfg(test)]
mod tests;

pub(crate) use papers::Papers;
pub(crate) use target::{Locked, Target};

use crate::error::OrchestratorError;
use countersign_model::artifact::Manifest;
use countersign_model::push::Push;
use files::{copy_checked, io, sync_tree, write};
use papers::PROVENANCE;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

/// One attempt at a push.
pub(crate) struct Placement {
    /// Where the model is laid out.
    pub from: PathBuf,
    pub manifest: Manifest,
    pub push: Push,
    pub papers: Papers,
    /// That of the claim.
    pub epoch: i64,
    /// The target's newest version when the permit was derived.
    pub seen: Option<u64>,
}

/// What became of it.
pub(crate) enum Placed {
    /// It is what `current` names. Nobody else changes the target until the lock goes, which is when the record says so too.
    Live(Locked),
    /// Another version was shown since the permit was derived: nothing was placed.
    Overtaken,
}

/// A folder that goes unless it was moved.
struct Incoming(PathBuf);

impl Drop for Incoming {
    fn drop(&mut self) {
        match std::fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::debug!(path = %self.0.display(), %error, "incoming folder left for the next attempt");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

impl Placement {
    /// Copies, checks while copying, shows the version and moves `current`. Done twice it changes nothing. `still_ours` is asked just
    /// before each of the two renames and fails when the run is not ours any more.
    pub(crate) async fn place<F>(self, still_ours: impl Fn() -> F) -> Result<Placed, OrchestratorError>
    where
        F: Future<Output = Result<(), OrchestratorError>>,
    {
        let this = Arc::new(self);
        let gathered = on_thread(&this, |this| this.gather()).await?;
        let target = Target::new(&this.push.target);
        let lock = target.lock().await?;
        still_ours().await?;
        let held = lock.clone();
        let Some(version) = on_thread(&this, move |this| this.show(&held, gathered)).await? else {
            return Ok(Placed::Overtaken);
        };
        still_ours().await?;
        let held = lock.clone();
        let moved = on_thread(&this, move |_| target.move_current(&held, version)).await?;
        Ok(if moved { Placed::Live(lock) } else { Placed::Overtaken })
    }

    /// Copies everything to a hidden folder; none when the push is shown already.
    fn gather(&self) -> Result<Option<Incoming>, OrchestratorError> {
        let target = Target::new(&self.push.target);
        if self.shown(&target)?.is_some() {
            return Ok(None);
        }
        let hidden = Incoming(target.incoming(&self.push.id.to_string(), self.epoch));
        if hidden.0.exists() {
            std::fs::remove_dir_all(&hidden.0).map_err(|error| io("clear cut-off push", &hidden.0, error))?;
        }
        for file in &self.manifest.files {
            copy_checked(&self.from.join(&file.path), &hidden.0.join(&file.path), file.digest)?;
        }
        for (name, text) in &self.papers.0 {
            write(&hidden.0.join(name), text)?;
        }
        sync_tree(&hidden.0)?;
        Ok(Some(hidden))
    }

    /// The version that is this push, when it is the newest one.
    fn shown(&self, target: &Target) -> Result<Option<u64>, OrchestratorError> {
        let Some(newest) = target.newest()? else { return Ok(None) };
        let says = std::fs::read(target.version(newest).join(PROVENANCE));
        Ok(says.is_ok_and(|says| self.papers.provenance() == Some(&says)).then_some(newest))
    }

    /// The version that is this push, shown now or before; none when another one was shown since the permit was derived.
    fn show(&self, lock: &Locked, gathered: Option<Incoming>) -> Result<Option<u64>, OrchestratorError> {
        let target = Target::new(&self.push.target);
        target.clear_cut_off(lock, &self.push.id.to_string(), self.epoch)?;
        let shown = self.shown(&target)?;
        let (Some(gathered), None) = (gathered, shown) else { return Ok(shown) };
        if target.newest()? != self.seen {
            return Ok(None);
        }
        let begun = u64::try_from(self.push.begun_at.to_utc().timestamp()).unwrap_or(0);
        target.show(lock, &gathered.0, begun).map(Some)
    }
}

/// File work blocks, so it happens on a thread made for that.
async fn on_thread<T: Send + 'static>(
    placement: &Arc<Placement>,
    work: impl FnOnce(&Placement) -> Result<T, OrchestratorError> + Send + 'static,
) -> Result<T, OrchestratorError> {
    let placement = Arc::clone(placement);
    tokio::task::spawn_blocking(move || work(&placement))
        .await
        .map_err(|source| OrchestratorError::Task { operation: "place model", source })?
}
