//! What a component is asked to do: where its inputs lie, where its outputs go.

use crate::Error;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One call of [`crate::Component::execute`]. The host makes it; tests make their own:
///
/// ```
/// # use countersign_sdk::Task;
/// let task = Task::new(7).with_input("examples", ["/data/examples"]).with_output("model", "/tmp/model");
/// assert_eq!(task.input("examples").unwrap().to_str(), Some("/data/examples"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Task {
    inputs: BTreeMap<String, Vec<PathBuf>>,
    outputs: BTreeMap<String, PathBuf>,
    seed: u64,
}

impl Task {
    /// A task without inputs and outputs.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Binds an input to directories, newest first.
    #[must_use]
    pub fn with_input<P: Into<PathBuf>>(mut self, name: impl Into<String>, paths: impl IntoIterator<Item = P>) -> Self {
        self.inputs.insert(name.into(), paths.into_iter().map(Into::into).collect());
        self
    }

    /// Binds an output to a directory.
    #[must_use]
    pub fn with_output(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.outputs.insert(name.into(), path.into());
        self
    }

    /// The directory of an input that takes one artifact.
    ///
    /// # Errors
    /// `InvalidInput` when it is not bound, `Bug` when it is bound to several.
    pub fn input(&self, name: &str) -> Result<PathBuf, Error> {
        match self.bound(name) {
            [path] => Ok(path.clone()),
            [] => Err(Error::InvalidInput(format!("input `{name}` is not bound"))),
            [..] => Err(Error::Bug(format!("input `{name}` is bound to several artifacts, but read as one"))),
        }
    }

    /// The directory of an optional input, when it is bound.
    pub fn optional_input(&self, name: &str) -> Option<PathBuf> {
        self.bound(name).first().cloned()
    }

    /// The directories of an input that takes several artifacts, newest first.
    pub fn inputs(&self, name: &str) -> Vec<PathBuf> {
        self.bound(name).to_vec()
    }

    /// The empty directory of an output.
    ///
    /// # Errors
    /// `Bug` when the description does not declare it.
    pub fn output(&self, name: &str) -> Result<PathBuf, Error> {
        self.outputs
            .get(name)
            .cloned()
            .ok_or_else(|| Error::Bug(format!("output `{name}` is not declared in the description")))
    }

    /// Derived from everything that determines the outputs: the only source of randomness that a component needs.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    fn bound(&self, name: &str) -> &[PathBuf] {
        self.inputs.get(name).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_input_is_the_users_and_an_undeclared_output_the_components_fault() {
        let task = Task::new(1).with_input("several", ["/in/several/0", "/in/several/1"]);
        assert!(matches!(task.input("absent"), Err(Error::InvalidInput(message)) if message.contains("`absent`")));
        assert!(matches!(task.input("several"), Err(Error::Bug(_))));
        assert_eq!(task.inputs("several").len(), 2);
        assert_eq!(task.optional_input("absent"), None);
        assert!(matches!(task.output("absent"), Err(Error::Bug(message)) if message.contains("`absent`")));
    }
}
