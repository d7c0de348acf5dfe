//! The part of a tick that follows other pipelines: when a model of theirs goes live, a run starts.
//!
//! A push is committed a moment after the time it says it completed at, and two may be committed the other way round. So the cursor
//! stays behind the clock by a while, and pushes after it are looked at again; those that were taken are known in memory, and after a
//! restart by their dedupe key. One read of the newest pushes tells whether anybody has anything to do at all.

use super::{TURN, Tick, TriggerService, locked, store_error};
use crate::candidate::Candidate;
use crate::error::TriggerError;
use countersign_model::actor::Actor;
use countersign_model::event::Cause;
use countersign_model::id::PushId;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::push::Push;
use countersign_model::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

/// What is known of the pipelines that are followed, by trigger.
pub(super) type Followed = Mutex<HashMap<String, Known>>;

/// By so much the cursor stays behind the clock: longer than any commit takes, and than clocks of several machines differ.
const LAG: Duration = Duration::from_secs(600);

/// Pushes of the first look; what is due is mostly less.
const FIRST_LOOK: u32 = 32;

/// What is known of one trigger. All of it may be forgotten: the store is the truth.
#[derive(Default)]
pub(super) struct Known {
    /// Pushes that were taken note of and lie after the cursor.
    taken: HashSet<PushId>,
    /// The last look, when it left nothing to do.
    rest: Option<Rest>,
}

/// A look that left nothing to do.
struct Rest {
    /// The newest pushes of all pipelines at that time.
    newest: Vec<PushId>,
    since: Timestamp,
    until: Timestamp,
}

impl Known {
    /// Nothing was pushed since the last look, and the cursor can not pass anything yet. When the clock was set back, another cursor counts.
    fn rests(&self, newest: &[PushId], now: Timestamp) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.newest == newest && rest.since <= now && now < rest.until)
    }
}

impl TriggerService {
    /// Starts a run for each push of a pipeline that another one comes after.
    pub(super) async fn follow(
        &self,
        versions: &[PipelineVersion],
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        if versions.iter().all(|version| version.pipeline.trigger.after.is_empty()) {
            return Ok(());
        }
        let newest = self.newest_pushes(now).await?;
        let mut answer = Ok(());
        for version in versions {
            for other in &version.pipeline.trigger.after {
                answer = answer.and(self.follow_one(version, other, newest.as_deref(), now, tick).await);
            }
        }
        answer
    }

    /// The newest pushes of all pipelines. None when these do not go back as far as a push that is committed late: then they do not show
    /// whether there is a new one.
    async fn newest_pushes(&self, now: Timestamp) -> Result<Option<Vec<PushId>>, TriggerError> {
        let newest = self.store.pushes(None, FIRST_LOOK).await;
        let newest = newest.map_err(|error| store_error("after")("read pushes", error))?;
        let oldest = newest.last().and_then(|push| push.completed_at);
        let goes_back = newest.len() < FIRST_LOOK as usize || oldest.is_some_and(|at| at.plus(LAG) <= now);
        Ok(goes_back.then(|| newest.iter().map(|push| push.id).collect()))
    }

    async fn follow_one(
        &self,
        version: &PipelineVersion,
        other: &str,
        newest: Option<&[PushId]>,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let trigger = format!("after:{}:{other}", version.name);
        let mut known = locked(&self.followed).remove(&trigger).unwrap_or_default();
        let mut answer = Ok(());
        if !newest.is_some_and(|newest| known.rests(newest, now)) {
            let looked = self.take_pushes(version, other, &trigger, &mut known.taken, now, tick).await;
            let until = looked.unwrap_or_else(|error| {
                answer = Err(error);
                None
            });
            known.rest = newest.zip(until).map(|(newest, until)| Rest { newest: newest.to_vec(), since: now, until });
        }
        locked(&self.followed).insert(trigger, known);
        answer
    }

    /// Accepts what was pushed after the cursor, no more than a turn, and moves it. Answers until when there is nothing to do if nothing
    /// is pushed; none when there may be something already.
    async fn take_pushes(
        &self,
        version: &PipelineVersion,
        other: &str,
        trigger: &str,
        taken: &mut HashSet<PushId>,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<Option<Timestamp>, TriggerError> {
        let Some(cursor) = self.cursor(trigger, None, now).await? else { return Ok(None) };
        let pushes = self.pushes_after(trigger, other, cursor.at).await?;
        let new: Vec<&Push> = pushes.iter().map(|(push, _)| push).filter(|push| !taken.contains(&push.id)).collect();
        let left = new.len() > TURN;
        tick.more |= left;
        for push in new.into_iter().take(TURN) {
            tick.outcomes.push(self.accept(version, candidate(version, push), None, now).await?);
            taken.insert(push.id);
        }
        let finished = pushes.iter().take_while(|(push, at)| at.plus(LAG) <= now && taken.contains(&push.id));
        let reached = finished.map(|(_, at)| *at).last();
        // What the cursor passes is not looked at again.
        let ahead = || pushes.iter().filter(|(_, at)| reached.is_none_or(|to| *at > to));
        taken.retain(|id| ahead().any(|(push, _)| push.id == *id));
        if cursor.stands_in && !left {
            self.advance(&cursor, cursor.until.min(now.minus(LAG))).await?;
            return Ok(None);
        }
        self.advance(&cursor, reached.unwrap_or(cursor.at)).await?;
        let passes = ahead().map(|(_, at)| at.plus(LAG)).min();
        Ok((!left).then_some(passes.unwrap_or(Timestamp::from_micros(i64::MAX))))
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
    }
}
