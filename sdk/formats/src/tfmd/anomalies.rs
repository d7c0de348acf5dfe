//! `anomalies.pb`: `anomalies.proto`.

use super::Path;
use super::schema::Schema;
use std::collections::BTreeMap;

/// File name inside a split's folder of an `Anomalies` artifact.
pub const FILE: &str = "anomalies.pb";

/// What is wrong with one split.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Anomalies {
    /// The schema it was held against.
    #[prost(message, optional, tag = "1")]
    pub baseline: Option<Schema>,
    /// By feature.
    #[prost(btree_map = "string, message", tag = "2")]
    pub anomaly_info: BTreeMap<String, AnomalyInfo>,
    /// There was no data.
    #[prost(bool, optional, tag = "3")]
    pub data_missing: Option<bool>,
    /// How the keys of `anomaly_info` are written.
    #[prost(enumeration = "AnomalyNameFormat", optional, tag = "7")]
    pub anomaly_name_format: Option<i32>,
    /// Of the whole.
    #[prost(message, optional, tag = "8")]
    pub dataset_anomaly_info: Option<AnomalyInfo>,
    /// Every comparison made, whether it was above its threshold or not.
    #[prost(message, repeated, tag = "9")]
    pub drift_skew_info: Vec<DriftSkewInfo>,
}

/// How keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum AnomalyNameFormat {
    /// Not said.
    Unknown = 0,
    /// The path, steps joined with dots.
    SerializedPath = 1,
}

/// What is wrong with one feature, or with the whole.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AnomalyInfo {
    /// For a person: all reasons.
    #[prost(string, optional, tag = "2")]
    pub description: Option<String>,
    /// The heaviest of its reasons.
    #[prost(enumeration = "Severity", optional, tag = "5")]
    pub severity: Option<i32>,
    /// In a few words.
    #[prost(string, optional, tag = "6")]
    pub short_description: Option<String>,
    /// What was found.
    #[prost(message, repeated, tag = "7")]
    pub reason: Vec<Reason>,
    /// The feature.
    #[prost(message, optional, tag = "8")]
    pub path: Option<Path>,
}

/// One thing that was found.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Reason {
    /// What it is.
    #[prost(enumeration = "AnomalyType", optional, tag = "1")]
    pub r#type: Option<i32>,
    /// In a few words.
    #[prost(string, optional, tag = "2")]
    pub short_description: Option<String>,
    /// For a person.
    #[prost(string, optional, tag = "3")]
    pub description: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Severity {
    /// Not said.
    Unknown = 0,
    /// Worth a look.
    Warning = 1,
    /// Has to be dealt with.
    Error = 2,
}

/// How far one feature's distribution moved.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DriftSkewInfo {
    /// The feature.
    #[prost(message, optional, tag = "1")]
    pub path: Option<Path>,
    /// Against the previous data.
    #[prost(message, repeated, tag = "2")]
    pub drift_measurements: Vec<Measurement>,
    /// Against another part of the same data.
    #[prost(message, repeated, tag = "3")]
    pub skew_measurements: Vec<Measurement>,
}

/// One comparison.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Measurement {
    /// What was measured.
    #[prost(enumeration = "MeasurementType", optional, tag = "1")]
    pub r#type: Option<i32>,
    /// How much it is.
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
    /// Above this it is an anomaly.
    #[prost(double, optional, tag = "3")]
    pub threshold: Option<f64>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MeasurementType {
    /// Not said.
    Unknown = 0,
    /// Largest change of one value's share.
    LInfty = 1,
    /// Jensen-Shannon divergence, base 2.
    JensenShannonDivergence = 2,
    /// Largest change of one value's count.
    NormalizedAbsoluteDifference = 3,
}

