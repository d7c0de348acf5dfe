//! Looks at triggers for as long as the daemon runs: schedules in one loop, deliveries in another, so that a slow disk or object store
//! makes no schedule late. Each looks when its next thing is due, when there is a hint, and every so often anyway.

use super::{Attempts, Troubles, told};
use crate::wiring::{self, Installation};
use countersign_model::event::EventOutcome;
use countersign_triggers::{SharedPipelines, TriggerError, TriggerService};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Starts both loops, and what hints at changes in directories.
pub fn start(
    installation: &Installation,
    service: Arc<TriggerService>,
    pipelines: &SharedPipelines,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) {
    let (schedules, deliveries) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    tasks.spawn(until(stopping.clone(), pass_on(service.hint(), [Arc::clone(&schedules), Arc::clone(&deliveries)])));
    tasks.spawn(until(stopping.clone(), look_at_schedules(installation.clone(), Arc::clone(&service), schedules)));
    let every = poll(installation);
    tasks.spawn(until(
        stopping.clone(),
        wiring::triggers::watch_directories(Arc::clone(pipelines), service.hint(), every),
    ));
    tasks.spawn(until(stopping.clone(), look_at_deliveries(installation.clone(), service, deliveries)));
}

/// Does that until the daemon stops. What is dropped in the middle is due again at the next start.
async fn until(mut stopping: watch::Receiver<bool>, work: impl Future<Output = ()> + Send) {
    tokio::select! {
        () = work => {}
        () = told(&mut stopping) => {}
    }
}

/// A hint wakes one who waits; here are two.
async fn pass_on(hint: Arc<Notify>, loops: [Arc<Notify>; 2]) {
    loop {
        hint.notified().await;
        loops.iter().for_each(|waiting| waiting.notify_one());
    }
}

async fn look_at_schedules(installation: Installation, service: Arc<TriggerService>, hint: Arc<Notify>) {
    let mut attempts = installation.troubles.with("looking at schedules");
    loop {
        let fired = service.fire_schedules(installation.clock.now()).await;
        let failed = looked(&installation, &mut attempts, fired);
        let now = installation.clock.now();
        // What can not be written is due all the time: no reason to hurry.
        let due = service.next_due(now).filter(|_| !failed);
        let pause = due.map_or(poll(&installation), |due| due.since(now).min(poll(&installation)));
        rest(pause, &hint).await;
    }
}

async fn look_at_deliveries(installation: Installation, service: Arc<TriggerService>, hint: Arc<Notify>) {
    // A directory or an object store that does not answer makes no daemon unfit for the rest of its work.
    let mut attempts = Troubles::default().with("looking at deliveries");
    loop {
        let seen = service.look_at_deliveries(installation.clock.now()).await;
        let failed = looked(&installation, &mut attempts, seen);
        let settled = service.next_settled().filter(|_| !failed);
        let pause =
            settled.map_or(poll(&installation), |at| at.since(installation.clock.now()).min(poll(&installation)));
        rest(pause, &hint).await;
    }
}

fn poll(installation: &Installation) -> Duration {
    Duration::from_secs(installation.live.now().poll_seconds)
}

/// A hint that came while nobody waited is kept for this wait.
async fn rest(pause: Duration, hint: &Notify) {
    tokio::select! {
        () = hint.notified() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// Whether the look failed. New runs are there to be claimed at once.
fn looked(
    installation: &Installation,
    attempts: &mut Attempts,
    looked: Result<Vec<EventOutcome>, TriggerError>,
) -> bool {
    let error = match looked {
        Ok(outcomes) => {
            installation.meter.looked_at_triggers();
            if outcomes.iter().any(|outcome| matches!(outcome, EventOutcome::Run { .. })) {
                installation.engine.hint().notify_one();
            }
            None
        }
        Err(error) => Some(crate::failure::chain(&error)),
    };
    attempts.end(error)
}
