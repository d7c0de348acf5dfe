//! The real clock, the real source of identifiers, who sits at this terminal, and how memory is asked for: the only place that
//! deals with the operating system about them.

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

/// Has all threads share two heaps, where glibc would open up to eight for each core. Work moves between threads, so that each heap
/// grows to the most that any thread ever needed at once and hardly gives anything back: a daemon that works all day then grows for
/// hours although it holds no more (`countersign-bench soak`). Has to be called before there are threads.
pub fn keep_few_heaps() {
    // SAFETY: there is one thread yet, and the call only sets a number of the allocator. It answers 0 when it refuses, which costs
    // nothing but the memory.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// The operating system's name for who runs this process; never taken from the environment, which anybody can set.
pub fn person() -> anyhow::Result<Actor> {
    let name = whoami::username().map_err(|error| anyhow::anyhow!("find out who you are: {error}"))?;
    Ok(Actor::local(&name))
}
