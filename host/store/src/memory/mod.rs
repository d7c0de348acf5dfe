//! The twin in memory: the same answers as the databases, for tests and for a run that leaves nothing behind. It scans where they
//! use an index, and copies everything for each write: a write that fails half-way leaves no trace, by construction.

mod access;
mod claims;
mod events;
mod executions;
mod history;
mod metadata;
mod outbox;
mod pushes;
mod retention;
mod runs;
mod signoff;
mod state;
mod triggers;

use crate::deeds::Deed;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, StoreError};
use state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an answer of 0 means in a filter's limit.
const DEFAULT_LIMIT: usize = 50;

/// The limit of a filter, in which 0 means the usual page.
fn page(limit: u32) -> usize {
    if limit == 0 { DEFAULT_LIMIT } else { limit as usize }
}

/// The metadata store in memory.
pub struct MemoryStore {
    /// Replaced whole by each write that works.
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store. Leases are measured on `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    /// A panic elsewhere can not have left the state half-written: it is replaced in one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies `change` and its audit entries, or nothing.
    fn write<T>(
        &self,
        change: impl FnOnce(&mut State, Timestamp) -> Result<(T, Vec<Deed>), StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let mut next = state.clone();
        let now = self.clock.now();
        let (answer, deeds) = change(&mut next, now)?;
        next.audit(deeds, now)?;
        *state = next;
        Ok(answer)
    }

    /// As [`Self::write`], where there is nothing to answer.
    fn change(
        &self,
        change: impl FnOnce(&mut State, Timestamp) -> Result<Vec<Deed>, StoreError>,
    ) -> Result<(), StoreError> {
        self.write(|state, now| Ok(((), change(state, now)?)))
    }
}
