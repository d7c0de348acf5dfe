//! What triggers remember, which pipelines are paused, and who holds which duty.

use super::MemoryStore;
use super::state::State;
use crate::deeds::{self, Deed};
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::id::WorkerId;
use countersign_model::time::Timestamp;
use countersign_ports::lease_store::Held;
use countersign_ports::trigger_store::{Paused, SeenFile};
use countersign_ports::{LeaseStore, StoreError, TriggerStore};
use std::time::Duration;

#[async_trait]
impl TriggerStore for MemoryStore {
    async fn last_fire(&self, trigger: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().fires.get(trigger).copied())
    }

    async fn register_trigger(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.change(|state, _| {
            if state.fires.contains_key(trigger) {
                return Ok(Vec::new());
            }
            state.fires.insert(trigger.to_string(), at);
            Ok(vec![deeds::schedule_registered(trigger, at)])
        })
    }

    async fn record_fire(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.change(|state, _| {
            if state.fires.get(trigger).is_some_and(|last| *last >= at) {
                return Ok(Vec::new());
            }
            state.fires.insert(trigger.to_string(), at);
            Ok(vec![deeds::schedule_fired(trigger, at)])
        })
    }

    async fn seen_files(&self, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
        let state = self.state();
        Ok(state.seen_files.values().filter(|file| file.trigger == trigger).cloned().collect())
    }

    async fn record_seen_files(&self, files: &[SeenFile]) -> Result<(), StoreError> {
        self.change(|state, _| Ok(files.iter().filter_map(|file| see(state, file)).collect()))
    }

    async fn forget_seen_files(&self, trigger: &str, missing_before: Timestamp) -> Result<(), StoreError> {
        self.change(|state, _| {
            let gone = |file: &SeenFile| file.missing_since.is_some_and(|since| since < missing_before);
            state.seen_files.retain(|_, file| file.trigger != trigger || !gone(file));
            Ok(Vec::new())
        })
    }

    async fn pause(&self, paused: &Paused) -> Result<bool, StoreError> {
        self.write(|state, _| {
            if state.paused.contains_key(&paused.pipeline) {
                return Ok((false, Vec::new()));
            }
            state.paused.insert(paused.pipeline.clone(), paused.clone());
            Ok((true, vec![deeds::pipeline_paused(paused)]))
        })
    }

    async fn unpause(&self, pipeline: &str, by: &Actor, at: Timestamp) -> Result<bool, StoreError> {
        self.write(|state, _| {
            let was_paused = state.paused.remove(pipeline).is_some();
            let deeds = was_paused.then(|| deeds::pipeline_unpaused(pipeline, by, at));
            Ok((was_paused, deeds.into_iter().collect()))
        })
    }

    async fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        Ok(self.state().paused.values().cloned().collect())
    }
}

/// Sizes and times of a file that still grows are bookkeeping, and so is that it is gone; that it was accepted is a fact for the audit
/// log.
fn see(state: &mut State, file: &SeenFile) -> Option<Deed> {
    let key = (file.trigger.clone(), file.path.clone());
    let before = state.seen_files.insert(key, file.clone()).and_then(|before| before.accepted);
    let newly = file.accepted.filter(|_| file.accepted != before)?;
    Some(deeds::file_accepted(file, &newly))
}

#[async_trait]
impl LeaseStore for MemoryStore {
    async fn hold(&self, name: &str, owner: &WorkerId, lease: Duration) -> Result<bool, StoreError> {
        self.write(|state, now| {
            if state.leases.get(name).is_some_and(|held| held.owner != *owner && held.until > now) {
                return Ok((false, Vec::new()));
            }
            let held = Held { name: name.to_string(), owner: *owner, until: now.plus(lease) };
            state.leases.insert(held.name.clone(), held);
            Ok((true, Vec::new()))
        })
    }

    async fn let_go(&self, name: &str, owner: &WorkerId) -> Result<(), StoreError> {
        self.change(|state, _| {
            state.leases.retain(|_, held| held.name != name || held.owner != *owner);
            Ok(Vec::new())
        })
    }

    async fn held(&self) -> Result<Vec<Held>, StoreError> {
        let now = self.clock.now();
        Ok(self.state().leases.values().filter(|held| held.until > now).cloned().collect())
    }
}
