//! Claims a run, keeps the lease alive while working on it, and stops when somebody else took it over.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::id::RunId;
use countersign_model::run::{Claim, RunState};
use countersign_ports::StoreError;

/// How working on a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkEnd {
    /// The run waits or is over.
    Settled(RunState),
    /// Another worker took it over; nothing of ours was written since.
    Lost,
}

impl Engine {
    /// Claims the oldest run that wants work, or only `only`.
    ///
    /// # Errors
    /// When the store can not answer.
    pub async fn claim(&self, only: Option<&RunId>) -> Result<Option<Claim>, OrchestratorError> {
        Ok(self.parts.store.claim_run(&self.worker, only, self.options.lease).await?)
    }

    /// Works on a claimed run until it waits, is over, or is lost.
    ///
    /// # Errors
    /// When the stores fail; the run stays claimable and goes on from its last recorded step.
    pub async fn work(&self, claim: &Claim) -> Result<WorkEnd, OrchestratorError> {
        let worked = tokio::select! {
            worked = self.carry(claim) => worked,
            lost = self.keep_alive(claim) => Err(lost),
        };
        match worked {
            Ok(state) => Ok(WorkEnd::Settled(state)),
            Err(OrchestratorError::Store(StoreError::LostClaim { .. })) => Ok(WorkEnd::Lost),
            Err(error) => Err(error),
        }
    }

    /// Gives an unfinished run back, so that another worker need not wait for the lease to run out.
    ///
    /// # Errors
    /// When the store can not write.
    pub async fn release(&self, claim: &Claim) -> Result<(), OrchestratorError> {
        match self.parts.store.release_run(claim).await {
            // Waiting, over or taken over: there is nothing to give back.
            Ok(()) | Err(StoreError::LostClaim { .. } | StoreError::Transition(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Heartbeats, five to a lease. Ends only when the claim is lost or the store does not answer for a whole lease.
    async fn keep_alive(&self, claim: &Claim) -> OrchestratorError {
        let pause = self.options.lease / 5;
        let mut missed = 0;
        loop {
            tokio::time::sleep(pause).await;
            match self.parts.store.heartbeat(claim, self.options.lease).await {
                Ok(()) => missed = 0,
                Err(error @ StoreError::LostClaim { .. }) => return error.into(),
                Err(error) => {
                    missed += 1;
                    tracing::warn!(run.id = %claim.run, %error, missed, "heartbeat failed");
                    if missed == 5 {
                        return error.into();
                    }
                }
            }
        }
    }
}
