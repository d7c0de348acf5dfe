//! The environment over the file: every key `a.b` is `COUNTERSIGN_A_B`.
//!
//! A variable that names no key is left alone: Kubernetes sets `COUNTERSIGN_PORT` and more for a service of that name.

use super::Settings;
use super::file::{LEASE_SECONDS, POLL_SECONDS, log_format};
use crate::check::absolute;
use crate::error::ConfigError;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Overrides what variables name. An empty variable counts as none.
pub(super) fn apply(
    settings: &mut Settings,
    environment: &BTreeMap<String, String>,
    working_dir: &Path,
) -> Result<(), ConfigError> {
    let get = |key: &str| {
        let variable = format!("COUNTERSIGN_{key}");
        environment.get(&variable).filter(|value| !value.is_empty()).map(|value| (variable, value.as_str()))
    };
    let path = |text: &str| PathBuf::from(absolute(working_dir, text));
    // As in `PATH`.
    let paths = |texts: &str| texts.split(':').filter(|text| !text.is_empty()).map(path).collect();
    if let Some((_, value)) = get("STATE_DIR") {
        settings.state_dir = path(value);
    }
    if let Some((_, value)) = get("CACHE_DIR") {
        settings.cache_dir = path(value);
    }
    if let Some((_, value)) = get("COMPONENT_DIRS") {
        settings.component_dirs = paths(value);
    }
    if let Some((_, value)) = get("PIPELINES") {
        settings.pipelines = paths(value);
    }
    if let Some((variable, value)) = get("PEOPLE") {
        people(settings, &variable, value, working_dir)?;
    }
    if let Some((variable, value)) = get("LOG_FORMAT") {
        let problem = || format!("the log can not be written as `{value}`: use `text` or `json`");
        settings.log.format =
            log_format(value).ok_or_else(|| ConfigError::Environment { variable, problem: problem() })?;
    }
    if let Some((_, value)) = get("LOG_FILTER") {
        settings.log.filter = value.to_string();
    }
    if let Some((variable, value)) = get("LEASE_SECONDS") {
        settings.lease_seconds = number(variable, value, LEASE_SECONDS)?;
    }
    if let Some((variable, value)) = get("POLL_SECONDS") {
        settings.poll_seconds = number(variable, value, POLL_SECONDS)?;
    }
    Ok(())
}

fn number(variable: String, value: &str, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| ConfigError::Environment {
        variable,
        problem: format!("must be a whole number from {} to {}, not `{value}`", range.start(), range.end()),
    })
}

/// `{ ada = { roles = ["owner"], local = "ada" } }`, as after `people =` in the file.
fn people(settings: &mut Settings, variable: &str, value: &str, working_dir: &Path) -> Result<(), ConfigError> {
    let read = Settings::read(&format!("people = {value}"), variable, working_dir, settings.clone())?;
    settings.people = read.people;
    Ok(())
}
