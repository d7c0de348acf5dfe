//! What the user did wrong, and how errors read.

use countersign_config::{ConfigError, Diagnostic, Diagnostics};

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
        let said = source.to_string();
        // Some errors say what their cause says.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = source.source();
    }
    text
}

/// What each cause of an error says, the error itself left out.
pub fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.last().is_some_and(|last| last.ends_with(&cause)) {
            said.push(cause);
        }
    }
    said.split_off(1)
}

/// An error for a log, on one line: the mistakes of a file with their places, without the lines that they are in.
pub fn line(error: &anyhow::Error) -> String {
    let Some(wrong) = error.downcast_ref::<WrongInput>().and_then(|wrong| wrong.diagnostics.as_ref()) else {
        return chain(error.as_ref());
    };
    let place = |mistake: &Diagnostic| {
        mistake.span.as_ref().map_or_else(String::new, |span| format!(":{}:{}", span.line, span.column))
    };
    let told = wrong.diagnostics.iter().map(|one| format!("{}{}: {}", wrong.origin, place(one), one.message));
    told.collect::<Vec<_>>().join("; ")
}
