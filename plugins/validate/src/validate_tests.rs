//! Statistics against the schema: each rule with a case that fires and one that does not.

use crate::constraints::check;
use crate::distribution::{Comparing, rows};
use crate::drift::Against;
use crate::issue::Issue;
use crate::parameters::Parameters;
use countersign_formats::reference::{FeatureReference, ReferenceBins};
use countersign_formats::tfmd::Path;
use countersign_formats::tfmd::schema::{
    DistributionConstraints, DomainInfo, Feature, FeaturePresence, FeatureType, FloatDomain, LifecycleStage, Schema,
    StringDomain,
};
use countersign_formats::tfmd::statistics::{
    CommonStatistics, DataType, DatasetFeatureStatistics, FeatureNameStatistics, FieldId, Histogram, NumericStatistics,
    RankBucket, RankHistogram, Stats, StringStatistics,
};
use countersign_sdk::Severity;
use std::collections::{BTreeMap, BTreeSet};

const ROWS: u64 = 1000;

fn wanted(name: &str, data_type: FeatureType, min_fraction: Option<f64>) -> Feature {
    Feature {
        name: Some(name.to_string()),
        r#type: Some(data_type.into()),
        presence: Some(FeaturePresence { min_fraction, min_count: Some(1) }),
        ..Feature::default()
    }
}

