//! Logs: lines for people or JSON for programs, on standard error.

use crate::failure::WrongInput;
use countersign_config::settings::{Log, LogFormat};
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging. Called once, by commands that run for long or carry runs.
///
/// # Errors
/// When the filter is wrong or logging was started before.
pub fn start(settings: &Log) -> anyhow::Result<()> {
    // A log that can not be written, on a full disk or into a pipe that nobody reads, is no reason to end: by default that is said, where
    // it can not be written either, which panics.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(settings)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && console::colors_enabled_stderr())
        .log_internal_errors(false);
    match settings.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    }
    .map_err(|error| anyhow::anyhow!("start logging: {error}"))
}

/// What is logged.
///
/// # Errors
/// When the setting is wrong.
pub fn filter(settings: &Log) -> anyhow::Result<EnvFilter> {
    // What libraries remark upon while nothing is wrong, unless somebody asks for it.
    EnvFilter::try_new(format!("sqlx::postgres::notice=warn,object_store::client=warn,{}", settings.filter)).map_err(
        |error| {
            let text = format!(
                "error: setting `log.filter`: `{}` is no filter such as `info,sqlx=warn`: {error}",
                settings.filter
            );
            WrongInput::new(text).into()
        },
    )
}
