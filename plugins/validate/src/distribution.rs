//! All features of one split against the reference they are held against: missing shares first, then whole distributions.

use crate::compare::{Comparison, Movement, Scope, compare};
use crate::divergence;
use crate::drift::{self, Against};
use crate::issue::Issue;
use crate::parameters::Parameters;
use countersign_formats::reference::{FeatureReference, ReferenceBins};
use countersign_formats::tfmd::Path;
use countersign_formats::tfmd::anomalies::{AnomalyType, DriftSkewInfo, Measurement, MeasurementType};
use countersign_sdk::{Severity, figures, sql};
use std::collections::{BTreeMap, BTreeSet};

/// What is compared with what.
pub struct Comparing<'a> {
    /// The reference.
    pub before: &'a ReferenceBins,
    /// The split.
    pub now: &'a ReferenceBins,
    /// The split's numbers, counted on the reference's edges.
    pub counted: &'a BTreeMap<String, Vec<u64>>,
    /// The split's name.
    pub split: &'a str,
    /// What the reference is.
    pub against: Against<'a>,
    /// Features that are not compared: something worse is known about them, or they move by nature.
    pub skip: &'a BTreeSet<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Compared {
    /// What was found.
    pub issues: Vec<Issue>,
    /// Every comparison made.
    pub measured: Vec<DriftSkewInfo>,
}

impl Comparing<'_> {
    /// Compares every feature that both sides have.
    pub fn all(&self, parameters: &Parameters) -> Compared {
        let mut compared = Compared::default();
        let comparable = |name: &&String| !self.skip.contains(*name) && self.before.features.contains_key(*name);
        let comparisons = self.now.features.keys().filter(comparable).count();
        for (name, now) in &self.now.features {
            if self.skip.contains(name) {
                continue;
            }
            let Some(before) = self.before.features.get(name) else {
                compared.issues.push(self.not_comparable(name, "the reference does not have it"));
                continue;
            };
            let jump = self.missing_jump(name, before, now, comparisons, parameters);
            let scope = Scope { missing: jump.is_none(), comparisons };
            compared.issues.extend(jump);
            match compare(before, now, self.counted.get(name).map(Vec::as_slice), scope) {
                None => compared.issues.push(self.not_comparable(name, "one side has numbers, the other text")),
                Some(comparison) => {
                    compared.issues.extend(drift::issue(name, self.split, self.against, &comparison, parameters));
                    compared.measured.push(self.measured(name, &comparison, parameters));
                }
            }
        }
        compared
    }

    /// Silence would read as "no drift".
    fn not_comparable(&self, name: &str, why: &str) -> Issue {
        let message = format!("{name} could not be compared: {why}");
        Issue::of(name, self.split, "not comparable", Severity::Info, message)
    }

    /// A change of the share of missing values is told on its own: a rise asks, a fall is only worth knowing.
    fn missing_jump(
        &self,
        name: &str,
        before: &FeatureReference,
        now: &FeatureReference,
        comparisons: usize,
        parameters: &Parameters,
    ) -> Option<Issue> {
        let (rows, rows_now) = (self.before.rows, self.now.rows);
        let (missing, missing_now) = (missing(before), missing(now));
        let (share, share_now) = (missing as f64 / rows.max(1) as f64, missing_now as f64 / rows_now.max(1) as f64);
        let both = (missing + missing_now) as f64 / (rows + rows_now).max(1) as f64;
        let noise = divergence::share_noise(both, rows, rows_now, comparisons);
        if (share_now - share).abs() <= noise.max(parameters.missing_ask) {
            return None;
        }
        let (kind, severity, more) = match (share_now > share, self.against) {
            (true, Against::Previous) => ("missing values", Severity::Ask, "more"),
            (true, Against::Split(_)) => ("missing values", Severity::Warn, "more"),
            (false, _) => ("fewer missing values", Severity::Warn, "fewer"),
        };
        let [was, is] = [share, share_now].map(figures::percent);
        let message = format!("{name} has {more} missing values: {was} → {is} (noise {})", figures::percent(noise));
        let most = figures::percent(noise.max(parameters.missing_ask));
        let issue =
            Issue::of(name, self.split, kind, severity, message).figures(format!("a change of at most {most}"), is);
        let issue = issue.before(was).look(format!("{} IS NULL", sql::name(name)));
        Some(if share_now > share { issue.anomaly(AnomalyType::FeatureTypeLowFractionPresent) } else { issue })
    }

    fn measured(&self, name: &str, comparison: &Comparison, parameters: &Parameters) -> DriftSkewInfo {
        let measurement = |kind: MeasurementType, value: f64, threshold: f64| Measurement {
            r#type: Some(kind.into()),
            value: Some(value),
            threshold: Some(threshold),
        };
        let divergence = MeasurementType::JensenShannonDivergence;
        let mut measurements =
            vec![measurement(divergence, comparison.effect, comparison.noise.max(parameters.drift_warn))];
        if let Movement::Categorical { changed: (_, before, now), noise, .. } = &comparison.movement {
            let threshold = noise.max(parameters.share_warn);
            measurements.push(measurement(MeasurementType::LInfty, (now - before).abs(), threshold));
        }
        let mut info = DriftSkewInfo { path: Some(Path::column(name)), ..DriftSkewInfo::default() };
        match self.against {
            Against::Previous => info.drift_measurements = measurements,
            Against::Split(_) => info.skew_measurements = measurements,
        }
        info
    }
}

