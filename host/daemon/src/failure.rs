//! What the user did wrong, and how errors read.

use countersign_config::{ConfigError, Diagnostics};

/// The user's input is wrong; the text says all, located, with what to do.
#[derive(Debug)]
pub struct WrongInput {
    /// For people.
    pub text: String,
    /// For programs, where a file is wrong.
    pub diagnostics: Option<Diagnostics>,
}

impl WrongInput {
    /// Something else than a file is wrong.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), diagnostics: None }
    }
}

impl std::fmt::Display for WrongInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for WrongInput {}

/// A file's mistakes as people read them.
pub fn wrong_file(error: ConfigError) -> anyhow::Error {
    match error {
        ConfigError::Invalid(diagnostics) => {
            let text = diagnostics.render(console::colors_enabled_stderr());
            WrongInput { text, diagnostics: Some(diagnostics) }.into()
        }
        ConfigError::Read { .. } | ConfigError::Environment { .. } => {
            WrongInput::new(format!("error: {}", chain(&error))).into()
        }
    }
}

/// An error and its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    text
}
