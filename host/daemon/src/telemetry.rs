//! Logs: lines for people or JSON for programs, on standard error.

use anyhow::Context as _;
use countersign_config::settings::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging. Called once, by commands that run for long or carry runs.
///
/// # Errors
/// When the filter is wrong or logging was started before.
pub fn start(settings: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.filter).with_context(|| {
        format!("read setting `log.filter`: `{}` is no filter such as `info,sqlx=warn`", settings.filter)
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    }
    .map_err(|error| anyhow::anyhow!("start logging: {error}"))
}
