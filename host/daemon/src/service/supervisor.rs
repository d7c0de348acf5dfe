//! What systemd is told: ready, reloading, stopping, and that the main loop still turns. Without systemd nothing is told to anybody.
//!
//! There is no timer here: a sign of life is sent by whoever makes progress, so a loop that is stuck falls silent and is started again.

use sd_notify::NotifyState;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Signs of life that fit into systemd's patience.
const BEATS: u32 = 4;

/// The process that started this one and watches it.
pub struct Supervisor {
    /// The least time between two signs of life; none: nobody waits for them.
    pause: Option<Duration>,
    /// When the last one was sent, on a clock that nobody sets.
    last: Mutex<Option<Instant>>,
    /// It was said that systemd can not be reached.
    warned: AtomicBool,
}

impl Supervisor {
    /// As systemd says in `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub fn from_environment() -> Self {
        let pause = sd_notify::watchdog_enabled().map(|patience| patience / BEATS);
        Self { pause, last: Mutex::new(None), warned: AtomicBool::new(false) }
    }

    /// The daemon is up; or goes on after a reload, whatever came of it.
    pub fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The main loop turned once more. Cheap: most calls send nothing.
    pub fn alive(&self) {
        let Some(pause) = self.pause else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= pause) {
            self.tell(&[NotifyState::Watchdog]);
            *last = Some(Instant::now());
        }
    }

    /// Settings are read again.
    pub fn reloading(&self) {
        // `Type=notify-reload` wants the time, too; `Type=notify` does not mind it.
        let now = NotifyState::monotonic_usec_now().ok();
        let said: Vec<NotifyState<'_>> = [NotifyState::Reloading].into_iter().chain(now).collect();
        self.tell(&said);
    }

    /// The daemon ends.
    pub fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    fn tell(&self, said: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(said)
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "systemd can not be told how the daemon is; it may start it again");
        }
    }
}
