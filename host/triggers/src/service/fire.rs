//! The cron half of a tick.

use super::{Candidate, Tick, TriggerService, store_error};
use crate::due::{Missed, due};
use crate::error::TriggerError;
use crate::schedule::Schedule;
use countersign_model::actor::Actor;
use countersign_model::event::Cause;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::time::Timestamp;

impl TriggerService {
    /// Fires a pipeline's schedule, if it has one that is due.
    pub(super) async fn fire(
        &self,
        version: &PipelineVersion,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let trigger = &version.pipeline.trigger;
        let Some(expression) = &trigger.cron else { return Ok(()) };
        let schedule = match Schedule::parse(expression, &trigger.timezone) {
            Ok(schedule) => schedule,
            Err(error) => {
                tick.problems.insert(format!("{}: {error}", version.name));
                return Ok(());
            }
        };
        // A changed schedule is another trigger and starts from now; any other edit of the pipeline keeps what is due.
        let cursor = format!("cron:{}:{}@{}", version.name, schedule.expression(), schedule.zone());
        let failed = store_error(&cursor);
        let Some(last) = self.store.last_fire(&cursor).await.map_err(|error| failed("read last fire", error))? else {
            return self.store.record_fire(&cursor, now).await.map_err(|error| failed("register schedule", error));
        };
        let Some(due) = due(&schedule, last, now) else {
            if schedule.next_after(last).is_none() {
                tick.problems.insert(format!("{cursor}: no instant in the next 40 years, it will never fire"));
            }
            return Ok(());
        };
        let newest = schedule.wall_time(due.newest);
        for missed in &due.missed {
            let skip = coalesced(&schedule, missed, &newest);
            let outcome = self.accept(version, event(version, &schedule, missed.at, Some(skip)), now).await?;
            tick.outcomes.push(outcome);
        }
        tick.outcomes.push(self.accept(version, event(version, &schedule, due.newest, None), now).await?);
        self.store.record_fire(&cursor, due.newest).await.map_err(|error| failed("record fire", error))
    }
}

fn event(version: &PipelineVersion, schedule: &Schedule, at: Timestamp, skip: Option<String>) -> Candidate {
    Candidate {
        cause: Cause::Cron { scheduled_for: at, wall_time: schedule.wall_time(at) },
        actor: Actor::system("cron"),
        span: None,
        key: format!("cron:{}:{}", version.name, at.as_micros()),
        skip,
    }
}

fn coalesced(schedule: &Schedule, missed: &Missed, newest: &str) -> String {
    match missed.older {
        None => format!("coalesced: missed, and {newest} was due as well"),
        Some((count, since)) => format!(
            "coalesced: missed, with {count} earlier ones since {}, and {newest} was due as well",
            schedule.wall_time(since)
        ),
    }
}
