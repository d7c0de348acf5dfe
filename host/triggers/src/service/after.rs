//! The part of a tick that follows other pipelines: when a model of theirs goes live, a run starts.
//!
//! A push is committed a moment after the time it says it completed at, and two may be committed the other way round. So the cursor
//! stays behind the clock by a while, and pushes after it are looked at again; those that were taken are known in memory, and after a
//! restart by their dedupe key.

use super::{Candidate, TURN, Tick, TriggerService, locked, store_error};
use crate::error::TriggerError;
use countersign_model::actor::Actor;
use countersign_model::event::Cause;
use countersign_model::id::PushId;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::push::Push;
use countersign_model::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Pushes that were taken note of and lie after the cursor, by trigger.
pub(super) type Taken = Mutex<HashMap<String, HashSet<PushId>>>;

/// By so much the cursor stays behind the clock: longer than any commit takes, and than clocks of several machines differ.
const LAG: i64 = 600_000_000;

/// Pushes of the first look; what is due is mostly less.
const FIRST_LOOK: u32 = 32;

impl TriggerService {
    /// Starts a run for each push of the pipelines that this one comes after.
    pub(super) async fn follow(
        &self,
        version: &PipelineVersion,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        for other in &version.pipeline.trigger.after {
            self.follow_one(version, other, now, tick).await?;
        }
        Ok(())
    }

    async fn follow_one(
        &self,
        version: &PipelineVersion,
        other: &str,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let trigger = format!("after:{}:{other}", version.name);
        let Some(cursor) = self.cursor(&trigger, None, now).await? else { return Ok(()) };
        let pushes = self.pushes_after(&trigger, other, cursor.at).await?;
        let mut taken = locked(&self.taken).remove(&trigger).unwrap_or_default();
        let new: Vec<&Push> = pushes.iter().map(|(push, _)| push).filter(|push| !taken.contains(&push.id)).collect();
        let left = new.len() > TURN;
        tick.more |= left;
        let mut answer = Ok(());
        for push in new.into_iter().take(TURN) {
            match self.accept(version, candidate(version, push), now).await {
                Ok(outcome) => tick.outcomes.push(outcome),
                Err(error) => {
                    answer = Err(error);
                    break;
                }
            }
            taken.insert(push.id);
        }
        let settled = Timestamp::from_micros(now.as_micros().saturating_sub(LAG));
        let finished = pushes.iter().take_while(|(push, at)| *at <= settled && taken.contains(&push.id));
        let reached = finished.map(|(_, at)| *at).last();
        // What the cursor passed is not looked at again.
        let ahead = pushes.iter().filter(|(_, at)| reached.is_none_or(|to| *at > to)).map(|(push, _)| push.id);
        taken = ahead.filter(|id| taken.contains(id)).collect();
        locked(&self.taken).insert(trigger, taken);
        answer?;
        let reached = if cursor.stands_in && !left { cursor.until.min(settled) } else { reached.unwrap_or(cursor.at) };
        self.advance(&cursor, reached).await
    }

    /// Completed pushes of a pipeline after an instant, oldest first, each with its completion.
    async fn pushes_after(
        &self,
        trigger: &str,
        pipeline: &str,
        after: Timestamp,
    ) -> Result<Vec<(Push, Timestamp)>, TriggerError> {
        let mut limit = FIRST_LOOK;
        loop {
            let found = self.store.pushes(Some(pipeline), limit).await;
            let found = found.map_err(|error| store_error(trigger)("read pushes", error))?;
            let whole = found.len() < limit as usize;
            let completed = found.into_iter().filter_map(|push| push.completed_at.map(|at| (push, at)));
            let mut completed: Vec<(Push, Timestamp)> = completed.collect();
            if whole || limit == u32::MAX || completed.last().is_some_and(|(_, at)| *at <= after) {
                completed.retain(|(_, at)| *at > after);
                completed.reverse();
                return Ok(completed);
            }
            limit = limit.saturating_mul(4);
        }
    }
}

fn candidate(version: &PipelineVersion, push: &Push) -> Candidate {
    Candidate {
        cause: Cause::Pushed { pipeline: push.pipeline.clone(), push: push.id, model: push.model },
        actor: Actor::system("after"),
        span: None,
        key: format!("after:{}:{}", version.name, push.id),
        skip: None,
    }
}
