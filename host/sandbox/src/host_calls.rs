//! The `host` interface: records, progress, metrics.

use crate::bindings::countersign::component::{host, types};
use crate::failure::Stop;
use crate::state::State;
use crate::text::{cut, harmless};
use countersign_ports::component_runner::Progress;
use std::time::{Duration, Instant};

/// More metrics than any component measures; each is kept with the execution.
const METRICS: usize = 10_000;
const METRIC_NAME_BYTES: usize = 200;
/// Progress is for eyes: more often than this it is not passed on.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

impl host::Host for State {
    fn log(&mut self, level: host::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let level = match level {
            host::Level::Debug => "debug",
            host::Level::Info => "info",
            host::Level::Warn => "warn",
            host::Level::Error => "error",
        };
        self.log.record(level, &message, fields);
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "how often eyes are served is no part of any result")]
    fn progress(&mut self, done: u64, total: u64, unit: String, note: String) -> wasmtime::Result<()> {
        let Some(observer) = &self.observer else { return Ok(()) };
        let now = Instant::now();
        let recent = self.last_progress.is_some_and(|last| now - last < PROGRESS_INTERVAL);
        // The last one is worth showing; the same end told again is not.
        if recent && done != total {
            return Ok(());
        }
        self.last_progress = Some(now);
        observer.progress(Progress {
            done,
            total,
            unit: harmless(cut(&unit, 100), false),
            note: harmless(cut(&note, 500), false),
        });
        Ok(())
    }

    fn metric(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        let Some(observer) = &self.observer else { return Ok(()) };
        let shown = harmless(cut(&name, METRIC_NAME_BYTES), false);
        let problem = if !value.is_finite() {
            format!("its metric `{shown}` is {value}, which is not a finite number")
        } else if name.is_empty() || name.len() > METRIC_NAME_BYTES {
            format!("its metric's name has {} bytes; 1 to {METRIC_NAME_BYTES} are allowed: `{shown}`", name.len())
        } else if self.metrics >= METRICS {
            format!("it gave more than {METRICS} metrics")
        } else {
            self.metrics += 1;
            observer.metric(shown, value);
            return Ok(());
        };
        Err(Stop::new("bug", format!("a fault of the component: {problem}")).into())
    }
}

impl types::Host for State {}
