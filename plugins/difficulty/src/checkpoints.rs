//! Loads a model's transform and the checkpoints of its training, and refuses what has no meaning.

use crate::gradients::Target;
use countersign_formats::model::{CHECKPOINT_INDEX, CheckpointIndex, MODEL_GRAPH, MODEL_INDEX, ModelIndex};
use countersign_onnx::{Network, Program};
use countersign_sdk::{Error, files::read_json};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// A model file: its transform is what is run here.
pub struct Model {
    /// What it says of itself.
    pub index: ModelIndex,
    /// The graph.
    pub program: Program,
    /// SHA-256 of the graph's file.
    pub sha256: String,
}

/// One stage of training.
pub struct Checkpoint {
    /// File name.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The weights.
    pub network: Network,
}

/// Loads a `Model`.
///
/// # Errors
/// `InvalidInput`, naming the file, when it can not be read or run.
pub fn load_model(directory: &Path) -> Result<Model, Error> {
    let (bytes, sha256) = read(&directory.join(MODEL_GRAPH))?;
    let program = Program::load(&bytes).map_err(|error| Error::InvalidInput(format!("model: {error}")))?;
    Ok(Model { index: read_json(directory.join(MODEL_INDEX))?, program, sha256 })
}

/// Loads `Checkpoints`, oldest first.
///
/// # Errors
/// `InvalidInput`, naming the file, when one can not be read or is not of the model.
pub fn load_checkpoints(directory: &Path, model: &ModelIndex) -> Result<Vec<Checkpoint>, Error> {
    let mut index: CheckpointIndex = read_json(directory.join(CHECKPOINT_INDEX))?;
    index.checkpoints.sort_by_key(|checkpoint| checkpoint.epoch);
    let load = |file: String| {
        let (bytes, sha256) = read(&directory.join(&file))?;
        let wrong = |reason: String| Error::InvalidInput(format!("checkpoint {file}: {reason}"));
        let network = Network::from_safetensors(&bytes).map_err(|error| wrong(error.to_string()))?;
        let (inputs, classes) = (model.features.len(), model.label.classes.len());
        if (network.inputs(), network.classes()) != (inputs, classes) {
            let (has_inputs, has_classes) = (network.inputs(), network.classes());
            return Err(wrong(format!(
                "{has_inputs} inputs and {has_classes} classes, but the model has {inputs} and {classes}"
            )));
        }
        Ok(Checkpoint { file, sha256, network })
    };
    index.checkpoints.into_iter().map(|checkpoint| load(checkpoint.file)).collect()
}

/// Refuses variants that say nothing.
///
/// # Errors
/// `Refused`, with the reason and what to do instead.
pub fn check_meaning(target: Target, network: &Network, used: usize) -> Result<(), Error> {
    if used < 2 {
        return Err(Error::Refused(format!(
            "VoG is a spread over checkpoints and {used} would be used: train with more checkpoints, or take `stage = \"all\"`"
        )));
    }
    if target == Target::Logit && network.hidden_widths().is_empty() {
        return Err(Error::Refused(
            "the logit gradient of a model without hidden layers is the same for every example of a class, so it ranks nothing: use \
             `target = \"softmax\"`"
                .to_string(),
        ));
    }
    Ok(())
}

fn read(path: &Path) -> Result<(Vec<u8>, String), Error> {
    let bytes =
        std::fs::read(path).map_err(|error| Error::InvalidInput(format!("read {}: {error}", path.display())))?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    Ok((bytes, sha256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_onnx::Layer;
    use ndarray::{Array1, Array2};

    fn network(layers: usize) -> Network {
        let layer = || Layer { w: Array2::zeros((2, 2)), b: Array1::zeros(2) };
        Network::new((0..layers).map(|_| layer()).collect()).unwrap()
    }

    #[test]
    fn a_linear_model_has_no_logit_vog() {
        let refused = check_meaning(Target::Logit, &network(1), 5).unwrap_err();
        assert!(matches!(&refused, Error::Refused(reason) if reason.contains("same for every example")), "{refused}");
        assert!(check_meaning(Target::Softmax, &network(1), 5).is_ok());
        assert!(check_meaning(Target::LogProb, &network(1), 5).is_ok());
        assert!(check_meaning(Target::Logit, &network(2), 5).is_ok());
    }

    #[test]
    fn one_checkpoint_has_no_spread() {
        assert!(matches!(check_meaning(Target::Softmax, &network(2), 1), Err(Error::Refused(_))));
    }
}
