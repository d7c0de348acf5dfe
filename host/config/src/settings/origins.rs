//! Which layer each key's value came from: looked up in the tree of the file and in the names of the variables. Keeps no value
//! but the names of secrets' files.

use super::layers::variable_of;
use crate::check::absolute;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum ValueOrigin {
    /// Nobody said anything.
    Default,
    /// The settings file.
    File {
        /// Its name as it was found.
        path: String,
        /// Its line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
    },
    /// A flag of the command line.
    Flag {
        /// The flag.
        name: String,
    },
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Variable { name } => f.write_str(name),
            Self::Flag { name } => write!(f, "flag {name}"),
        }
    }
}

/// How a key is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By itself or by its own variable.
    Plain,
    /// By a file, its own variable, or a variable that names a file.
    Secret,
    /// In a table; only the whole has a variable.
    Member,
}

/// Tables whose variable holds all of them.
const WHOLE: [&str; 2] = ["people", "hooks"];

/// What was given in which layer, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origins {
    path: String,
    /// Line of each key of the file, and the path that the value of a `…_file` means.
    file: BTreeMap<String, (usize, Option<PathBuf>)>,
    /// The same of variables.
    variables: BTreeMap<String, Option<PathBuf>>,
    flags: BTreeMap<&'static str, &'static str>,
}

impl Origins {
    /// Of a file's tree, with the folder that its paths begin in.
    pub fn add_file(&mut self, path: &str, text: &str, tree: &DeTable<'_>, base_dir: &Path) {
        self.path = path.to_string();
        self.add_table("", text, tree, base_dir);
    }

    fn add_table(&mut self, prefix: &str, text: &str, table: &DeTable<'_>, base_dir: &Path) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let before = text.get(..name.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let named = value.get_ref().as_str().filter(|_| key.ends_with("_file"));
            if let DeValue::Table(inner) = value.get_ref() {
                self.add_table(&format!("{key}."), text, inner, base_dir);
            }
            self.file.insert(key, (line, named.map(|named| absolute(base_dir, named).into())));
        }
    }

    /// Of our variables, empty ones left out.
    pub fn add_variables(&mut self, environment: &BTreeMap<String, String>, working_dir: &Path) {
        let ours = |name: &str, value: &str| name.starts_with("COUNTERSIGN_") && !value.is_empty();
        for (name, value) in environment.iter().filter(|(name, value)| ours(name, value)) {
            let named = name.ends_with("_FILE").then(|| absolute(working_dir, value).into());
            self.variables.insert(name.clone(), named);
        }
    }

    /// A flag overrode the key.
    pub fn add_flag(&mut self, key: &'static str, flag: &'static str) {
        self.flags.insert(key, flag);
    }

    /// Where the key's value came from, and for a secret the file that holds it.
    pub fn of(&self, key: &str, kind: Kind) -> (ValueOrigin, Option<&Path>) {
        if let Some(flag) = self.flags.get(key) {
            return (ValueOrigin::Flag { name: (*flag).to_string() }, None);
        }
        let file_key = format!("{key}_file");
        let own: &[&str] = match kind {
            Kind::Plain => &[key],
            Kind::Secret => &[key, &file_key],
            Kind::Member => &[],
        };
        let whole = key.split('.').next().filter(|first| WHOLE.contains(first));
        for name in own.iter().copied().chain(whole).map(variable_of) {
            if let Some(named) = self.variables.get(&name) {
                return (ValueOrigin::Variable { name }, named.as_deref());
            }
        }
        match self.file.get(if kind == Kind::Secret { file_key.as_str() } else { key }) {
            Some((line, named)) => (ValueOrigin::File { path: self.path.clone(), line: *line }, named.as_deref()),
            None => (ValueOrigin::Default, None),
        }
    }
}
