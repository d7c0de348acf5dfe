//! `stats.pb`: `statistics.proto`.

use super::Path;

pub use super::histogram::{Bucket, Histogram, HistogramType, RankBucket, RankHistogram};

/// File name inside a split's folder of a `Statistics` artifact.
pub const FILE: &str = "stats.pb";

/// What the file holds: one dataset, the split.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DatasetFeatureStatisticsList {
    /// The datasets.
    #[prost(message, repeated, tag = "1")]
    pub datasets: Vec<DatasetFeatureStatistics>,
}

/// Statistics of one dataset.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DatasetFeatureStatistics {
    /// The split.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Rows.
    #[prost(uint64, tag = "2")]
    pub num_examples: u64,
    /// By feature, in delivered order.
    #[prost(message, repeated, tag = "3")]
    pub features: Vec<FeatureNameStatistics>,
    /// Sum of the weights; ours have none.
    #[prost(double, tag = "4")]
    pub weighted_num_examples: f64,
}

impl DatasetFeatureStatistics {
    /// The statistics of a feature.
    pub fn feature(&self, name: &str) -> Option<&FeatureNameStatistics> {
        self.features.iter().find(|feature| feature.column() == name)
    }
}

/// What the data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum DataType {
    /// Integers.
    Int = 0,
    /// Floats.
    Float = 1,
    /// Text.
    String = 2,
    /// Bytes that are not text.
    Bytes = 3,
    /// Nested features.
    Struct = 4,
}

/// Statistics of one feature.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FeatureNameStatistics {
    /// What the data is.
    #[prost(enumeration = "DataType", tag = "2")]
    pub r#type: i32,
    /// Its custom statistics.
    #[prost(message, repeated, tag = "6")]
    pub custom_stats: Vec<CustomStatistic>,
    /// Which feature.
    #[prost(oneof = "FieldId", tags = "1, 8")]
    pub field_id: Option<FieldId>,
    /// The statistics that fit the type.
    #[prost(oneof = "Stats", tags = "3, 4, 5, 7")]
    pub stats: Option<Stats>,
}

/// Which feature: we write the path, as TFDV does, and read both.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FieldId {
    /// By name.
    #[prost(string, tag = "1")]
    Name(String),
    /// By path.
    #[prost(message, tag = "8")]
    Path(Path),
}

/// The statistics that fit the type.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Stats {
    /// Of integers and floats.
    #[prost(message, tag = "3")]
    Num(NumericStatistics),
    /// Of text.
    #[prost(message, tag = "4")]
    String(StringStatistics),
    /// Of bytes.
    #[prost(message, tag = "5")]
    Bytes(BytesStatistics),
    /// Of nested features.
    #[prost(message, tag = "7")]
    Struct(StructStatistics),
}

impl FeatureNameStatistics {
    /// The name of the column; steps of a longer path are joined with dots.
    pub fn column(&self) -> String {
        match &self.field_id {
            Some(FieldId::Name(name)) => name.clone(),
            Some(FieldId::Path(path)) => path.step.join("."),
            None => String::new(),
        }
    }

    /// Counts that every type has.
    pub fn common(&self) -> Option<&CommonStatistics> {
        match self.stats.as_ref()? {
            Stats::Num(stats) => stats.common_stats.as_ref(),
            Stats::String(stats) => stats.common_stats.as_ref(),
            Stats::Bytes(stats) => stats.common_stats.as_ref(),
            Stats::Struct(stats) => stats.common_stats.as_ref(),
        }
    }

    /// Statistics of numbers.
    pub fn numeric(&self) -> Option<&NumericStatistics> {
        match self.stats.as_ref()? {
            Stats::Num(stats) => Some(stats),
            _ => None,
        }
    }

    /// Statistics of text.
    pub fn text(&self) -> Option<&StringStatistics> {
        match self.stats.as_ref()? {
            Stats::String(stats) => Some(stats),
            _ => None,
        }
    }
}

/// A statistic with a name of its own.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CustomStatistic {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value, when it is a number.
    #[prost(double, optional, tag = "2")]
    pub num: Option<f64>,
    /// Its value, when it is text.
    #[prost(string, optional, tag = "3")]
    pub str: Option<String>,
}

/// Counts that every type has.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CommonStatistics {
    /// Examples that have the feature.
    #[prost(uint64, tag = "1")]
    pub num_non_missing: u64,
    /// Examples that do not.
    #[prost(uint64, tag = "2")]
    pub num_missing: u64,
    /// Fewest values of an example that has the feature.
    #[prost(uint64, tag = "3")]
    pub min_num_values: u64,
    /// Most values.
    #[prost(uint64, tag = "4")]
    pub max_num_values: u64,
    /// Mean number of values.
    #[prost(float, tag = "5")]
    pub avg_num_values: f32,
    /// Quantiles of the number of values.
    #[prost(message, optional, tag = "6")]
    pub num_values_histogram: Option<Histogram>,
    /// Values of all examples together.
    #[prost(uint64, tag = "8")]
    pub tot_num_values: u64,
}

/// Statistics of numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NumericStatistics {
    /// Counts.
    #[prost(message, optional, tag = "1")]
    pub common_stats: Option<CommonStatistics>,
    /// Mean of the finite values.
    #[prost(double, tag = "2")]
    pub mean: f64,
    /// Population standard deviation of the finite values.
    #[prost(double, tag = "3")]
    pub std_dev: f64,
    /// Values that are zero.
    #[prost(uint64, tag = "4")]
    pub num_zeros: u64,
    /// Smallest value that is not NaN.
    #[prost(double, tag = "5")]
    pub min: f64,
    /// Median of the finite values.
    #[prost(double, tag = "6")]
    pub median: f64,
    /// Largest value that is not NaN.
    #[prost(double, tag = "7")]
    pub max: f64,
    /// One of equal widths, one of equal counts.
    #[prost(message, repeated, tag = "8")]
    pub histograms: Vec<Histogram>,
}

/// Statistics of text.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StringStatistics {
    /// Counts.
    #[prost(message, optional, tag = "1")]
    pub common_stats: Option<CommonStatistics>,
    /// Distinct values.
    #[prost(uint64, tag = "2")]
    pub unique: u64,
    /// The most frequent values, most frequent first.
    #[prost(message, repeated, tag = "3")]
    pub top_values: Vec<FreqAndValue>,
    /// Mean length in bytes.
    #[prost(float, tag = "4")]
    pub avg_length: f32,
    /// Values by rank of frequency.
    #[prost(message, optional, tag = "5")]
    pub rank_histogram: Option<RankHistogram>,
    /// Values that are not UTF-8.
    #[prost(uint64, tag = "8")]
    pub invalid_utf8_count: u64,
}

/// A value and how often it occurs.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FreqAndValue {
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
    /// How often.
    #[prost(double, tag = "3")]
    pub frequency: f64,
}

/// Statistics of bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct BytesStatistics {
    /// Counts.
    #[prost(message, optional, tag = "1")]
    pub common_stats: Option<CommonStatistics>,
    /// Distinct values.
    #[prost(uint64, tag = "2")]
    pub unique: u64,
    /// Mean length.
    #[prost(float, tag = "3")]
    pub avg_num_bytes: f32,
    /// Shortest.
    #[prost(float, tag = "4")]
    pub min_num_bytes: f32,
    /// Longest.
    #[prost(float, tag = "5")]
    pub max_num_bytes: f32,
}

/// Statistics of nested features.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StructStatistics {
    /// Counts.
    #[prost(message, optional, tag = "1")]
    pub common_stats: Option<CommonStatistics>,
}
