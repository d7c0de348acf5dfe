//! Raises the engine's epoch while components run. Nothing ticks when nothing runs, so an idle daemon sleeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wasmtime::Engine;

/// How often a running component yields.
const TICK: Duration = Duration::from_millis(5);

/// Starts a thread with the first running component; the thread ends with the last.
pub struct Ticker {
    engine: Engine,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    thread: bool,
}

impl Ticker {
    /// A ticker at rest.
    pub fn new(engine: &Engine) -> Arc<Self> {
        Arc::new(Self { engine: engine.clone(), state: Mutex::default() })
    }

    /// Ticks until the guard is dropped.
    pub fn tick(self: &Arc<Self>) -> Ticking {
        let mut state = self.lock();
        state.running += 1;
        if !state.thread {
            state.thread = true;
            let ticker = Arc::clone(self);
            std::thread::spawn(move || ticker.run());
        }
        Ticking(Arc::clone(self))
    }

    fn run(&self) {
        loop {
            std::thread::sleep(TICK);
            self.engine.increment_epoch();
            let mut state = self.lock();
            if state.running == 0 {
                state.thread = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the ticker ticking.
pub struct Ticking(Arc<Ticker>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}
