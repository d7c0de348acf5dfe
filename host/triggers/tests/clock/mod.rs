//! The clock half of the service.

mod after;
mod changes;
mod jitter;
mod jumps;
mod misfire;
mod overload;

use crate::fixture::Fixture;
use countersign_model::event::Cause;
use countersign_model::time::Timestamp;

/// The scheduled instants that started a run, in the order in which they did.
async fn fired(fixture: &Fixture) -> Vec<Timestamp> {
    let scheduled = |cause: Cause| match cause {
        Cause::Cron { scheduled_for, .. } => Some(scheduled_for),
        Cause::Person | Cause::Arrival { .. } | Cause::Pushed { .. } | Cause::Http { .. } | Cause::Backfill { .. } => {
            None
        }
    };
    fixture.runs().await.into_iter().rev().filter_map(|run| scheduled(run.cause)).collect()
}
