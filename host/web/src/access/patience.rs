//! Patience with wrong one-time codes: five tries, then a wait that doubles. Six digits can be guessed by trying, secrets of 256 bits
//! can not: only codes are counted. Kept in memory: a restart forgives, and nobody restarts a daemon a thousand times.

use countersign_model::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const FREE_TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Who tried how often. Holds one entry for each person who has a second factor, at most.
#[derive(Debug, Default)]
pub struct Patience(Mutex<BTreeMap<String, Tries>>);

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    not_before: Timestamp,
}

impl Patience {
    /// Lets somebody try and counts it as wrong until [`Self::forgive`] says otherwise, so that tries at the same moment count too.
    ///
    /// # Errors
    /// How long they have to wait.
    pub fn attempt(&self, person: &str, now: Timestamp) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = all.entry(person.to_string()).or_insert(Tries { wrong: 0, not_before: now });
        if now < tries.not_before {
            return Err(tries.not_before.since(now));
        }
        tries.wrong = tries.wrong.saturating_add(1);
        if let Some(beyond) = tries.wrong.checked_sub(FREE_TRIES) {
            let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
            tries.not_before = now.plus(wait);
        }
        Ok(())
    }

    /// The code was right.
    pub fn forgive(&self, person: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(person);
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use countersign_model::time::Timestamp;
    use std::time::Duration;

    #[test]
    fn after_five_wrong_codes_each_try_waits_twice_as_long() {
        let (patience, mut now) = (Patience::default(), Timestamp::from_micros(0));
        for _ in 0..5 {
            assert_eq!(patience.attempt("ada", now), Ok(()));
        }
        for wait in [30, 60, 120] {
            let wait = Duration::from_secs(wait);
            assert_eq!(patience.attempt("ada", now), Err(wait));
            now = now.plus(wait);
            assert_eq!(patience.attempt("ada", now), Ok(()));
        }
        assert_eq!(patience.attempt("ben", now), Ok(()));
        patience.forgive("ada");
        assert_eq!(patience.attempt("ada", now), Ok(()));
    }

    #[test]
    fn a_day_of_guessing_stays_below_fifty_tries() {
        let (patience, mut now, mut tries) = (Patience::default(), Timestamp::from_micros(0), 0);
        let end = now.plus(Duration::from_secs(86_400));
        while now < end {
            match patience.attempt("ada", now) {
                Ok(()) => tries += 1,
                Err(wait) => now = now.plus(wait),
            }
        }
        assert!(tries < 50, "{tries}");
    }
}
