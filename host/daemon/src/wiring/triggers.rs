//! What starts runs: schedules, arriving data, hooks, other pipelines' pushes.

use super::{Installation, Stores};
use crate::context::Context;
use crate::system::{SystemClock, UlidSource};
use countersign_config::settings;
use countersign_ports::{Hooks, Timetable};
pub use countersign_triggers::{Backfill, BackfillError, BackfillRange, Planned, Prospect, Started, watch_directories};
use countersign_triggers::{Deliveries, HookAuth, HookOptions, HookService, S3Options, Schedules};
use countersign_triggers::{SharedPipelines, TriggerService};
use std::sync::Arc;

/// Where deliveries are found: directories, and the object store of the settings.
pub fn deliveries(context: &Context) -> Arc<Deliveries> {
    let s3 = &context.settings.s3;
    Arc::new(Deliveries::new(S3Options {
        endpoint: s3.endpoint.clone(),
        region: s3.region.clone(),
        access_key_id: s3.access_key_id.clone(),
        secret_access_key: s3.secret_access_key.clone(),
    }))
}

/// Turns what is due into events.
pub fn service(installation: &Installation, pipelines: &SharedPipelines) -> TriggerService {
    TriggerService::new(
        Arc::clone(&installation.stores.metadata),
        Arc::clone(&installation.stores.triggers),
        Arc::clone(&installation.deliveries),
        Arc::clone(&installation.ids),
        Arc::clone(pipelines),
    )
}

/// Takes what other systems send.
pub fn hooks(installation: &Installation, pipelines: &SharedPipelines, triggers: &TriggerService) -> Arc<dyn Hooks> {
    let live = installation.live.clone();
    let known = move |name: &str| match &live.now().hooks.get(name)?.auth {
        settings::HookAuth::Token(secret) => Some(HookAuth::Token(secret.clone())),
        settings::HookAuth::Hmac(secret) => Some(HookAuth::Hmac(secret.clone())),
    };
    Arc::new(HookService::new(HookOptions {
        store: Arc::clone(&installation.stores.metadata),
        clock: Arc::clone(&installation.clock),
        ids: Arc::clone(&installation.ids),
        pipelines: Arc::clone(pipelines),
        hooks: Arc::new(known),
        look: triggers.hint(),
        work: installation.engine.hint(),
    }))
}

/// When schedules fire next.
pub fn timetable() -> Arc<dyn Timetable> {
    Arc::new(Schedules)
}

/// Plans and starts runs over old deliveries.
pub fn backfill(context: &Context, stores: &Stores) -> Backfill {
    let ids = Arc::new(UlidSource::default());
    Backfill::new(Arc::clone(&stores.metadata), deliveries(context), Arc::new(SystemClock), ids)
}
