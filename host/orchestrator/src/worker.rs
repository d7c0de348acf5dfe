//! Claims a run, keeps the lease alive while working on it, and stops when somebody else took it over, a person stopped it, or the
//! process is to end.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::id::RunId;
use countersign_model::run::{Claim, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, StoreError};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often a worker looks whether somebody stopped its run.
const GLANCE: Duration = Duration::from_secs(1);

/// How working on a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkEnd {
    /// The run waits or is over.
    Settled(RunState),
    /// Another worker took it over, or somebody stopped it; nothing of ours was written since.
    Lost,
    /// The process stops: the run was given back between two steps.
    HandedOver,
}

/// Whether the process is to end soon, so that no further step begins.
pub(crate) struct Stopping(Option<watch::Receiver<bool>>);

impl Stopping {
    pub(crate) fn said(&self) -> bool {
        self.0.as_ref().is_some_and(|stopping| *stopping.borrow())
    }

    /// Sleeps, or less when the process stops.
    pub(crate) async fn sleep(&self, pause: Duration) {
        let Some(mut stopping) = self.0.clone() else { return tokio::time::sleep(pause).await };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // Nobody left who could say it: then nobody does.
            Ok(_) = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

/// When the store last said that the run is ours: by a clock that never jumps, and by one that goes on while the machine sleeps.
struct LastSign<'a> {
    clock: &'a dyn Clock,
    at: Mutex<(Instant, Timestamp)>,
}

impl<'a> LastSign<'a> {
    fn new(clock: &'a dyn Clock) -> Self {
        Self { clock, at: Mutex::new((Instant::now(), clock.now())) }
    }

    fn now(&self) -> (Instant, Timestamp) {
        (Instant::now(), self.clock.now())
    }

    /// The store's answer to a question that was asked then.
    fn renew(&self, asked: (Instant, Timestamp)) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    fn age(&self) -> Duration {
        let (instant, at) = *self.at.lock().unwrap_or_else(PoisonError::into_inner);
        instant.elapsed().max(self.clock.now().since(at))
    }
}

impl Engine {
    /// Claims the run that is next, or only `only`.
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
        self.work_while(claim, Stopping(None)).await
    }

    /// As [`Self::work`]; once `stopping` is true no further step begins, and the run is given back when the present one has ended.
    /// Dropping the future ends that step at once; what it wrote is not recorded, and [`Self::release`] gives the run back.
    ///
    /// # Errors
    /// As [`Self::work`].
    pub async fn work_until(
        &self,
        claim: &Claim,
        stopping: watch::Receiver<bool>,
    ) -> Result<WorkEnd, OrchestratorError> {
        self.work_while(claim, Stopping(Some(stopping))).await
    }

    async fn work_while(&self, claim: &Claim, stopping: Stopping) -> Result<WorkEnd, OrchestratorError> {
        let sign = LastSign::new(self.parts.clock.as_ref());
        let mut carried = pin!(self.carry(claim, &stopping));
        let mut lost = pin!(self.keep_alive(claim, &sign));
        let worked = poll_fn(|context| {
            if let Poll::Ready(error) = lost.as_mut().poll(context) {
                return Poll::Ready(Err(error));
            }
            // The process was stopped, or the machine slept, for longer than the lease: the run may be another's by now. Nothing goes on
            // before the store has said whose it is, and its answer wakes this task.
            if sign.age() >= self.options.lease {
                return Poll::Pending;
            }
            carried.as_mut().poll(context)
        });
        match worked.await {
            Ok(WorkEnd::HandedOver) => self.release(claim).await.map(|()| WorkEnd::HandedOver),
            Ok(end) => Ok(end),
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

    /// Asks the store whether the run is still ours; an error when it is not, or when there is no answer.
    pub(crate) async fn still_ours(&self, claim: &Claim) -> Result<(), OrchestratorError> {
        Ok(self.parts.store.heartbeat(claim, self.options.lease).await?)
    }

    /// Heartbeats, five to a lease, and in between looks whether somebody stopped the run. Ends only when the claim is lost or the
    /// store does not answer for a whole lease.
    ///
    /// The lease follows the process and not its progress: a component that hangs is ended by its step's `limits.time_seconds`.
    async fn keep_alive(&self, claim: &Claim, sign: &LastSign<'_>) -> OrchestratorError {
        let beat = self.options.lease / 5;
        loop {
            tokio::time::sleep(beat.min(GLANCE)).await;
            if sign.age() < beat && !self.is_stopped(claim).await {
                continue;
            }
            let asked = sign.now();
            match self.heartbeat(claim).await {
                Ok(()) => sign.renew(asked),
                Err(error @ StoreError::LostClaim { .. }) => return error.into(),
                Err(error) => {
                    tracing::warn!(run.id = %claim.run, %error, "heartbeat failed");
                    if sign.age() >= self.options.lease {
                        return error.into();
                    }
                }
            }
        }
    }

    /// Not for longer than the lease: the work that stands still meanwhile may hold what the store would answer with, such as its turn to
    /// write, and lets go of it only when it is given up.
    async fn heartbeat(&self, claim: &Claim) -> Result<(), StoreError> {
        let lease = self.options.lease;
        match tokio::time::timeout(lease, self.parts.store.heartbeat(claim, lease)).await {
            Ok(answer) => answer,
            Err(late) => Err(StoreError::Database { operation: "extend lease", source: Box::new(late) }),
        }
    }

    /// A cheap look; the heartbeat that follows decides.
    async fn is_stopped(&self, claim: &Claim) -> bool {
        let run = self.parts.store.run(&claim.run).await;
        run.is_ok_and(|run| run.is_none_or(|run| run.state != RunState::Running))
    }
}
