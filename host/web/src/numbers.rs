//! Numbers as Prometheus reads them: families with a type, a line of help, and samples. What they count is decided elsewhere.

use std::fmt::Write as _;

/// What kind of number a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up; its name ends in `_total`.
    Counter,
    /// How often values fell at or below given bounds.
    Histogram,
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Behind the family's name: empty, or a histogram's `_bucket`, `_sum`, `_count`.
    pub suffix: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

/// Numbers of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// The numbers.
    pub samples: Vec<Sample>,
}

impl Family {
    /// A family without samples.
    pub fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, samples: Vec::new() }
    }

    /// A family of one number.
    pub fn alone(name: &'static str, kind: Kind, help: &'static str, value: f64) -> Self {
        Self::new(name, kind, help).with(&[], value)
    }

    /// The same, with one more number.
    pub fn with(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        let labels = labels.iter().map(|(name, label)| (*name, (*label).to_string())).collect();
        self.samples.push(Sample { suffix: "", labels, value });
        self
    }
}

/// A histogram with fixed bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// How many values fell into each; the last is for what is above every bound.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// An empty one; `bounds` rise.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        let index = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        self.counts[index] += 1;
        self.sum += value;
    }

    /// Its samples, with that label.
    pub fn samples(&self, label: (&'static str, &str)) -> Vec<Sample> {
        let label = (label.0, label.1.to_string());
        let mut samples = Vec::new();
        let mut below = 0;
        let bounds = self.bounds.iter().map(ToString::to_string).chain(["+Inf".to_string()]);
        for (bound, count) in bounds.zip(&self.counts) {
            below += count;
            samples.push(Sample { suffix: "_bucket", labels: vec![label.clone(), ("le", bound)], value: below as f64 });
        }
        samples.push(Sample { suffix: "_sum", labels: vec![label.clone()], value: self.sum });
        samples.push(Sample { suffix: "_count", labels: vec![label], value: below as f64 });
        samples
    }
}

/// The families in Prometheus' text format; one without samples is left out.
pub fn render(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {0} {1}\n# TYPE {0} {kind}", family.name, family.help);
        for sample in &family.samples {
            let labels: Vec<String> =
                sample.labels.iter().map(|(name, label)| format!("{name}=\"{}\"", escaped(label))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(text, "{}{}{labels} {}", family.name, sample.suffix, sample.value);
        }
    }
    text
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
