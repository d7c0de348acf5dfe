//! Profiles as tensorflow-metadata messages, as TFDV would write them.

use crate::numeric::{NumericProfile, coarser, cuts, equal_width_edges};
use crate::text::TextProfile;
use countersign_formats::tfmd::Path;
use countersign_formats::tfmd::statistics::{
    Bucket, CommonStatistics, DataType, FeatureNameStatistics, FieldId, FreqAndValue, Histogram, HistogramType,
    NumericStatistics, RankBucket, RankHistogram, Stats, StringStatistics,
};

/// Values in `top_values`.
const TOP: usize = 20;
/// Buckets of equal counts.
const QUANTILE_BUCKETS: usize = 10;

/// A column of numbers.
pub fn numeric(name: &str, data_type: DataType, profile: &NumericProfile) -> FeatureNameStatistics {
    let moments = &profile.moments;
    let stats = NumericStatistics {
        common_stats: Some(common(profile.rows, moments.present)),
        mean: moments.mean,
        std_dev: moments.std_dev,
        num_zeros: moments.zeros,
        min: moments.min,
        median: profile.quantiles.get(10).copied().unwrap_or(0.0),
        max: moments.max,
        histograms: if moments.present == 0 { Vec::new() } else { histograms(profile) },
    };
    feature(name, data_type, Stats::Num(stats))
}

/// A column of text.
pub fn text(name: &str, profile: &TextProfile) -> FeatureNameStatistics {
    let top = profile.values.iter().take(TOP);
    let bucket = |(rank, (label, count)): (usize, &(String, u64))| RankBucket {
        low_rank: rank as u64,
        high_rank: rank as u64,
        label: label.clone(),
        sample_count: *count as f64,
    };
    let stats = StringStatistics {
        common_stats: Some(common(profile.rows, profile.present)),
        unique: profile.unique,
        top_values: top.map(|(value, count)| FreqAndValue { value: value.clone(), frequency: *count as f64 }).collect(),
        avg_length: profile.mean_length() as f32,
        rank_histogram: Some(RankHistogram {
            buckets: profile.values.iter().enumerate().map(bucket).collect(),
            name: String::new(),
        }),
        invalid_utf8_count: 0,
    };
    feature(name, DataType::String, Stats::String(stats))
}

fn feature(name: &str, data_type: DataType, stats: Stats) -> FeatureNameStatistics {
    FeatureNameStatistics {
        r#type: data_type.into(),
        custom_stats: Vec::new(),
        field_id: Some(FieldId::Path(Path::column(name))),
        stats: Some(stats),
    }
}

/// An example has one value or none.
fn common(rows: u64, present: u64) -> CommonStatistics {
    let values = u64::from(present > 0);
    CommonStatistics {
        num_non_missing: present,
        num_missing: rows - present,
        min_num_values: values,
        max_num_values: values,
        avg_num_values: values as f32,
        num_values_histogram: (present > 0).then(|| equal_counts(&[1.0; 21], present, 0)),
        tot_num_values: present,
    }
}

fn histograms(profile: &NumericProfile) -> Vec<Histogram> {
    let (nan, quantiles) = (profile.moments.nan, &profile.quantiles);
    vec![equal_widths(profile), equal_counts(quantiles, profile.moments.present - nan, nan)]
}

/// Infinite values are in the outer buckets.
fn equal_widths(profile: &NumericProfile) -> Histogram {
    let quantiles = &profile.quantiles;
    let edges = equal_width_edges(quantiles);
    let counts = coarser(&cuts(quantiles), &profile.counts, &edges);
    let mut bounds = Vec::new();
    if let (Some(low), Some(high)) = (quantiles.first(), quantiles.last()) {
        bounds.push(*low);
        bounds.extend(edges);
        bounds.push(*high);
    }
    let bucket = |(bounds, count): (&[f64], &u64)| Bucket {
        low_value: bounds[0],
        high_value: bounds[1],
        sample_count: *count as f64,
    };
    Histogram {
        num_nan: profile.moments.nan,
        num_undefined: 0,
        buckets: bounds.windows(2).zip(&counts).map(bucket).collect(),
        r#type: HistogramType::Standard.into(),
        name: String::new(),
    }
}

/// Between exact deciles, so each bucket has a tenth.
fn equal_counts(quantiles: &[f64], values: u64, nan: u64) -> Histogram {
    let deciles: Vec<f64> = quantiles.iter().step_by(2).copied().collect();
    let bucket = |bounds: &[f64]| Bucket {
        low_value: bounds[0],
        high_value: bounds[1],
        sample_count: values as f64 / QUANTILE_BUCKETS as f64,
    };
    Histogram {
        num_nan: nan,
        num_undefined: 0,
        buckets: deciles.windows(2).map(bucket).collect(),
        r#type: HistogramType::Quantiles.into(),
        name: String::new(),
    }
}
