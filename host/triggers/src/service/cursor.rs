//! Up to when a trigger's past is done, as the store keeps it.

use super::{TriggerService, store_error};
use crate::error::TriggerError;
use countersign_model::time::Timestamp;

/// The cursor that counts at the moment.
pub(super) struct Cursor {
    name: String,
    /// Never in the future.
    pub(super) at: Timestamp,
    /// What it is for ends here: now, or where the cursor that it stands in for takes over.
    pub(super) until: Timestamp,
    /// It stands in for one that may take over as soon as what lies before `until` is done.
    pub(super) stands_in: bool,
}

impl TriggerService {
    /// The cursor of a trigger; none for one that begins just now. `known` is where it was found before, with none to stand in for it.
    ///
    /// A cursor only ever moves forward. When the clock was set back behind it, it would hold the trigger still until the clock is there
    /// again. So meanwhile another one stands in, which is named after it and begins at `now`, until the clock is there and what the
    /// other one left is done. What was done twice over is known by its dedupe key.
    pub(super) async fn cursor(
        &self,
        trigger: &str,
        known: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Cursor>, TriggerError> {
        let mut name = trigger.to_string();
        let mut chain: Vec<(String, Timestamp)> = Vec::new();
        while let Some(at) = self.last_fire(trigger, &name).await? {
            let next = format!("{name}~{}", at.as_micros());
            chain.push((std::mem::replace(&mut name, next), at));
            if chain.len() == 1 && known == Some(at) && at <= now {
                break;
            }
        }
        let Some((_, last)) = chain.last().filter(|(_, at)| *at <= now) else {
            return self.register(trigger, &name, now).await.map(|()| None);
        };
        // Each is no later than the one before it. The first of those that are as early as the last is what is done so far.
        let last = *last;
        let first = chain.iter().position(|(_, at)| *at == last).unwrap_or_default();
        let over = first.checked_sub(1).map(|above| chain[above].1);
        let name = chain.swap_remove(first).0;
        let until = over.map_or(now, |over| over.min(now));
        Ok(Some(Cursor { name, at: last, until, stands_in: over.is_some_and(|over| over <= now) }))
    }

    /// Moves a cursor.
    pub(super) async fn advance(&self, cursor: &Cursor, to: Timestamp) -> Result<(), TriggerError> {
        if to <= cursor.at {
            return Ok(());
        }
        let recorded = self.triggers.record_fire(&cursor.name, to).await;
        recorded.map_err(|error| store_error(&cursor.name)("move cursor", error))
    }

    async fn last_fire(&self, trigger: &str, name: &str) -> Result<Option<Timestamp>, TriggerError> {
        self.triggers.last_fire(name).await.map_err(|error| store_error(trigger)("read cursor", error))
    }

    async fn register(&self, trigger: &str, name: &str, now: Timestamp) -> Result<(), TriggerError> {
        let registered = self.triggers.register_trigger(name, now).await;
        registered.map_err(|error| store_error(trigger)("register trigger", error))
    }
}
