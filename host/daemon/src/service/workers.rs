//! The runs that a daemon carries at the same time.

use countersign_model::run::Claim;
use countersign_orchestrator::{Engine, WorkEnd};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The runs that this process carries.
pub struct Workers {
    tasks: JoinSet<()>,
    /// Written once, by whoever stops the daemon; read by every task.
    stopping: watch::Receiver<bool>,
    most: usize,
}

impl Workers {
    /// Room for `most` runs, until `stopping` says so.
    pub fn new(most: usize, stopping: watch::Receiver<bool>) -> Self {
        Self { tasks: JoinSet::new(), stopping, most: most.max(1) }
    }

    /// How many runs are carried now.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Claims work while there is room for it.
    pub async fn fill(&mut self, engine: &Engine) {
        while self.tasks.len() < self.most {
            match engine.claim(None).await {
                Ok(Some(claim)) => self.start(engine.clone(), claim),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(error = crate::failure::chain(&error), "claiming work failed");
                    break;
                }
            }
        }
    }

    fn start(&mut self, engine: Engine, claim: Claim) {
        let mut stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            let run = claim.run;
            tracing::info!(run.id = %run, epoch = claim.epoch, "run claimed");
            let worked = tokio::select! {
                worked = engine.work(&claim) => worked,
                // Dropping the work stops its component.
                () = super::told(&mut stopping) => engine.release(&claim).await.map(|()| WorkEnd::Lost),
            };
            match worked {
                Ok(end) => tracing::info!(run.id = %run, ?end, "run settled"),
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

    /// Waits until every run has been given back; whoever calls has said that the daemon stops.
    pub async fn drained(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
