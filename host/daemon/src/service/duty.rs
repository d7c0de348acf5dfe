//! What only one of several daemons does at a time: whoever holds the lease of that name in the store.
//!
//! A daemon that can not extend its lease stops the work before the lease runs out, so that its successor finds the field empty. One
//! that was suspended meanwhile may still finish a sentence when it wakes; what it does must be harmless when done twice.

use super::{Attempts, told};
use countersign_model::id::WorkerId;
use countersign_ports::{LeaseStore, StoreError};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A duty and who wants to do it.
pub struct Duty {
    /// Its name, the same in every daemon.
    pub name: &'static str,
    /// This daemon.
    pub daemon: WorkerId,
    /// The record; none where only one daemon can run at all.
    pub leases: Option<Arc<dyn LeaseStore>>,
    /// After this time without a sign of life somebody else takes over.
    pub lease: Duration,
    /// Says when that fails.
    pub extending: Attempts,
}

/// Signs of life to a lease ...
const BEATS: u32 = 6;
/// ... of which this many in a row may fail before the work is stopped.
const MISSED: u32 = 2;

/// Work that goes on, and how to stop it.
struct Working {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Working {
    async fn stop(self) {
        self.stop.send_replace(true);
        // It was told; a panic of its own has been logged by then.
        let _ = self.task.await;
    }
}

impl Duty {
    /// Works whenever the lease is ours, until the daemon stops. `work` ends soon after its argument says so.
    pub async fn perform<W, F>(mut self, mut stopping: watch::Receiver<bool>, work: W)
    where
        W: Fn(watch::Receiver<bool>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(leases) = &self.leases else { return work(stopping).await };
        let pause = self.lease / BEATS;
        let mut working: Option<Working> = None;
        let mut missed = 0;
        loop {
            let held = tokio::select! {
                held = tokio::time::timeout(pause, leases.hold(self.name, &self.daemon, self.lease)) => held,
                () = told(&mut stopping) => break,
            };
            let ours = match held {
                Ok(Ok(ours)) => {
                    self.extending.end(None);
                    missed = 0;
                    ours
                }
                failed => {
                    let error = failed.map_or_else(|late| late.to_string(), |failed| problem(&failed));
                    self.extending.end(Some(error));
                    missed += 1;
                    // Each took at most two pauses, so the lease has not run out yet.
                    working.is_some() && missed < MISSED
                }
            };
            match (ours, working.take()) {
                (true, Some(busy)) if !busy.task.is_finished() => working = Some(busy),
                (true, _) => {
                    let (stop, stopped) = watch::channel(false);
                    tracing::info!(duty = self.name, "this daemon has the duty");
                    working = Some(Working { stop, task: tokio::spawn(work(stopped)) });
                }
                (false, Some(busy)) => {
                    tracing::warn!(duty = self.name, "another daemon may have the duty now");
                    busy.stop().await;
                }
                (false, None) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told(&mut stopping) => break,
            }
        }
        if let Some(busy) = working {
            busy.stop().await;
        }
        if let Err(error) = leases.let_go(self.name, &self.daemon).await {
            tracing::warn!(
                duty = self.name,
                error = crate::failure::chain(&error),
                "lease not given back: it runs out"
            );
        }
    }
}

fn problem(failed: &Result<bool, StoreError>) -> String {
    failed.as_ref().err().map_or_else(String::new, |error| crate::failure::chain(error))
}
