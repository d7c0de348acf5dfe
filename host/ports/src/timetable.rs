//! When schedules fire next, for those who show it.

use countersign_model::pipeline::Trigger;
use countersign_model::time::Timestamp;

/// An instant of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fire {
    /// What the schedule says.
    pub at: Timestamp,
    /// When a run starts: later by the instant's share of the jitter.
    pub starts_at: Timestamp,
    /// The wall time and zone it stands for.
    pub wall_time: String,
}

/// Reads schedules.
pub trait Timetable: Send + Sync {
    /// The next instants of a pipeline's schedule, those first whose jitter is not over: at most so many, none without a schedule, or
    /// when it never fires again.
    fn next(&self, pipeline: &str, trigger: &Trigger, after: Timestamp, most: usize) -> Vec<Fire>;
}
