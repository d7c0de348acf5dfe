//! `schema.pb`: `schema.proto`.

use super::statistics::DataType;

pub use super::constraint::{
    BoolDomain, DatasetConstraints, Dim, DistributionConstraints, FeatureComparator, FeaturePresence, FixedShape,
    FloatDomain, IntDomain, NumericValueComparator, StringDomain, Threshold, UniqueConstraints, ValueCount,
};

/// File name inside a `Schema` artifact.
pub const FILE: &str = "schema.pb";

/// What data has to be like.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Schema {
    /// Its features.
    #[prost(message, repeated, tag = "1")]
    pub feature: Vec<Feature>,
    /// Domains that features refer to by name.
    #[prost(message, repeated, tag = "4")]
    pub string_domain: Vec<StringDomain>,
    /// Environments a feature is in unless it says otherwise.
    #[prost(string, repeated, tag = "5")]
    pub default_environment: Vec<String>,
    /// Domains that features refer to by name.
    #[prost(message, repeated, tag = "9")]
    pub float_domain: Vec<FloatDomain>,
    /// Domains that features refer to by name.
    #[prost(message, repeated, tag = "10")]
    pub int_domain: Vec<IntDomain>,
    /// Of the whole.
    #[prost(message, optional, tag = "11")]
    pub dataset_constraints: Option<DatasetConstraints>,
}

impl Schema {
    /// A feature by name.
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.feature.iter().find(|feature| feature.name() == name)
    }

    /// The values that a feature may have, when they are listed.
    pub fn string_domain_of<'a>(&'a self, feature: &'a Feature) -> Option<&'a StringDomain> {
        match feature.domain_info.as_ref()? {
            DomainInfo::Domain(name) => self.string_domain.iter().find(|domain| domain.name() == name),
            DomainInfo::StringDomain(domain) => Some(domain),
            _ => None,
        }
    }

    /// The range of numbers that a feature may have; an open end is infinite.
    pub fn range_of(&self, feature: &Feature) -> Option<(f64, f64)> {
        let int = |domain: &IntDomain| {
            (domain.min.map_or(f64::NEG_INFINITY, |min| min as f64), domain.max.map_or(f64::INFINITY, |max| max as f64))
        };
        let float = |domain: &FloatDomain| {
            (domain.min.map_or(f64::NEG_INFINITY, f64::from), domain.max.map_or(f64::INFINITY, f64::from))
        };
        match feature.domain_info.as_ref()? {
            DomainInfo::IntDomain(domain) => Some(int(domain)),
            DomainInfo::FloatDomain(domain) => Some(float(domain)),
            DomainInfo::Domain(name) => {
                let ints = self.int_domain.iter().find(|domain| domain.name() == name).map(int);
                ints.or_else(|| self.float_domain.iter().find(|domain| domain.name() == name).map(float))
            }
            _ => None,
        }
    }
}

/// What a feature's data has to be. Text is `Bytes` here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum FeatureType {
    /// Not said.
    TypeUnknown = 0,
    /// Text or bytes.
    Bytes = 1,
    /// Integers.
    Int = 2,
    /// Floats.
    Float = 3,
    /// Nested features.
    Struct = 4,
}

impl From<DataType> for FeatureType {
    fn from(data_type: DataType) -> Self {
        match data_type {
            DataType::Int => Self::Int,
            DataType::Float => Self::Float,
            DataType::String | DataType::Bytes => Self::Bytes,
            DataType::Struct => Self::Struct,
        }
    }
}

/// How far a feature is on its way into or out of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum LifecycleStage {
    /// Not said: validated.
    UnknownStage = 0,
    /// Not validated.
    Planned = 1,
    /// Not validated.
    Alpha = 2,
    /// Validated.
    Beta = 3,
    /// Validated.
    Production = 4,
    /// Not validated.
    Deprecated = 5,
    /// Not validated.
    DebugOnly = 6,
    /// Not validated.
    Disabled = 7,
    /// Validated.
    ValidationDerived = 9,
}

/// What one feature has to be like.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Feature {
    /// The column.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// Out of use.
    #[prost(bool, optional, tag = "2")]
    pub deprecated: Option<bool>,
    /// What its data has to be.
    #[prost(enumeration = "FeatureType", optional, tag = "6")]
    pub r#type: Option<i32>,
    /// How many examples have to have it.
    #[prost(message, optional, tag = "14")]
    pub presence: Option<FeaturePresence>,
    /// How much of it may lie outside its domain.
    #[prost(message, optional, tag = "15")]
    pub distribution_constraints: Option<DistributionConstraints>,
    /// Thresholds against serving data.
    #[prost(message, optional, tag = "18")]
    pub skew_comparator: Option<FeatureComparator>,
    /// Environments it is not in.
    #[prost(string, repeated, tag = "19")]
    pub not_in_environment: Vec<String>,
    /// Environments it is in.
    #[prost(string, repeated, tag = "20")]
    pub in_environment: Vec<String>,
    /// Thresholds against the previous data.
    #[prost(message, optional, tag = "21")]
    pub drift_comparator: Option<FeatureComparator>,
    /// How far it is on its way.
    #[prost(enumeration = "LifecycleStage", optional, tag = "22")]
    pub lifecycle_stage: Option<i32>,
    /// How many distinct values it may have.
    #[prost(message, optional, tag = "31")]
    pub unique_constraints: Option<UniqueConstraints>,
    /// How many values an example has.
    #[prost(oneof = "ShapeType", tags = "5, 23")]
    pub shape_type: Option<ShapeType>,
    /// Which values it may have.
    #[prost(oneof = "DomainInfo", tags = "7, 9, 10, 11, 13")]
    pub domain_info: Option<DomainInfo>,
}

impl Feature {
    /// Whether it is validated at all.
    pub fn is_live(&self) -> bool {
        use LifecycleStage as Stage;
        let idle = [Stage::Planned, Stage::Alpha, Stage::Deprecated, Stage::DebugOnly, Stage::Disabled];
        !self.deprecated() && !idle.contains(&self.lifecycle_stage())
    }

    /// Whether some examples have to have it.
    pub fn is_wanted(&self) -> bool {
        self.presence.as_ref().is_some_and(|presence| presence.min_count() > 0 || presence.min_fraction() > 0.0)
    }
}

/// How many values an example has.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ShapeType {
    /// Between two numbers.
    #[prost(message, tag = "5")]
    ValueCount(ValueCount),
    /// Always the same.
    #[prost(message, tag = "23")]
    Shape(FixedShape),
}

/// Which values a feature may have.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum DomainInfo {
    /// A domain of the schema, by name.
    #[prost(string, tag = "7")]
    Domain(String),
    /// A range of integers.
    #[prost(message, tag = "9")]
    IntDomain(IntDomain),
    /// A range of floats.
    #[prost(message, tag = "10")]
    FloatDomain(FloatDomain),
    /// A list of texts.
    #[prost(message, tag = "11")]
    StringDomain(StringDomain),
    /// Two values.
    #[prost(message, tag = "13")]
    BoolDomain(BoolDomain),
}