/// Every kind of anomaly upstream knows; most of them we never write. The names are upstream's and say what they mean.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum AnomalyType {
    UnknownType = 0,
    BoolTypeBigInt = 1,
    BoolTypeBytesNotInt = 2,
    BoolTypeBytesNotString = 3,
    BoolTypeFloatNotInt = 4,
    BoolTypeFloatNotString = 5,
    BoolTypeIntNotString = 6,
    BoolTypeSmallInt = 7,
    BoolTypeStringNotInt = 8,
    BoolTypeUnexpectedString = 9,
    EnumTypeBytesNotString = 10,
    EnumTypeFloatNotString = 11,
    EnumTypeIntNotString = 12,
    EnumTypeInvalidUtf8 = 13,
    EnumTypeUnexpectedStringValues = 14,
    FeatureTypeHighNumberValues = 15,
    FeatureTypeLowFractionPresent = 16,
    FeatureTypeLowNumberPresent = 17,
    FeatureTypeLowNumberValues = 18,
    FeatureTypeNotPresent = 19,
    FeatureTypeNoValues = 20,
    FeatureTypeUnexpectedRepeated = 21,
    FloatTypeBigFloat = 22,
    FloatTypeNotFloat = 23,
    FloatTypeSmallFloat = 24,
    FloatTypeStringNotFloat = 25,
    FloatTypeNonString = 26,
    FloatTypeUnknownTypeNumber = 27,
    IntTypeBigInt = 28,
    IntTypeIntExpected = 29,
    IntTypeNotIntString = 30,
    IntTypeNotString = 31,
    IntTypeSmallInt = 32,
    IntTypeStringExpected = 33,
    IntTypeUnknownTypeNumber = 34,
    SchemaMissingColumn = 35,
    SchemaNewColumn = 36,
    SchemaTrainingServingSkew = 37,
    StringTypeNowFloat = 38,
    StringTypeNowInt = 39,
    ComparatorControlDataMissing = 40,
    ComparatorTreatmentDataMissing = 41,
    ComparatorLInftyHigh = 42,
    NoDataInSpan = 43,
    SparseFeatureMissingValue = 44,
    SparseFeatureMissingIndex = 45,
    SparseFeatureLengthMismatch = 46,
    SparseFeatureNameCollision = 47,
    SemanticDomainUpdate = 48,
    ComparatorLowNumExamples = 49,
    ComparatorHighNumExamples = 50,
    DatasetLowNumExamples = 51,
    BoolTypeUnexpectedFloat = 52,
    FloatTypeHasNan = 53,
    WeightedFeatureNameCollision = 54,
    WeightedFeatureMissingValue = 55,
    WeightedFeatureMissingWeight = 56,
    WeightedFeatureLengthMismatch = 57,
    DatasetHighNumExamples = 58,
    FeatureTypeHighUnique = 59,
    FeatureTypeLowUnique = 60,
    FeatureTypeNoUnique = 61,
    FloatTypeHasInf = 62,
    ComparatorJensenShannonDivergenceHigh = 63,
    LowSupportedImageFraction = 64,
    ValueNestednessMismatch = 65,
    DomainInvalidForType = 66,
    FeatureMissingName = 67,
    FeatureMissingType = 68,
    InvalidSchemaSpecification = 69,
    UnexpectedDataType = 70,
    SequenceValueTooFewOccurrences = 71,
    SequenceValueTooManyOccurrences = 72,
    SequenceValueTooSmallFraction = 73,
    SequenceValueTooLargeFraction = 74,
    FeatureCoverageTooLow = 75,
    FeatureCoverageTooShortAvgTokenLength = 76,
    NlpWrongLocation = 77,
    EmbeddingShapeInvalid = 78,
    MaxImageByteSizeExceeded = 79,
    InvalidFeatureShape = 80,
    InvalidDomainSpecification = 81,
    MultipleReasons = 82,
    StatsNotAvailable = 83,
    DerivedFeatureBadLifecycle = 84,
    DerivedFeatureInvalidSource = 85,
    CustomValidation = 86,
    ComparatorNormalizedAbsoluteDifferenceHigh = 87,
    BoolTypeInvalidConfig = 88,
}
