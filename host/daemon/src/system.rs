//! The real clock, the real source of identifiers, and who sits at this terminal: the only place that asks the system for them.

use countersign_model::actor::Actor;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, IdSource};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;
use ulid::{Generator, Ulid};

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// ULIDs that sort in the order in which they were made, whatever the clock does within a millisecond.
#[derive(Default)]
pub struct UlidSource(Mutex<Generator>);

impl IdSource for UlidSource {
    #[expect(clippy::disallowed_methods, reason = "this is the source that everybody else is handed")]
    fn ulid(&self) -> Ulid {
        let mut generator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The generator refuses only when a millisecond's 2^80 identifiers are used up.
        generator.generate().unwrap_or_else(|_| Ulid::generate())
    }
}

/// The operating system's name for who runs this process; never taken from the environment, which anybody can set.
pub fn person() -> anyhow::Result<Actor> {
    let name = whoami::username().map_err(|error| anyhow::anyhow!("find out who you are: {error}"))?;
    Ok(Actor::local(&name))
}
