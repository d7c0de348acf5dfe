//! Writes checkpoints as the epochs go by.

use crate::Keep;
use crate::fit::Epoch;
use countersign_formats::model::{CHECKPOINT_INDEX, Checkpoint, CheckpointIndex};
use countersign_sdk::{Error, files};
use std::path::PathBuf;

const EARLY: u32 = 3;
const LATE: u32 = 5;

/// The folder of checkpoints.
pub struct Checkpoints {
    folder: PathBuf,
    keep: Keep,
    epochs: u32,
    kept: Vec<Checkpoint>,
}

impl Checkpoints {
    /// An empty folder.
    pub fn new(folder: PathBuf, keep: Keep, epochs: u32) -> Self {
        Self { folder, keep, epochs, kept: Vec::new() }
    }

    /// Writes the network of an epoch, where that epoch is one to keep.
    pub fn keep(&mut self, epoch: &Epoch<'_>) -> Result<(), Error> {
        if !wanted(self.keep, epoch.number, self.epochs) {
            return Ok(());
        }
        let file = format!("epoch-{:03}.safetensors", epoch.number);
        let bytes = epoch.network.to_safetensors().map_err(|e| Error::Bug(e.to_string()))?;
        std::fs::write(self.folder.join(&file), bytes)?;
        self.kept.push(Checkpoint { file, epoch: epoch.number, loss: epoch.loss });
        Ok(())
    }

    /// Writes the index.
    pub fn finish(self) -> Result<(), Error> {
        files::write_json(self.folder.join(CHECKPOINT_INDEX), &CheckpointIndex { checkpoints: self.kept })
    }
}

fn wanted(keep: Keep, epoch: u32, epochs: u32) -> bool {
    match keep {
        Keep::All => true,
        Keep::EarlyAndLate => epoch <= EARLY || epoch + LATE > epochs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_and_the_last_five_are_kept_once_each() {
        let kept = |keep, epochs| (1..=epochs).filter(|e| wanted(keep, *e, epochs)).collect::<Vec<_>>();
        assert_eq!(kept(Keep::EarlyAndLate, 12), [1, 2, 3, 8, 9, 10, 11, 12]);
        assert_eq!(kept(Keep::EarlyAndLate, 6), [1, 2, 3, 4, 5, 6]);
        assert_eq!(kept(Keep::All, 9).len(), 9);
    }
}
