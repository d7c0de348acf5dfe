//! `reference.json`: exact counts on the data's own quantiles, against which the next delivery is compared.
//!
//! tensorflow-metadata's ten equal-width buckets can not carry drift (one outlier stretches them); these bins can.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// File name inside a split's folder of a `Statistics` artifact.
pub const FILE: &str = "reference.json";

/// Reference counts of one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceBins {
    /// Rows of the split.
    pub rows: u64,
    /// By feature.
    pub features: BTreeMap<String, FeatureReference>,
}

/// Reference counts of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FeatureReference {
    /// Numbers.
    Numeric {
        /// Rows without a value.
        missing: u64,
        /// Rows that are NaN.
        nan: u64,
        /// Strictly increasing inner edges at the 5 %, 10 %, ... 95 % quantiles, at most 19; bin i holds `edge[i-1] <= x < edge[i]`.
        edges: Vec<f64>,
        /// Counts, one more than edges.
        counts: Vec<u64>,
        /// 10 %, 50 % and 90 % quantiles: for the signed shift.
        p10: f64,
        /// Median.
        p50: f64,
        /// 90 % quantile.
        p90: f64,
    },
    /// Text.
    Categorical {
        /// Rows without a value.
        missing: u64,
        /// Counts of the 1,000 most frequent values.
        values: BTreeMap<String, u64>,
        /// Rows with any other value.
        other: u64,
    },
}
