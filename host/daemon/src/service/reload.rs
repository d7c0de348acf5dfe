//! Puts new settings and pipelines in force while the daemon runs: everything is read and checked first, so that a mistake changes
//! nothing. Runs that have started keep the definition they pinned.

use super::registry;
use crate::context::Context;
use crate::telemetry;
use crate::wiring::Installation;
use countersign_config::settings::Applies;
use countersign_model::actor::Actor;
use countersign_triggers::SharedPipelines;
use std::sync::PoisonError;

/// Reloads. Keys that only a restart can change are named in the log.
///
/// # Errors
/// When settings or a pipeline are wrong, or a definition can not be registered; what was in force stays.
pub async fn reload(
    context: &Context,
    installation: &Installation,
    pipelines: &SharedPipelines,
    person: &Actor,
) -> anyhow::Result<()> {
    let settings = context.read_again()?;
    telemetry::filter(&settings.log)?;
    let versions = registry::read(&settings.pipelines, installation)?;
    registry::register(&versions, installation, person).await?;
    registry::tell_disagreements(&settings, &versions);
    let old = installation.live.now();
    for change in old.differences(&settings) {
        match change.applies {
            Applies::Now => tracing::info!(key = change.key, "setting changed"),
            Applies::AtRestart => {
                tracing::warn!(key = change.key, "setting changed: it takes effect at the next start")
            }
        }
    }
    let count = versions.len();
    *pipelines.write().unwrap_or_else(PoisonError::into_inner) = versions;
    installation.live.replace(settings);
    tracing::info!(pipelines = count, "settings and pipelines were read again");
    Ok(())
}
