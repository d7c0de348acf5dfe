//! What does not work at the moment. The log says so when it begins and when it is over, not at every attempt; and whoever asks how the
//! daemon is hears of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything that does not work at the moment.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeSet<String>>>);

impl Troubles {
    /// For one thing that is tried again and again.
    pub fn with(&self, what: impl Into<String>) -> Attempts {
        Attempts { what: what.into(), last: None, troubles: self.clone() }
    }

    /// A sentence each.
    pub fn now(&self) -> Vec<String> {
        self.set().iter().map(|what| format!("{what} does not work")).collect()
    }

    fn set(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is tried again and again.
pub struct Attempts {
    what: String,
    /// Why it did not work the last time.
    last: Option<String>,
    troubles: Troubles,
}

impl Attempts {
    /// Takes down why it did not work, or that it did; answers whether it did not.
    pub fn end(&mut self, error: Option<String>) -> bool {
        let what = &self.what;
        match (&error, &self.last) {
            (Some(now), last) if last.as_ref() != Some(now) => {
                tracing::error!(error = now, "{what} does not work; it is tried again");
                self.troubles.set().insert(what.clone());
            }
            (None, Some(_)) => {
                tracing::info!("{what} works again");
                self.troubles.set().remove(what);
            }
            (Some(_) | None, _) => {}
        }
        self.last = error;
        self.last.is_some()
    }
}

impl Drop for Attempts {
    fn drop(&mut self) {
        self.troubles.set().remove(&self.what);
    }
}
