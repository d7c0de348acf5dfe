//! The file and the environment, one over the other: every key `a.b` is also `COUNTERSIGN_A_B`, which wins. A value is checked
//! once, wherever it was written, and a mistake is reported there. No message repeats what may be a secret.
//!
//! A variable that names no key is left alone: Kubernetes sets `COUNTERSIGN_PORT` and more for a service of that name.

use crate::check::absolute;
use crate::diagnostics::{Mistake, Problem, Sink};
use crate::error::ConfigError;
use crate::mask;
use crate::place::Placed;
use crate::shape::Text;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

/// Where a value was written, or should have been.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    File(Range<usize>),
    Variable(String),
}

/// A value and where it was written.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub text: &'a str,
    pub origin: Origin,
}

/// A value was given and refused; that has been reported.
#[derive(Debug)]
pub(super) struct Refused;

/// What a key gave: nothing when nobody gave it.
pub(super) type Given<T> = Result<Option<T>, Refused>;

/// Both layers, and what is wrong in them.
#[derive(Debug)]
pub(super) struct Layers<'a> {
    environment: &'a BTreeMap<String, String>,
    base_dir: &'a Path,
    working_dir: &'a Path,
    /// Mistakes of the file.
    pub sink: Sink<'a>,
    /// Mistakes of the variables.
    wrong: Vec<String>,
    /// The first variable whose value is TOML with mistakes.
    wrong_table: Option<ConfigError>,
}

impl<'a> Layers<'a> {
    /// Relative paths in the file are taken from `base_dir`, those in variables from `working_dir`.
    pub fn new(
        sink: Sink<'a>,
        base_dir: &'a Path,
        environment: &'a BTreeMap<String, String>,
        working_dir: &'a Path,
    ) -> Self {
        Self { environment, base_dir, working_dir, sink, wrong: Vec::new(), wrong_table: None }
    }

    /// The same environment over another text: a variable whose value is TOML.
    pub fn within<'b>(&self, sink: Sink<'b>) -> Layers<'b>
    where
        'a: 'b,
    {
        Layers::new(sink, self.working_dir, self.environment, self.working_dir)
    }

    /// A variable and its value. An empty one counts as none.
    pub fn variable(&self, key: &str) -> Option<(String, &'a str)> {
        let variable = variable_of(key);
        let value = self.environment.get(&variable).filter(|value| !value.is_empty())?;
        Some((variable, value))
    }

    /// The text of a key.
    pub fn text<'w>(&self, key: &str, file: Option<&'w Text>) -> Option<Written<'w>>
    where
        'a: 'w,
    {
        match self.variable(key) {
            Some((variable, text)) => Some(Written { text, origin: Origin::Variable(variable) }),
            None => file.map(|text| Written { text: text.text(), origin: Origin::File(text.place.clone()) }),
        }
    }

    /// The value of a key, if it is sound.
    pub fn checked<T>(
        &mut self,
        key: &str,
        file: Option<&Text>,
        check: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Given<T> {
        let Some(written) = self.text(key, file) else { return Ok(None) };
        match check(written.text) {
            Ok(value) => Ok(Some(value)),
            Err(problem) => Err(self.refuse(&written.origin, problem)),
        }
    }

    /// The whole number of a key; the file's was checked when it was read.
    pub fn number(&mut self, key: &str, file: Option<&Placed<u64>>, range: RangeInclusive<u64>) -> Option<u64> {
        let Some((variable, text)) = self.variable(key) else { return file.map(|number| number.value) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (low, high) = (range.start(), range.end());
            self.wrong_variable(variable, format!("must be a whole number from {low} to {high}, not `{text}`"));
        }
        number
    }

    /// A path, made absolute.
    pub fn path(&mut self, written: &Written<'_>) -> Result<PathBuf, Refused> {
        if written.text.trim().is_empty() {
            return Err(self.refuse(
                &written.origin,
                Problem::new("settings.empty-path", "a path is empty", "name a file or a folder"),
            ));
        }
        let base_dir = match written.origin {
            Origin::File(_) => self.base_dir,
            Origin::Variable(_) => self.working_dir,
        };
        Ok(PathBuf::from(absolute(base_dir, written.text)))
    }

    /// Paths, in a variable as in `PATH`.
    pub fn paths(&mut self, key: &str, file: Option<&[Text]>) -> Option<Vec<PathBuf>> {
        let written: Vec<Written<'_>> = match self.variable(key) {
            Some((variable, texts)) => texts
                .split(':')
                .filter(|text| !text.is_empty())
                .map(|text| Written { text, origin: Origin::Variable(variable.clone()) })
                .collect(),
            None => file?
                .iter()
                .map(|text| Written { text: text.text(), origin: Origin::File(text.place.clone()) })
                .collect(),
        };
        Some(written.iter().filter_map(|written| self.path(written).ok()).collect())
    }

    /// A value that must be there; `origin` is where somebody would write it.
    pub fn needed<T>(
        &mut self,
        given: Given<T>,
        origin: &Origin,
        problem: impl FnOnce() -> Problem,
    ) -> Result<T, Refused> {
        given?.ok_or_else(|| self.refuse(origin, problem()))
    }

    /// Reports what is wrong with a value, where it was written.
    pub fn refuse(&mut self, origin: &Origin, problem: Problem) -> Refused {
        match origin {
            Origin::File(place) => {
                let mistake = Mistake::of(place, problem);
                self.sink.push(mistake);
            }
            Origin::Variable(variable) => {
                let Problem { message, guess, help, .. } = problem;
                let guess = guess.map(|guess| format!(" (did you mean `{guess}`?)")).unwrap_or_default();
                self.wrong_variable(variable.clone(), format!("{message}{guess}: {help}"));
            }
        }
        Refused
    }

    fn wrong_variable(&mut self, variable: String, problem: String) {
        self.wrong.push(format!("{variable}: {}", mask::words(&problem)));
    }

    /// Takes over what is wrong in a variable whose value is TOML.
    pub fn absorb(&mut self, found: Result<(), ConfigError>) {
        match found {
            Ok(()) => {}
            Err(ConfigError::Environment { mistakes }) => self.wrong.extend(mistakes),
            Err(error) => drop(self.wrong_table.get_or_insert(error)),
        }
    }

    /// Whether all is well: first the file, then the variables.
    pub fn finish(self) -> Result<(), ConfigError> {
        self.sink.finish()?;
        self.wrong_table.map_or(Ok(()), Err)?;
        let mistakes = self.wrong;
        if mistakes.is_empty() { Ok(()) } else { Err(ConfigError::Environment { mistakes }) }
    }
}

/// `slack.bot_token` is `COUNTERSIGN_SLACK_BOT_TOKEN`.
pub(super) fn variable_of(key: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("COUNTERSIGN_{}", key.chars().map(sign).collect::<String>())
}
