//! What every command starts from: settings and the way to print.

use crate::args::{Cli, Output};
use crate::failure::{WrongInput, wrong_file};
use anyhow::Context as _;
use countersign_config::settings::Settings;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Settings and the way to print.
pub struct Context {
    /// How results are printed.
    pub output: Output,
    /// Checked settings, as they were when this command started.
    pub settings: Settings,
    /// The file that somebody named; none: the usual places.
    config: Option<PathBuf>,
    /// The words with which this command line is repeated: `countersign`, or with the flags that found the settings.
    pub prefix: String,
}

impl Context {
    /// Reads settings from where the command line, the environment and the usual places say.
    ///
    /// # Errors
    /// When a settings file can not be read or is wrong.
    pub fn load(cli: &Cli) -> anyhow::Result<Self> {
        let mut prefix = program();
        let config = if cli.demo {
            prefix.push_str(" --demo");
            let file = demo_directory(None)?.join("countersign.toml");
            if !file.exists() {
                let text =
                    format!("error: there is no demo yet: `countersign demo` makes it ({} is missing)", file.display());
                return Err(WrongInput::new(text).into());
            }
            Some(file)
        } else {
            if let Some(config) = &cli.config {
                prefix.push_str(&format!(" --config {}", config.display()));
            }
            cli.config.clone()
        };
        Ok(Self { output: cli.output, settings: read_settings(config.as_deref())?, config, prefix })
    }

    /// With settings made elsewhere.
    pub fn with(output: Output, config: &Path, prefix: String) -> anyhow::Result<Self> {
        Ok(Self { output, settings: read_settings(Some(config))?, config: Some(config.to_path_buf()), prefix })
    }

    /// The settings as they are written now.
    ///
    /// # Errors
    /// When they can not be read or are wrong.
    pub fn read_again(&self) -> anyhow::Result<Settings> {
        read_settings(self.config.as_deref())
    }

    /// Whether programs read the output.
    pub fn json(&self) -> bool {
        self.output == Output::Json
    }

    /// Prints one JSON document that names its schema.
    ///
    /// # Errors
    /// When the value can not be written as JSON.
    pub fn print_json<T: Serialize>(&self, schema: &str, value: &T) -> anyhow::Result<()> {
        print_json(schema, value)
    }

    /// Where people find the pages; none when they are off.
    pub fn page_url(&self) -> Option<String> {
        let web = &self.settings.web;
        web.public_url.clone().or_else(|| web.listen.map(|address| format!("http://{address}")))
    }

    /// Where the artifacts lie.
    pub fn artifacts(&self) -> PathBuf {
        self.settings.state_dir.join("artifacts")
    }
}

/// Prints one JSON document that names its schema.
///
/// # Errors
/// When the value can not be written as JSON.
pub fn print_json<T: Serialize>(schema: &str, value: &T) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Document<'a, T> {
        schema: String,
        data: &'a T,
    }
    let document = Document { schema: format!("countersign.{schema}/1"), data: value };
    println!("{}", serde_json::to_string_pretty(&document)?);
    Ok(())
}

fn read_settings(config: Option<&Path>) -> anyhow::Result<Settings> {
    let working_dir = std::env::current_dir().context("find the working directory")?;
    Settings::load(config, &environment(), &working_dir).map_err(wrong_file)
}

/// Variables whose names and values are text; no setting is anything else.
fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// The word that starts this program again: as it was called, so that printed commands can be pasted.
pub fn program() -> String {
    std::env::args().next().filter(|called| !called.is_empty()).unwrap_or_else(|| "countersign".to_string())
}

/// Where the demo lives: by default beside the state of the installation that needs no settings.
///
/// # Errors
/// When a given directory can not be made absolute.
pub fn demo_directory(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    match given {
        Some(given) => std::path::absolute(given).with_context(|| format!("find {}", given.display())),
        None => Ok(Settings::defaults(&environment()).state_dir.join("demo")),
    }
}
