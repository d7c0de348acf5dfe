//! The next instants of a pipeline's schedule, for those who show them and know nothing of cron.

use crate::jitter::{JitteredFire, JitteredSchedule};
use countersign_model::pipeline::Trigger;
use countersign_model::time::Timestamp;
use countersign_ports::timetable::{Fire, Timetable};

/// Reads cron expressions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Schedules;

impl Timetable for Schedules {
    fn next(&self, pipeline: &str, trigger: &Trigger, after: Timestamp, most: usize) -> Vec<Fire> {
        let Ok(Some(jittered)) = JitteredSchedule::of(pipeline, trigger) else { return Vec::new() };
        let fire = |fire: JitteredFire| Fire {
            at: fire.scheduled_for,
            starts_at: fire.starts_at,
            wall_time: jittered.schedule().wall_time(fire.scheduled_for),
        };
        jittered.upcoming(after).take(most).map(fire).collect()
    }
}
