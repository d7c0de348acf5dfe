//! Whether an event starts a run: the pipeline's rules against what is going on, judged inside the transaction that writes the outcome,
//! so that of two events at once each sees what became of the other.

use crate::id::RunId;
use crate::pipeline::{Overlap, Trigger, WhilePaused};

/// The rules of a pipeline's trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// What happens while another run is going on.
    pub overlap: Overlap,
    /// What happens while the pipeline is paused.
    pub while_paused: WhilePaused,
    /// At most so many runs in the queue.
    pub most_queued: u32,
}

impl From<&Trigger> for Admission {
    fn from(trigger: &Trigger) -> Self {
        Self { overlap: trigger.overlap, while_paused: trigger.while_paused, most_queued: trigger.most_queued() }
    }
}

/// What is going on in a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    /// It is paused.
    pub paused: bool,
    /// A run that somebody works on.
    pub running: Option<RunId>,
    /// A run in the queue.
    pub queued: Option<RunId>,
    /// How many are in the queue.
    pub queue: u64,
}

/// What becomes of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// Its run is queued.
    Queue,
    /// Its run is queued, and every other run of the pipeline that is queued or running ends as replaced by it.
    Replace,
    /// It starts none, for this reason.
    Skip(String),
}

impl Admission {
    /// Judges an event by what is going on.
    pub fn judge(&self, load: &Load) -> Admitted {
        if load.paused && self.while_paused == WhilePaused::Skip {
            return Admitted::Skip("paused: the pipeline takes no events until `pipeline resume`".to_string());
        }
        match (self.overlap, load.running, load.queued) {
            (Overlap::Skip, Some(run), _) => return Admitted::Skip(format!("overlap: {run} is running")),
            (Overlap::Skip, None, Some(run)) => return Admitted::Skip(format!("overlap: {run} is queued")),
            (Overlap::Replace, ..) => return Admitted::Replace,
            (Overlap::Skip | Overlap::Wait | Overlap::Allow(_), ..) => {}
        }
        if load.queue >= u64::from(self.most_queued) {
            return Admitted::Skip(format!(
                "queue is full: {} runs wait, `queue_limit` is {}",
                load.queue, self.most_queued
            ));
        }
        Admitted::Queue
    }
}
