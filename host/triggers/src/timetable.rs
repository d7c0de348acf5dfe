//! The next instants of a trigger's schedule, for those who show them and know nothing of cron.

use crate::schedule::Schedule;
use countersign_model::pipeline::Trigger;
use countersign_model::time::Timestamp;
use countersign_ports::timetable::{Fire, Timetable};

/// Reads cron expressions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Schedules;

impl Timetable for Schedules {
    fn next(&self, trigger: &Trigger, after: Timestamp, most: usize) -> Vec<Fire> {
        let schedule = trigger.cron.as_deref().and_then(|cron| Schedule::parse(cron, &trigger.timezone).ok());
        let fires = schedule.iter().flat_map(|schedule| {
            schedule.upcoming(after).take(most).map(|at| Fire { at, wall_time: schedule.wall_time(at) })
        });
        fires.collect()
    }
}
