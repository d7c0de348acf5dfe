//! The clock and arriving data, turned into events.
//!
//! Cron expressions become instants (`schedule`), directory listings become deliveries (`arrival`), and the service writes
//! each as an event to the metadata store, which answers with a run or a recorded skip. What a run does, and which file a
//! cron run reads, is not known here.

mod arrival;
mod cron;
mod due;
mod error;
mod field;
mod schedule;
mod service;

pub use arrival::{Delivered, Listing, list, matching, newest_delivery};
pub use error::{ArrivalError, ScheduleError, TriggerError};
pub use schedule::{Schedule, tz_database_version};
pub use service::{SharedPipelines, TriggerService};
