//! The runs that a daemon carries at the same time.

use super::{Attempts, Troubles, told};
use countersign_model::run::Claim;
use countersign_orchestrator::{Engine, WorkEnd};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The runs that this process carries.
pub struct Workers {
    claiming: Attempts,
    tasks: JoinSet<()>,
    /// No new step begins.
    draining: watch::Sender<bool>,
    /// Nothing goes on at all.
    stopped: watch::Sender<bool>,
}

impl Workers {
    /// None yet.
    pub fn new(troubles: &Troubles) -> Self {
        Self {
            claiming: troubles.with("claiming runs"),
            tasks: JoinSet::new(),
            draining: watch::Sender::new(false),
            stopped: watch::Sender::new(false),
        }
    }

    /// How many runs are carried now.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Claims work while there is room for it.
    pub async fn fill(&mut self, engine: &Engine, most: usize) {
        while self.tasks.len() < most {
            let claimed = engine.claim(None).await;
            self.claiming.end(claimed.as_ref().err().map(|error| crate::failure::chain(error)));
            match claimed {
                Ok(Some(claim)) => self.start(engine.clone(), claim),
                Ok(None) | Err(_) => break,
            }
        }
    }

    fn start(&mut self, engine: Engine, claim: Claim) {
        let draining = self.draining.subscribe();
        let mut stopped = self.stopped.subscribe();
        self.tasks.spawn(async move {
            let run = claim.run;
            tracing::info!(run.id = %run, epoch = claim.epoch, "run claimed");
            let worked = tokio::select! {
                worked = engine.work_until(&claim, draining) => worked,
                // Dropping the work stops its component.
                () = told(&mut stopped) => engine.release(&claim).await.map(|()| WorkEnd::Lost),
            };
            match worked {
                Ok(end) => tracing::info!(run.id = %run, end = words(&end), "run settled"),
                Err(error) => {
                    let error = crate::failure::chain(&error);
                    tracing::error!(run.id = %run, error, "run interrupted; it goes on from its last step");
                }
            }
        });
    }

    /// Waits for one to end; for ever when there is none.
    pub async fn ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Lets every run end the step it is in, at most for `patience` or until `hurry`; then gives back what is left.
    pub async fn drain(mut self, patience: Duration, hurry: impl Future) {
        self.draining.send_replace(true);
        tokio::select! {
            () = async { while self.tasks.join_next().await.is_some() {} } => return,
            () = tokio::time::sleep(patience) => {}
            _ = hurry => {}
        }
        tracing::warn!(
            runs = self.tasks.len(),
            "runs are given back in the middle of a step: it starts again elsewhere"
        );
        self.stopped.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How it ended, for the log; why is in the record.
fn words(end: &WorkEnd) -> &'static str {
    match end {
        WorkEnd::Settled(state) => state.status(),
        WorkEnd::Lost => "lost",
        WorkEnd::HandedOver => "handed over",
    }
}
