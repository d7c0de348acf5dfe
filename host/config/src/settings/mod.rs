//! `countersign.toml` and the environment: what holds for the whole installation. Reads no variable and no working
//! directory by itself; both are handed in.

mod address;
mod alerts;
mod database;
mod explain;
mod file;
mod hooks;
mod layers;
mod named;
mod origins;
mod people;
mod retention;
mod rows;
mod s3;
mod secrets;
mod slack;
mod traces;
mod web;

pub use alerts::Alerts;
pub use database::Database;
pub use explain::{Applies, Change, Explained};
pub(crate) use file::SettingsFile;
pub use hooks::{Hook, HookAuth};
pub use origins::ValueOrigin;
pub use people::Person;
pub use retention::Retention;
pub use s3::S3;
pub use slack::{Slack, SlackTransport};
pub use traces::Traces;
pub use web::{SlackSignIn, Web};

use crate::diagnostics::Sink;
use crate::document;
use crate::error::ConfigError;
use layers::Layers;
use origins::Origins;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the file of an installation for everybody lies.
const SYSTEM_FILE: &str = "/etc/countersign/countersign.toml";

/// Checked settings; every path is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The file that was read; none when there is none.
    pub origin: Option<PathBuf>,
    /// Where the artifacts live, and the record if it is in SQLite.
    pub state_dir: PathBuf,
    /// Where compiled components are kept; it may be emptied at any time.
    pub cache_dir: PathBuf,
    /// Folders with `.wasm` components, beside those in the binary. Later ones win.
    pub component_dirs: Vec<PathBuf>,
    /// Pipeline files, and folders whose `.toml` files are pipelines, for `serve`.
    pub pipelines: Vec<PathBuf>,
    /// Where the record is kept.
    pub database: Database,
    /// The object store that sources are read from.
    pub s3: S3,
    /// Ways in for other systems, by name.
    pub hooks: BTreeMap<String, Hook>,
    /// How long runs are kept.
    pub retention: Retention,
    /// Where traces go, if anywhere.
    pub traces: Option<Traces>,
    /// Who may sign off, by name.
    pub people: BTreeMap<String, Person>,
    /// The web server.
    pub web: Web,
    /// Slack, if it is set up.
    pub slack: Option<Slack>,
    /// Where alerts are posted.
    pub alerts: Alerts,
    /// What is logged and how.
    pub log: Log,
    /// How many runs a daemon carries at the same time.
    pub concurrency: usize,
    /// How long a daemon that is told to stop lets its runs go on.
    pub drain_seconds: u64,
    /// A worker that was not heard of for so long has lost its run.
    pub lease_seconds: u64,
    /// How often `serve` looks for what is due.
    pub poll_seconds: u64,
    /// Which layer said what.
    origins: Origins,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// A filter of the tracing library: `info`, or `info,countersign_query=debug`.
    pub filter: String,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// What holds without a file.
    pub fn defaults(environment: &BTreeMap<String, String>) -> Self {
        let data = base_dir(environment, "XDG_DATA_HOME", ".local/share");
        let cache = base_dir(environment, "XDG_CACHE_HOME", ".cache");
        let state_dir = data.map_or_else(|| "/var/lib/countersign".into(), |data| data.join("countersign"));
        Self {
            origin: None,
            database: Database::within(&state_dir),
            state_dir,
            cache_dir: cache.map_or_else(|| "/var/cache/countersign".into(), |cache| cache.join("countersign")),
            component_dirs: Vec::new(),
            pipelines: Vec::new(),
            s3: S3::default(),
            hooks: BTreeMap::new(),
            retention: Retention::default(),
            traces: None,
            people: BTreeMap::new(),
            web: Web::default(),
            slack: None,
            alerts: Alerts::default(),
            log: Log { format: LogFormat::Text, filter: "info".to_string() },
            concurrency: 2,
            drain_seconds: 20,
            lease_seconds: 30,
            poll_seconds: 5,
            origins: Origins::default(),
        }
    }

    /// The settings of the first file among [`candidates`], overridden by the environment. Relative paths in the file are
    /// taken from the file's folder, those in the environment from `working_dir`, which must be absolute.
    ///
    /// # Errors
    /// When a file that was asked for can not be read, or something in it or in the environment is wrong.
    pub fn load(
        explicit: Option<&Path>,
        environment: &BTreeMap<String, String>,
        working_dir: &Path,
    ) -> Result<Self, ConfigError> {
        for candidate in candidates(explicit, environment) {
            let path = working_dir.join(&candidate.path);
            match document::load(&path) {
                Ok(text) => {
                    let base_dir = path.parent().unwrap_or(working_dir);
                    let settings = Self::read(&text, &path.display().to_string(), base_dir, environment, working_dir)?;
                    return Ok(Self { origin: Some(path), ..settings });
                }
                Err(ConfigError::Read { source, .. })
                    if !candidate.required && source.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Self::read("", "countersign.toml", working_dir, environment, working_dir)
    }

    /// The settings in `text`, overridden by the environment; what neither names has its default. The files of secrets are
    /// read. Relative paths in `text` are taken from `base_dir`, those in the environment from `working_dir`; both are absolute.
    ///
    /// # Errors
    /// Everything that is wrong with the text, or else everything that is wrong in the environment.
    pub fn read(
        text: &str,
        origin: &str,
        base_dir: &Path,
        environment: &BTreeMap<String, String>,
        working_dir: &Path,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::new(Sink::discreet(origin, text), base_dir, environment, working_dir);
        let mut settings = Self::defaults(environment);
        if let Some(document) = document::parse(text, &mut layers.sink) {
            let shape = file::read(&document, &mut layers.sink);
            file::apply(&shape, &mut settings, &mut layers);
            settings.origins.add_file(origin, text, document.get_ref(), base_dir);
            settings.origins.add_variables(environment, working_dir);
        }
        layers.finish().map(|()| settings)
    }

    /// As a flag of the command line says: it goes before file and environment.
    #[must_use]
    pub fn with_concurrency(mut self, flag: &'static str, most: usize) -> Self {
        self.concurrency = most;
        self.origins.add_flag("concurrency", flag);
        self
    }
}

/// A place where settings may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Somebody named it, so it must be there.
    pub required: bool,
}

/// The files that may hold the settings, best first: `--config`, `COUNTERSIGN_CONFIG`, the user's, the system's.
pub fn candidates(explicit: Option<&Path>, environment: &BTreeMap<String, String>) -> Vec<Candidate> {
    let named = explicit.map(Path::to_path_buf);
    let named =
        named.or_else(|| environment.get("COUNTERSIGN_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
    if let Some(path) = named {
        return vec![Candidate { path, required: true }];
    }
    let user = base_dir(environment, "XDG_CONFIG_HOME", ".config").map(|dir| dir.join("countersign/countersign.toml"));
    let paths = user.into_iter().chain([PathBuf::from(SYSTEM_FILE)]);
    paths.map(|path| Candidate { path, required: false }).collect()
}

/// A base directory of the XDG specification, which ignores relative values.
fn base_dir(environment: &BTreeMap<String, String>, variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = environment.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| home().map(|home| home.join(below_home)))
}
