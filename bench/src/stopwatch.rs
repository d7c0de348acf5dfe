//! Times: taken, and summed up.

use std::time::{Duration, Instant};

/// A moment to measure from.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "measuring time is what a bench is for")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start.
    pub fn ms(&self) -> f64 {
        self.elapsed().as_secs_f64() * 1e3
    }

    /// The same as a duration.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Milliseconds that the same thing took again and again.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Does it and adds how long that took.
    pub fn take<T>(&mut self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let watch = Stopwatch::start();
        let done = work()?;
        self.add(watch.ms());
        Ok(done)
    }

    /// Adds one.
    pub fn add(&mut self, ms: f64) {
        self.0.push(ms);
    }

    /// The time that so many per cent of them stay within: the smallest such one of those that were taken.
    pub fn within(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:>7.2} ms   p99 {:>7.2} ms   of {}", self.within(50), self.within(99), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Times;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times = Times((1..=200).rev().map(f64::from).collect());
        assert_eq!([1, 50, 99, 100].map(|percent| times.within(percent)), [2.0, 100.0, 198.0, 200.0]);
        assert!(Times::default().within(99).is_nan());
    }
}