/// Numbers of the split that have to be counted on the reference's edges: feature and edges.
pub fn to_count<'a>(
    before: &'a ReferenceBins,
    now: &ReferenceBins,
    skip: &BTreeSet<String>,
) -> Vec<(&'a str, &'a [f64])> {
    let wanted = |(name, before): (&'a String, &'a FeatureReference)| match (before, now.features.get(name)?) {
        (FeatureReference::Numeric { edges, .. }, FeatureReference::Numeric { .. }) if !skip.contains(name) => {
            Some((name.as_str(), edges.as_slice()))
        }
        _ => None,
    };
    before.features.iter().filter_map(wanted).collect()
}

/// Answers (`feature`, `bin`, `rows`) for all of them at once.
pub fn counting(table: &str, features: &[(&str, &[f64])]) -> String {
    let question = |(index, (name, edges)): (usize, &(&str, &[f64]))| {
        let value = format!("CAST({} AS DOUBLE)", sql::name(name));
        format!(
            "SELECT CAST({index} AS BIGINT) AS \"feature\", \"bin\", count(*) AS \"rows\" FROM (\
             SELECT {} AS \"bin\" FROM {table} WHERE {value} <= {}) GROUP BY \"bin\"",
            sql::bin(&value, edges),
            sql::number(f64::INFINITY)
        )
    };
    features.iter().enumerate().map(question).collect::<Vec<_>>().join(" UNION ALL ")
}

/// The rows of the delivery, all splits together, against the previous one's and the schema's.
pub fn rows(split: &str, now: u64, before: Option<u64>, least: Option<i64>, min_fraction: f64) -> Vec<Issue> {
    let few = |expected: String, message: String, anomaly: AnomalyType| {
        let issue = Issue::of_all(split, "too few rows", Severity::Ask, message);
        issue.figures(expected, figures::count(now)).anomaly(anomaly)
    };
    let mut issues = Vec::new();
    if let Some(before) = before.filter(|before| (now as f64) < min_fraction * *before as f64) {
        let message = format!("{} rows came, {} the last time", figures::count(now), figures::count(before));
        let expected = format!("at least {} of the last delivery", figures::percent(min_fraction));
        issues.push(few(expected, message, AnomalyType::ComparatorLowNumExamples).before(figures::count(before)));
    }
    if let Some(least) = least.and_then(|least| u64::try_from(least).ok()).filter(|least| now < *least) {
        let message = format!("{} rows came, the schema wants {}", figures::count(now), figures::count(least));
        let expected = format!("at least {}", figures::count(least));
        issues.push(few(expected, message, AnomalyType::DatasetLowNumExamples));
    }
    issues
}

/// Rows without a value.
pub fn missing(reference: &FeatureReference) -> u64 {
    match reference {
        FeatureReference::Numeric { missing, .. } | FeatureReference::Categorical { missing, .. } => *missing,
    }
}
