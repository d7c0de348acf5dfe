//! Axes: from values to pixels, with ticks at round numbers.

use crate::number::plain;

/// Maps values between two round numbers onto pixels.
pub(crate) struct Scale {
    low: f64,
    high: f64,
    step: f64,
    start: f64,
    length: f64,
}

impl Scale {
    /// Over `values`, widened to round numbers, from pixel `start` over `length` pixels (negative: upwards).
    pub(crate) fn over(values: &[f64], start: f64, length: f64) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // A span far below the values' own size would put all ticks at the same written number.
        let least = (low.abs().max(high.abs()) * 1e-4).max(1e-9);
        let (low, high) = match high - low {
            0.0 if low == 0.0 => (0.0, 1.0),
            span if span < least => ((low + high - least) / 2.0, (low + high + least) / 2.0),
            _ => (low, high),
        };
        let step = round_step((high - low) / 4.0);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step, start, length }
    }

    /// Where a value lies.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.start + self.length * share.clamp(0.0, 1.0)
    }

    /// The ticks: place and text.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let count = ((self.high - self.low) / self.step).round() as u32;
        let decimals = (-self.step.log10().floor()).clamp(0.0, 12.0) as usize;
        let tick = |index: u32| self.low + f64::from(index) * self.step;
        (0..=count.min(20)).map(tick).map(|value| (self.place(value), tick_text(value, decimals))).collect()
    }
}

fn tick_text(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e6 { format!("{value:.1e}") } else { plain(value, decimals) }
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let lead = rough / power;
    let round = if lead <= 1.0 {
        1.0
    } else if lead <= 2.0 {
        2.0
    } else if lead <= 5.0 {
        5.0
    } else {
        10.0
    };
    round * power
}
