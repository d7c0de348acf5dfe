//! One split's statistics against the schema. Rules as in TFDV; where a single rare row would raise an alarm, it is only a warning.

use crate::issue::Issue;
use crate::parameters::Parameters;
use countersign_formats::tfmd::anomalies::AnomalyType;
use countersign_formats::tfmd::schema::{DomainInfo, Feature, FeatureType, Schema};
use countersign_formats::tfmd::statistics::{DatasetFeatureStatistics, FeatureNameStatistics};
use countersign_sdk::{Severity, figures, sql};

/// Under this share a column counts as empty already.
const NEARLY_EMPTY: f64 = 0.01;
/// Where fewer rows with a value are to be expected than this, none is no surprise.
const MIN_EXPECTED: f64 = 10.0;
/// New values that are named.
const NAMED: usize = 5;

/// Checks every feature. `usual` is the share of rows that had a value in the data that the split is held against.
pub fn check(
    schema: &Schema,
    split: &str,
    statistics: &DatasetFeatureStatistics,
    usual: &dyn Fn(&str) -> Option<f64>,
    parameters: &Parameters,
) -> Vec<Issue> {
    let mut issues = Vec::new();
    for feature in schema.feature.iter().filter(|feature| feature.is_live()) {
        match statistics.feature(feature.name()) {
            None if feature.is_wanted() => issues.push(missing_column(feature.name(), split)),
            None => {}
            Some(seen) => {
                let check = Check { schema, feature, name: feature.name(), split, seen, rows: statistics.num_examples };
                issues.extend(check.all(usual(feature.name()), parameters));
            }
        }
    }
    let unknown = statistics.features.iter().filter(|seen| schema.feature(&seen.column()).is_none());
    issues.extend(unknown.map(|seen| new_column(&seen.column(), split)));
    issues
}

fn missing_column(name: &str, split: &str) -> Issue {
    Issue::of(
        name,
        split,
        "missing column",
        Severity::Block,
        format!("{name} is missing: no such column was delivered"),
    )
    .figures(format!("a column {name}"), "no such column")
    .anomaly(AnomalyType::SchemaMissingColumn)
}

fn new_column(name: &str, split: &str) -> Issue {
    Issue::of(name, split, "new column", Severity::Warn, format!("{name} is new: the schema does not have it"))
        .figures("a column of the schema", format!("a column {name}"))
        .anomaly(AnomalyType::SchemaNewColumn)
}

struct Check<'a> {
    schema: &'a Schema,
    feature: &'a Feature,
    name: &'a str,
    split: &'a str,
    seen: &'a FeatureNameStatistics,
    rows: u64,
}

