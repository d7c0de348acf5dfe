//! The histograms of `statistics.proto`.

/// What a histogram's buckets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum HistogramType {
    /// Of equal width.
    Standard = 0,
    /// Of equal counts.
    Quantiles = 1,
}

/// A histogram of numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Histogram {
    /// Values that are NaN.
    #[prost(uint64, tag = "1")]
    pub num_nan: u64,
    /// Values that could not be placed.
    #[prost(uint64, tag = "2")]
    pub num_undefined: u64,
    /// The buckets, lowest first.
    #[prost(message, repeated, tag = "3")]
    pub buckets: Vec<Bucket>,
    /// What they are.
    #[prost(enumeration = "HistogramType", tag = "4")]
    pub r#type: i32,
    /// Its name.
    #[prost(string, tag = "5")]
    pub name: String,
}

/// A bucket.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Bucket {
    /// From.
    #[prost(double, tag = "1")]
    pub low_value: f64,
    /// To.
    #[prost(double, tag = "2")]
    pub high_value: f64,
    /// Values in it.
    #[prost(double, tag = "4")]
    pub sample_count: f64,
}

/// Values by rank of frequency.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RankHistogram {
    /// The buckets, most frequent first.
    #[prost(message, repeated, tag = "1")]
    pub buckets: Vec<RankBucket>,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
}

/// One value's bucket.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RankBucket {
    /// Its rank, from 0.
    #[prost(uint64, tag = "1")]
    pub low_rank: u64,
    /// The same.
    #[prost(uint64, tag = "2")]
    pub high_rank: u64,
    /// The value.
    #[prost(string, tag = "4")]
    pub label: String,
    /// How often.
    #[prost(double, tag = "5")]
    pub sample_count: f64,
}
