//! What a pipeline can set.

/// Thresholds. Effects are Jensen-Shannon divergences between 0 and 1; shares are fractions of 1.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// The split that is compared with the previous delivery's.
    pub split: String,
    /// Features whose distribution moves by nature: dates, counters.
    pub ignore_drift: Vec<String>,
    /// Effect from which drift is a warning (`slight drift`), if it is above the noise of the sample sizes.
    pub drift_warn: f64,
    /// Effect from which drift blocks (`drift`), if it is above the noise of the sample sizes.
    pub drift_block: f64,
    /// Change of one value's share from which drift of a column of text is a warning.
    pub share_warn: f64,
    /// Change of one value's share from which drift of a column of text blocks.
    pub share_block: f64,
    /// Change of the share of missing values from which it is told: a rise asks a person, a fall warns.
    pub missing_ask: f64,
    /// Share of missing values up to which a column that had none is only a warning (`few missing values`).
    pub few_missing: f64,
    /// Share of new values up to which they are only a warning (`rare new value`); where the schema sets `min_domain_mass`, that decides.
    pub rare_values: f64,
    /// Rows, as a fraction of the previous delivery's, under which a person is asked.
    pub min_rows_fraction: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            split: "train".to_string(),
            ignore_drift: Vec::new(),
            drift_warn: 0.005,
            drift_block: 0.05,
            share_warn: 0.05,
            share_block: 0.15,
            missing_ask: 0.05,
            few_missing: 0.002,
            rare_values: 0.01,
            min_rows_fraction: 0.5,
        }
    }
}