impl Check<'_> {
    /// An empty column has no type and no values to check, and values of the wrong type no domain.
    fn all(&self, usual: Option<f64>, parameters: &Parameters) -> Vec<Issue> {
        if self.present() == 0 {
            return vec![self.empty(usual)];
        }
        if let Some(issue) = self.other_type() {
            return vec![issue];
        }
        let found = [self.missing_values(parameters), self.new_values(parameters), self.out_of_range()];
        found.into_iter().flatten().chain(self.not_finite()).collect()
    }

    fn present(&self) -> u64 {
        self.seen.common().map_or(0, |common| common.num_non_missing)
    }

    fn issue(&self, kind: &'static str, severity: Severity, message: String) -> Issue {
        Issue::of(self.name, self.split, kind, severity, message)
    }

    fn min_fraction(&self) -> f64 {
        self.feature.presence.as_ref().map_or(0.0, |presence| presence.min_fraction())
    }

    /// A column that had values and has none is as good as gone, and is called so.
    fn empty(&self, usual: Option<f64>) -> Issue {
        let usual_share = usual.unwrap_or(0.0);
        let rarely = usual_share < NEARLY_EMPTY || usual_share * (self.rows as f64) < MIN_EXPECTED;
        let (kind, severity) = match () {
            () if !self.feature.is_wanted() => ("empty feature", Severity::Info),
            () if rarely && self.min_fraction() < NEARLY_EMPTY => ("empty feature", Severity::Warn),
            () => ("missing column", Severity::Block),
        };
        let expected = match usual {
            Some(usual) => format!("a value in {} of the rows", figures::percent(usual)),
            None => "some values".to_string(),
        };
        let issue = self.issue(kind, severity, format!("{} is empty", self.name)).figures(expected, "none");
        if self.feature.is_wanted() { issue.anomaly(AnomalyType::FeatureTypeNotPresent) } else { issue }
    }

    /// Whole numbers are fit for a column of floats: ingest takes the narrowest type that one delivery fits.
    fn other_type(&self) -> Option<Issue> {
        let seen = FeatureType::from(self.seen.r#type());
        let wanted = self.feature.r#type();
        let fits = seen == wanted || (wanted == FeatureType::Float && seen == FeatureType::Int);
        if fits || wanted == FeatureType::TypeUnknown {
            return None;
        }
        let column = sql::name(self.name);
        let look = match wanted {
            FeatureType::Int if seen == FeatureType::Float => {
                format!("{column} IS DISTINCT FROM CAST(TRY_CAST({column} AS BIGINT) AS DOUBLE)")
            }
            FeatureType::Int | FeatureType::Float => {
                format!("{column} IS NOT NULL AND TRY_CAST({column} AS DOUBLE) IS NULL")
            }
            _ => format!("{column} IS NOT NULL"),
        };
        let (wanted, seen) = (type_name(wanted), type_name(seen));
        let message = format!("{} holds {seen}, not {wanted}", self.name);
        let issue = self.issue("type change", Severity::Block, message).figures(wanted, seen);
        Some(issue.look(look).anomaly(AnomalyType::UnexpectedDataType))
    }

    fn missing_values(&self, parameters: &Parameters) -> Option<Issue> {
        let present = self.present() as f64 / self.rows.max(1) as f64;
        let lacking = self.min_fraction() - present;
        if lacking <= 0.0 {
            return None;
        }
        let (kind, severity) = match lacking > parameters.few_missing {
            true => ("missing values", Severity::Ask),
            false => ("few missing values", Severity::Warn),
        };
        let allowed = figures::percent(1.0 - self.min_fraction());
        let seen = figures::percent(1.0 - present);
        let message = format!("{} has {seen} missing values, {allowed} are allowed", self.name);
        let issue = self.issue(kind, severity, message).figures(format!("at most {allowed} missing"), seen);
        let look = format!("{} IS NULL", sql::name(self.name));
        Some(issue.look(look).anomaly(AnomalyType::FeatureTypeLowFractionPresent))
    }

    fn new_values(&self, parameters: &Parameters) -> Option<Issue> {
        let domain = self.schema.string_domain_of(self.feature)?;
        let listed = &self.seen.text()?.rank_histogram.as_ref()?.buckets;
        let outside: Vec<_> = listed.iter().filter(|bucket| !domain.value.contains(&bucket.label)).collect();
        let rows: f64 = outside.iter().map(|bucket| bucket.sample_count).sum();
        let share = rows / self.present() as f64;
        let constraint = self.feature.distribution_constraints.and_then(|constraint| constraint.min_domain_mass);
        let (kind, severity) = match constraint {
            _ if outside.is_empty() => return None,
            Some(mass) if share <= 1.0 - mass => return None,
            None if share <= parameters.rare_values => ("rare new value", Severity::Warn),
            _ => ("new value", Severity::Ask),
        };
        let named = || outside.iter().take(NAMED).map(|bucket| bucket.label.as_str());
        let mut names = named().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        if outside.len() > NAMED {
            names.push_str(&format!(" and {} more", outside.len() - NAMED));
        }
        let (rows, first) = (figures::percent(share), &outside[0].label);
        let message = match outside.len() {
            1 => format!("{} has the new value \"{first}\" in {rows} of its rows", self.name),
            count => format!("{} has {count} new values in {rows} of its rows, such as \"{first}\"", self.name),
        };
        let expected = format!("one of {} known values", domain.value.len());
        let list = named().map(sql::text).collect::<Vec<_>>().join(", ");
        let issue = self.issue(kind, severity, message).figures(expected, names);
        let look = format!("{} IN ({list})", sql::name(self.name));
        Some(issue.look(look).anomaly(AnomalyType::EnumTypeUnexpectedStringValues))
    }

    fn out_of_range(&self) -> Option<Issue> {
        let (low, high) = self.schema.range_of(self.feature)?;
        let numbers = self.seen.numeric()?;
        let whole = self.feature.r#type() == FeatureType::Int;
        let anomaly = match (numbers.max > high, numbers.min < low) {
            (false, false) => return None,
            (true, _) if whole => AnomalyType::IntTypeBigInt,
            (true, _) => AnomalyType::FloatTypeBigFloat,
            (false, true) if whole => AnomalyType::IntTypeSmallInt,
            (false, true) => AnomalyType::FloatTypeSmallFloat,
        };
        let allowed = format!("{} to {}", figures::number(low), figures::number(high));
        let seen = format!("{} to {}", figures::number(numbers.min), figures::number(numbers.max));
        let message = format!("{} is out of range: {seen}, allowed is {allowed}", self.name);
        let value = format!("CAST({} AS DOUBLE)", sql::name(self.name));
        let look = format!("{value} < {} OR {value} > {}", sql::number(low), sql::number(high));
        let issue = self.issue("out of range", Severity::Block, message).figures(allowed, seen);
        Some(issue.look(look).anomaly(anomaly))
    }

    fn not_finite(&self) -> Option<Issue> {
        let Some(DomainInfo::FloatDomain(domain)) = &self.feature.domain_info else { return None };
        let numbers = self.seen.numeric()?;
        let nan = numbers.histograms.first().map_or(0, |histogram| histogram.num_nan);
        let infinite = numbers.min.is_infinite() || numbers.max.is_infinite();
        let value = format!("CAST({} AS DOUBLE)", sql::name(self.name));
        let (what, look, anomaly) = if domain.disallow_nan() && nan > 0 {
            ("NaN", format!("{value} > {}", sql::number(f64::INFINITY)), AnomalyType::FloatTypeHasNan)
        } else if domain.disallow_inf() && infinite {
            let bounds = [f64::INFINITY, f64::NEG_INFINITY].map(sql::number);
            ("infinite values", format!("{value} IN ({})", bounds.join(", ")), AnomalyType::FloatTypeHasInf)
        } else {
            return None;
        };
        let message = format!("{} is out of range: it has {what}", self.name);
        let issue = self.issue("out of range", Severity::Block, message).figures(format!("no {what}"), what);
        Some(issue.look(look).anomaly(anomaly))
    }
}

fn type_name(data_type: FeatureType) -> &'static str {
    match data_type {
        FeatureType::TypeUnknown => "anything",
        FeatureType::Bytes => "text",
        FeatureType::Int => "integers",
        FeatureType::Float => "numbers",
        FeatureType::Struct => "nested features",
    }
}
