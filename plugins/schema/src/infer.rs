//! A schema from the statistics of training data, as TFDV infers it.

use countersign_formats::tfmd::schema::{
    Dim, DomainInfo, Feature, FeaturePresence, FeatureType, FixedShape, Schema, ShapeType, StringDomain, ValueCount,
};
use countersign_formats::tfmd::statistics::{DatasetFeatureStatistics, FeatureNameStatistics};

/// Text with more distinct values than this gets no list of allowed ones.
const MAX_DOMAIN: u64 = 400;

/// The schema that the data fits.
pub fn schema(statistics: &DatasetFeatureStatistics) -> Schema {
    Schema {
        feature: statistics.features.iter().map(|feature| inferred(feature, statistics.num_examples)).collect(),
        string_domain: statistics.features.iter().filter_map(string_domain).collect(),
        ..Schema::default()
    }
}

fn inferred(statistics: &FeatureNameStatistics, examples: u64) -> Feature {
    let name = statistics.column();
    let present = statistics.common().map_or(0, |common| common.num_non_missing);
    let complete = present > 0 && present == examples;
    let one = ValueCount { min: Some(1), max: Some(1) };
    let shape = if complete {
        ShapeType::Shape(FixedShape { dim: vec![Dim { size: Some(1), name: None }] })
    } else {
        ShapeType::ValueCount(one)
    };
    Feature {
        r#type: Some(FeatureType::from(statistics.r#type()).into()),
        presence: Some(FeaturePresence {
            min_fraction: complete.then_some(1.0),
            min_count: Some(i64::from(present > 0)),
        }),
        shape_type: (present > 0).then_some(shape),
        domain_info: string_domain(statistics).map(|_| DomainInfo::Domain(name.clone())),
        name: Some(name),
        ..Feature::default()
    }
}

fn string_domain(statistics: &FeatureNameStatistics) -> Option<StringDomain> {
    let text = statistics.text()?;
    let listed = text.rank_histogram.as_ref()?;
    if text.unique > MAX_DOMAIN || text.unique != listed.buckets.len() as u64 || text.unique == 0 {
        return None;
    }
    let mut value: Vec<String> = listed.buckets.iter().map(|bucket| bucket.label.clone()).collect();
    value.sort();
    Some(StringDomain { name: Some(statistics.column()), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::tfmd::Path;
    use countersign_formats::tfmd::statistics::{
        CommonStatistics, DataType, FieldId, NumericStatistics, RankBucket, RankHistogram, Stats, StringStatistics,
    };

    fn common(present: u64, missing: u64) -> Option<CommonStatistics> {
        Some(CommonStatistics { num_non_missing: present, num_missing: missing, ..CommonStatistics::default() })
    }

    fn feature(name: &str, data_type: DataType, stats: Stats) -> FeatureNameStatistics {
        let field_id = Some(FieldId::Path(Path::column(name)));
        FeatureNameStatistics { r#type: data_type.into(), custom_stats: Vec::new(), field_id, stats: Some(stats) }
    }

    fn number(name: &str, present: u64) -> FeatureNameStatistics {
        let stats = NumericStatistics { common_stats: common(present, 100 - present), ..NumericStatistics::default() };
        feature(name, DataType::Int, Stats::Num(stats))
    }

    fn text(name: &str, values: &[String]) -> FeatureNameStatistics {
        let bucket = |label: &String| RankBucket { label: label.clone(), ..RankBucket::default() };
        let buckets = values.iter().map(bucket).collect();
        let stats = StringStatistics {
            common_stats: common(100, 0),
            unique: values.len() as u64,
            rank_histogram: Some(RankHistogram { buckets, name: String::new() }),
            ..StringStatistics::default()
        };
        feature(name, DataType::String, Stats::String(stats))
    }

    fn infer(feature: FeatureNameStatistics) -> Schema {
        schema(&DatasetFeatureStatistics { num_examples: 100, features: vec![feature], ..Default::default() })
    }

    #[test]
    fn a_complete_column_has_to_stay_complete_and_an_empty_one_may_stay_empty() {
        let full = infer(number("fare", 100));
        let fare = full.feature("fare").unwrap();
        assert_eq!(fare.presence, Some(FeaturePresence { min_fraction: Some(1.0), min_count: Some(1) }));
        assert!(matches!(&fare.shape_type, Some(ShapeType::Shape(shape)) if shape.dim[0].size == Some(1)));
        assert_eq!((fare.r#type(), fare.is_live(), fare.is_wanted()), (FeatureType::Int, true, true));

        let partial = infer(number("tract", 3));
        let tract = partial.feature("tract").unwrap();
        assert_eq!(tract.presence, Some(FeaturePresence { min_fraction: None, min_count: Some(1) }));
        assert!(matches!(tract.shape_type, Some(ShapeType::ValueCount(_))));

        let empty = infer(number("never", 0));
        assert!(!empty.feature("never").unwrap().is_wanted() && empty.feature[0].shape_type.is_none());
    }

    #[test]
    fn few_texts_become_a_domain_in_order_and_many_do_not() {
        let schema = infer(text("payment_type", &["Credit Card".into(), "Cash".into()]));
        let feature = schema.feature("payment_type").unwrap();
        assert_eq!(schema.string_domain_of(feature).unwrap().value, ["Cash", "Credit Card"]);
        assert_eq!(feature.r#type(), FeatureType::Bytes);
        let values = |count: usize| (0..count).map(|value| value.to_string()).collect::<Vec<_>>();
        assert!(!infer(text("company", &values(400))).string_domain.is_empty());
        let many = infer(text("company", &values(401)));
        assert!(many.string_domain.is_empty() && many.feature[0].domain_info.is_none());
    }
}
