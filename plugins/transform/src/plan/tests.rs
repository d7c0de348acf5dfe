use super::*;
use countersign_formats::tfmd::Path;
use countersign_formats::tfmd::statistics::{
    CommonStatistics, FieldId, RankBucket, RankHistogram, Stats, StringStatistics,
};

fn common(present: u64, missing: u64) -> Option<CommonStatistics> {
    Some(CommonStatistics { num_non_missing: present, num_missing: missing, ..CommonStatistics::default() })
}

fn feature(name: &str, stats: Stats) -> FeatureNameStatistics {
    FeatureNameStatistics {
        field_id: Some(FieldId::Path(Path::column(name))),
        stats: Some(stats),
        ..FeatureNameStatistics::default()
    }
}

fn numeric(name: &str, present: u64, missing: u64, mean: f64, std_dev: f64) -> FeatureNameStatistics {
    let stats = NumericStatistics { common_stats: common(present, missing), mean, std_dev, ..Default::default() };
    feature(name, Stats::Num(stats))
}

fn text(name: &str, missing: u64, values: &[(&str, u64)]) -> FeatureNameStatistics {
    let bucket = |(label, count): &(&str, u64)| RankBucket {
        label: (*label).to_owned(),
        sample_count: *count as f64,
        ..RankBucket::default()
    };
    let rank_histogram = Some(RankHistogram { buckets: values.iter().map(bucket).collect(), name: String::new() });
    let present = values.iter().map(|v| v.1).sum();
    feature(
        name,
        Stats::String(StringStatistics {
            common_stats: common(present, missing),
            rank_histogram,
            ..Default::default()
        }),
    )
}

fn parameters() -> Parameters {
    serde_json::from_str(r#"{ "label": "y", "vocabulary_size": 2 }"#).unwrap()
}

fn plan_of(features: Vec<FeatureNameStatistics>, counted: &[(&str, &[(&str, u64)])]) -> Result<Plan, Error> {
    let columns = features.iter().map(|f| f.column()).collect();
    let data = DatasetFeatureStatistics { features, ..Default::default() };
    let owned = |values: &[(&str, u64)]| values.iter().map(|(v, n)| ((*v).to_owned(), *n)).collect::<Vec<_>>();
    let counted: BTreeMap<_, _> = counted.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect();
    let request = Request { columns, left_out: Vec::new(), count: counted.keys().cloned().collect() };
    plan(&data, &request, &counted, &parameters())
}

#[test]
fn columns_that_say_nothing_are_left_out_with_the_reason() {
    let plan = plan_of(
        vec![
            numeric("fare", 90, 10, 12.0, 3.0),
            numeric("constant", 100, 0, 7.0, 0.0),
            numeric("infinite", 100, 0, f64::INFINITY, f64::NAN),
            numeric("empty", 0, 100, 0.0, 0.0),
            text("id", 0, &[("a", 1), ("b", 1)]),
            text("same", 0, &[("x", 100)]),
        ],
        &[],
    )
    .unwrap();
    assert_eq!(plan.features(), ["fare", "fare is missing"]);
    let reasons: Vec<String> = plan.findings().into_iter().map(|f| f.message).collect();
    assert_eq!(
        reasons,
        [
            "`constant` is no model input: it has a single value in the split `train`",
            "`infinite` is no model input: it has no finite mean and deviation in the split `train`",
            "`empty` is no model input: it has no value in the split `train`",
            "`id` is no model input: it has no value that occurs often enough (`min_frequency`) in the split `train`",
            "`same` is no model input: it has a single value in the split `train`",
        ]
    );
}

#[test]
fn the_most_frequent_values_get_inputs_and_stand_ins_are_never_values() {
    let company = text("company", 3, &[("(other)", 50), ("Red", 20), ("Blue", 20), ("Green", 10), ("Rare", 4)]);
    let plan = plan_of(vec![company], &[]).unwrap();
    assert_eq!(plan.features(), ["company = Blue", "company = Red", "company = (other)", "company = (missing)"]);
    assert!(plan.inputs()[0].text);
}

#[test]
fn a_counted_number_becomes_a_category() {
    let plan = plan_of(vec![numeric("hour", 100, 0, 12.0, 6.0)], &[("hour", &[("18", 60), ("7", 30)])]).unwrap();
    assert_eq!(plan.features(), ["hour = 18", "hour = 7", "hour = (other)", "hour = (missing)"]);
}

#[test]
fn nothing_left_to_learn_from_is_an_invalid_input() {
    let error = plan_of(vec![numeric("constant", 100, 0, 7.0, 0.0)], &[]).unwrap_err();
    assert!(matches!(error, Error::InvalidInput(m) if m.contains("`constant`: it has a single value")));
}
