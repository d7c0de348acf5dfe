//! The clock and arriving data, turned into events.
//!
//! Cron expressions become instants (`schedule`), directory listings become deliveries (`arrival`), and the service writes
//! each as an event to the metadata store, which answers with a run or a recorded skip. What a run does, and which file a
//! cron run reads, is not known here.

mod arrival;
mod backfill;
mod candidate;
mod cron;
mod deliveries;
mod due;
mod error;
mod field;
mod hooks;
mod jitter;
mod look;
mod marker;
mod objects;
mod schedule;
mod service;
mod timetable;
mod watch;

pub use backfill::{Backfill, BackfillRange, Planned, Prospect, Started};
pub use deliveries::Deliveries;
pub use error::{ArrivalError, BackfillError, ObjectError, ScheduleError, TriggerError};
pub use hooks::{HookAuth, HookOptions, HookService, KnownHooks};
pub use jitter::{JitteredFire, JitteredSchedule};
pub use objects::S3Options;
pub use schedule::{Schedule, tz_database_version};
pub use service::{SharedPipelines, TriggerService};
pub use timetable::Schedules;
pub use watch::watch_directories;