fn seen(name: &str, data_type: DataType, stats: Stats) -> FeatureNameStatistics {
    let field_id = Some(FieldId::Path(Path::column(name)));
    FeatureNameStatistics { r#type: data_type.into(), custom_stats: Vec::new(), field_id, stats: Some(stats) }
}

fn common(present: u64) -> Option<CommonStatistics> {
    Some(CommonStatistics { num_non_missing: present, num_missing: ROWS - present, ..CommonStatistics::default() })
}

fn number(name: &str, data_type: DataType, present: u64, (min, max): (f64, f64), nan: u64) -> FeatureNameStatistics {
    let histograms = vec![Histogram { num_nan: nan, ..Histogram::default() }];
    let common_stats = common(present);
    let stats = NumericStatistics { common_stats, min, max, histograms, ..NumericStatistics::default() };
    seen(name, data_type, Stats::Num(stats))
}

fn text(name: &str, values: &[(&str, u64)]) -> FeatureNameStatistics {
    let bucket = |(label, count): &(&str, u64)| RankBucket {
        label: (*label).to_string(),
        sample_count: *count as f64,
        ..RankBucket::default()
    };
    let stats = StringStatistics {
        common_stats: common(values.iter().map(|(_, count)| count).sum()),
        rank_histogram: Some(RankHistogram { buckets: values.iter().map(bucket).collect(), name: String::new() }),
        ..StringStatistics::default()
    };
    seen(name, DataType::String, Stats::String(stats))
}

/// Kinds and weights found in one feature; `usual` is the share that had a value before.
fn found(feature: Feature, seen: Option<FeatureNameStatistics>, usual: f64) -> Vec<(&'static str, Severity)> {
    let schema = Schema { feature: vec![feature], ..Schema::default() };
    kinds(&issues(&schema, seen, usual))
}

fn issues(schema: &Schema, seen: Option<FeatureNameStatistics>, usual: f64) -> Vec<Issue> {
    let features = seen.into_iter().collect();
    let statistics = DatasetFeatureStatistics { num_examples: ROWS, features, ..Default::default() };
    check(schema, "train", &statistics, &|_| Some(usual), &Parameters::default())
}

fn kinds(issues: &[Issue]) -> Vec<(&'static str, Severity)> {
    issues.iter().map(|issue| (issue.kind, issue.severity)).collect()
}

fn fare(present: u64) -> Option<FeatureNameStatistics> {
    Some(number("fare", DataType::Float, present, (0.0, 90.0), 0))
}

#[test]
fn columns_come_and_go() {
    let fare_wanted = || wanted("fare", FeatureType::Float, Some(1.0));
    assert_eq!(found(fare_wanted(), None, 1.0), [("missing column", Severity::Block)]);
    assert_eq!(found(fare_wanted(), fare(ROWS), 1.0), []);
    let unwanted = Feature { presence: None, ..fare_wanted() };
    assert_eq!(found(unwanted, None, 1.0), []);
    let retired = Feature { lifecycle_stage: Some(LifecycleStage::Deprecated.into()), ..fare_wanted() };
    assert_eq!(found(retired, None, 1.0), []);
    assert_eq!(kinds(&issues(&Schema::default(), fare(ROWS), 1.0)), [("new column", Severity::Warn)]);
}

#[test]
fn a_column_may_not_change_its_type_but_floats_may_be_whole() {
    let int = |name| Some(number(name, DataType::Int, ROWS, (0.0, 23.0), 0));
    assert_eq!(found(wanted("fare", FeatureType::Float, None), int("fare"), 1.0), []);
    let hours = Some(text("hour", &[("h7", ROWS)]));
    let hour = wanted("hour", FeatureType::Int, None);
    let schema = Schema { feature: vec![hour], ..Schema::default() };
    let issues = issues(&schema, hours, 1.0);
    assert_eq!(kinds(&issues), [("type change", Severity::Block)]);
    assert_eq!(issues[0].look.as_deref(), Some("\"hour\" IS NOT NULL AND TRY_CAST(\"hour\" AS DOUBLE) IS NULL"));
    let halves = Some(number("hour", DataType::Float, ROWS, (0.0, 23.5), 0));
    assert_eq!(found(wanted("hour", FeatureType::Int, None), halves, 1.0), [("type change", Severity::Block)]);
    // Ingest calls a column without any value text: that is empty, not another type.
    let empty = Some(text("hour", &[]));
    assert_eq!(found(wanted("hour", FeatureType::Int, None), empty, 1.0), [("missing column", Severity::Block)]);
}

#[test]
fn an_empty_column_blocks_unless_it_was_nearly_empty() {
    let tract = || wanted("tract", FeatureType::Int, None);
    let none = || Some(number("tract", DataType::Int, 0, (0.0, 0.0), 0));
    assert_eq!(found(tract(), none(), 1.0 / 11_252.0), [("empty feature", Severity::Warn)]);
    assert_eq!(found(tract(), none(), 0.7), [("missing column", Severity::Block)]);
    let complete = wanted("tract", FeatureType::Int, Some(1.0));
    assert_eq!(found(complete, none(), 0.0), [("missing column", Severity::Block)]);
    let never = Feature { presence: Some(FeaturePresence { min_fraction: None, min_count: Some(0) }), ..tract() };
    assert_eq!(found(never, none(), 0.0), [("empty feature", Severity::Info)]);
}

#[test]
fn missing_values_ask_and_a_single_one_warns() {
    let complete = || wanted("fare", FeatureType::Float, Some(1.0));
    assert_eq!(found(complete(), fare(ROWS - 1), 1.0), [("few missing values", Severity::Warn)]);
    assert_eq!(found(complete(), fare(ROWS - 50), 1.0), [("missing values", Severity::Ask)]);
    assert_eq!(found(wanted("fare", FeatureType::Float, Some(0.9)), fare(ROWS - 50), 1.0), []);
    assert_eq!(found(wanted("fare", FeatureType::Float, None), fare(1), 1.0), []);
}

#[test]
fn new_values_ask_rare_ones_warn_and_the_schemas_own_mass_decides() {
    let payment = |mass: Option<f64>| Feature {
        domain_info: Some(DomainInfo::StringDomain(StringDomain { name: None, value: vec!["Cash".into()] })),
        distribution_constraints: mass.map(|mass| DistributionConstraints { min_domain_mass: Some(mass) }),
        ..wanted("payment", FeatureType::Bytes, None)
    };
    let bitcoin = |rows: u64| Some(text("payment", &[("Cash", ROWS - rows), ("Bitcoin", rows)]));
    assert_eq!(found(payment(None), Some(text("payment", &[("Cash", ROWS)])), 1.0), []);
    assert_eq!(found(payment(None), bitcoin(3), 1.0), [("rare new value", Severity::Warn)]);
    assert_eq!(found(payment(None), bitcoin(50), 1.0), [("new value", Severity::Ask)]);
    assert_eq!(found(payment(Some(0.9)), bitcoin(50), 1.0), []);
    assert_eq!(found(payment(Some(1.0)), bitcoin(3), 1.0), [("new value", Severity::Ask)]);
    let schema = Schema { feature: vec![payment(None)], ..Schema::default() };
    let issue = &issues(&schema, bitcoin(50), 1.0)[0];
    assert_eq!(issue.message, "payment has the new value \"Bitcoin\" in 5 % of its rows");
    assert_eq!(issue.look.as_deref(), Some("\"payment\" IN ('Bitcoin')"));
}

#[test]
fn a_value_out_of_range_blocks() {
    let domain = FloatDomain {
        min: Some(0.0),
        max: Some(500.0),
        disallow_nan: Some(true),
        disallow_inf: Some(true),
        name: None,
    };
    let ranged = || Feature {
        domain_info: Some(DomainInfo::FloatDomain(domain.clone())),
        ..wanted("fare", FeatureType::Float, None)
    };
    let of = |min: f64, max: f64, nan: u64| Some(number("fare", DataType::Float, ROWS, (min, max), nan));
    assert_eq!(found(ranged(), of(0.0, 500.0, 0), 1.0), []);
    assert_eq!(found(ranged(), of(-5.0, 9999.0, 0), 1.0), [("out of range", Severity::Block)]);
    assert_eq!(found(ranged(), of(0.0, 90.0, 2), 1.0), [("out of range", Severity::Block)]);
    let infinite = found(ranged(), of(0.0, f64::INFINITY, 0), 1.0);
    assert_eq!(infinite, [("out of range", Severity::Block); 2]);
}

#[test]
fn too_few_rows_ask() {
    assert_eq!(rows("train", 5000, Some(10_000), None, 0.5), []);
    assert_eq!(kinds(&rows("train", 4999, Some(10_000), None, 0.5)), [("too few rows", Severity::Ask)]);
    assert_eq!(kinds(&rows("train", 900, None, Some(1000), 0.5)), [("too few rows", Severity::Ask)]);
    assert_eq!(rows("train", 1000, None, Some(1000), 0.5), []);
}

#[test]
fn what_can_not_be_compared_is_said_and_more_missing_values_are_told_once() {
    let numeric = |missing: u64| FeatureReference::Numeric {
        missing,
        nan: 0,
        edges: vec![0.0],
        counts: vec![(ROWS - missing) / 2; 2],
        p10: -1.0,
        p50: 0.0,
        p90: 1.0,
    };
    let text = FeatureReference::Categorical { missing: 0, values: BTreeMap::new(), other: ROWS };
    let bins = |features: Vec<(&str, FeatureReference)>| ReferenceBins {
        rows: ROWS,
        features: features.into_iter().map(|(name, feature)| (name.to_string(), feature)).collect(),
    };
    let before = bins(vec![("a", numeric(0)), ("b", numeric(0)), ("d", numeric(0)), ("e", numeric(400))]);
    let now = bins(vec![("a", numeric(0)), ("b", text), ("c", numeric(0)), ("d", numeric(400)), ("e", numeric(0))]);
    let counted = [("a", 500), ("d", 300), ("e", 500)].map(|(name, half)| (name.to_string(), vec![half, half]));
    let counted = BTreeMap::from(counted);
    let skip = BTreeSet::new();
    let comparing = Comparing {
        before: &before,
        now: &now,
        counted: &counted,
        split: "train",
        against: Against::Previous,
        skip: &skip,
    };
    let compared = comparing.all(&Parameters::default());
    let kinds: Vec<_> = compared.issues.iter().map(|issue| (issue.feature.as_deref().unwrap(), issue.kind)).collect();
    let missing = [("d", "missing values"), ("e", "fewer missing values")];
    assert_eq!(kinds, [&[("b", "not comparable"), ("c", "not comparable")][..], &missing].concat());
    assert_eq!(compared.measured.len(), 3, "every comparison made is recorded");
}
