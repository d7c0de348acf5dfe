//! The constraints of `schema.proto`: presence, shape, domains, comparators.

/// How many examples have to have a feature.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct FeaturePresence {
    /// Share of the examples.
    #[prost(double, optional, tag = "1")]
    pub min_fraction: Option<f64>,
    /// Number of examples.
    #[prost(int64, optional, tag = "2")]
    pub min_count: Option<i64>,
}

/// How many values an example has.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ValueCount {
    /// At least.
    #[prost(int64, optional, tag = "1")]
    pub min: Option<i64>,
    /// At most.
    #[prost(int64, optional, tag = "2")]
    pub max: Option<i64>,
}

/// A shape that every example has.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct FixedShape {
    /// Its dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dim>,
}

/// A dimension.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Dim {
    /// Its size.
    #[prost(int64, optional, tag = "1")]
    pub size: Option<i64>,
    /// Its name.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
}

/// A range of integers.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IntDomain {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// At least.
    #[prost(int64, optional, tag = "3")]
    pub min: Option<i64>,
    /// At most.
    #[prost(int64, optional, tag = "4")]
    pub max: Option<i64>,
    /// The numbers are names.
    #[prost(bool, optional, tag = "5")]
    pub is_categorical: Option<bool>,
}

/// A range of floats.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FloatDomain {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// At least.
    #[prost(float, optional, tag = "3")]
    pub min: Option<f32>,
    /// At most.
    #[prost(float, optional, tag = "4")]
    pub max: Option<f32>,
    /// No NaN.
    #[prost(bool, optional, tag = "5")]
    pub disallow_nan: Option<bool>,
    /// No infinity.
    #[prost(bool, optional, tag = "6")]
    pub disallow_inf: Option<bool>,
}

/// A list of texts.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StringDomain {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// The texts.
    #[prost(string, repeated, tag = "2")]
    pub value: Vec<String>,
}

/// Two values.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BoolDomain {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// What means true.
    #[prost(string, optional, tag = "2")]
    pub true_value: Option<String>,
    /// What means false.
    #[prost(string, optional, tag = "3")]
    pub false_value: Option<String>,
}

/// How much may lie outside a string domain.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct DistributionConstraints {
    /// Share that has to lie inside.
    #[prost(double, optional, tag = "1", default = "1.0")]
    pub min_domain_mass: Option<f64>,
}

/// Thresholds of a comparison.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct FeatureComparator {
    /// Largest change of one value's share.
    #[prost(message, optional, tag = "1")]
    pub infinity_norm: Option<Threshold>,
    /// Jensen-Shannon divergence.
    #[prost(message, optional, tag = "2")]
    pub jensen_shannon_divergence: Option<Threshold>,
    /// Largest change of one value's count.
    #[prost(message, optional, tag = "3")]
    pub normalized_abs_difference: Option<Threshold>,
}

/// `InfinityNorm`, `JensenShannonDivergence` and `NormalizedAbsoluteDifference` alike.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Threshold {
    /// Above this it is an anomaly.
    #[prost(double, optional, tag = "1")]
    pub threshold: Option<f64>,
}

/// How many distinct values a feature may have.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct UniqueConstraints {
    /// At least.
    #[prost(int64, optional, tag = "1")]
    pub min: Option<i64>,
    /// At most.
    #[prost(int64, optional, tag = "2")]
    pub max: Option<i64>,
}

/// What the whole has to be like.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct DatasetConstraints {
    /// Examples against the previous data.
    #[prost(message, optional, tag = "1")]
    pub num_examples_drift_comparator: Option<NumericValueComparator>,
    /// Fewest examples.
    #[prost(int64, optional, tag = "3")]
    pub min_examples_count: Option<i64>,
    /// Most examples.
    #[prost(int64, optional, tag = "4")]
    pub max_examples_count: Option<i64>,
}

/// Bounds of a ratio.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct NumericValueComparator {
    /// At least.
    #[prost(double, optional, tag = "1")]
    pub min_fraction_threshold: Option<f64>,
    /// At most.
    #[prost(double, optional, tag = "2")]
    pub max_fraction_threshold: Option<f64>,
}
