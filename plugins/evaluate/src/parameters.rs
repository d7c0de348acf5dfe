//! What a pipeline can set, and the checks that need no data.

use crate::metric::{Better, Metric};
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters of `evaluate`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Split to measure on.
    pub split: String,
    /// Columns to slice by. Text and integers by value, floats by their quartiles.
    pub slices: Vec<String>,
    /// The metric that ranks slices and is shown first.
    pub headline: Metric,
    /// Slices with fewer examples are marked small, ranked last, and never judged by a rule or a comparison.
    pub min_slice_examples: u64,
    /// Values a column is sliced by, the most frequent; the others are one slice, "(other)".
    pub max_slice_values: u32,
    /// What has to hold; a rule that does not hold blocks.
    pub rules: Vec<Rule>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            split: "eval".to_string(),
            slices: Vec::new(),
            headline: Metric::Auc,
            min_slice_examples: 50,
            max_slice_values: 50,
            rules: Vec::new(),
        }
    }
}

/// One rule: every condition that it names has to hold; limits are inclusive. Changes are candidate minus live model, so `increase`
/// means a larger number, whether that is better (`auc`) or worse (`log_loss`).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The metric.
    pub metric: Metric,
    /// Where it has to hold: `overall`, `every slice` (small ones left out), or one slice such as `company = Blue Ribbon`.
    #[serde(default = "overall")]
    pub slice: String,
    /// The metric is this or more.
    pub at_least: Option<f64>,
    /// The metric is this or less.
    pub at_most: Option<f64>,
    /// The metric rises by this or more: 0.002 asks for 0.866 after 0.864.
    #[schemars(range(min = 0))]
    pub min_increase_absolute: Option<f64>,
    /// The metric falls by this or less: 0.003 allows 0.861 after 0.864.
    #[schemars(range(min = 0))]
    pub max_decrease_absolute: Option<f64>,
    /// The metric rises by this many percent of the live model's value or more: 1 asks for 0.808 after 0.800.
    #[schemars(range(min = 0))]
    pub min_increase_percent: Option<f64>,
    /// The metric falls by this many percent of the live model's value or less: 1 allows 0.792 after 0.800.
    #[schemars(range(min = 0))]
    pub max_decrease_percent: Option<f64>,
    /// The metric falls by this or more; for `log_loss` and `calibration`.
    #[schemars(range(min = 0))]
    pub min_decrease_absolute: Option<f64>,
    /// The metric rises by this or less; for `log_loss` and `calibration`.
    #[schemars(range(min = 0))]
    pub max_increase_absolute: Option<f64>,
    /// The metric falls by this many percent of the live model's value or more; for `log_loss` and `calibration`.
    #[schemars(range(min = 0))]
    pub min_decrease_percent: Option<f64>,
    /// The metric rises by this many percent of the live model's value or less; for `log_loss` and `calibration`.
    #[schemars(range(min = 0))]
    pub max_increase_percent: Option<f64>,
}

fn overall() -> String {
    "overall".to_string()
}

/// Whether a change is a rise or a fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Candidate above baseline.
    Increase,
    /// Candidate below baseline.
    Decrease,
}

/// One condition of a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    /// The metric is this or more.
    AtLeast(f64),
    /// The metric is this or less.
    AtMost(f64),
    /// The metric changes in that direction by at least (`minimum`) or at most an amount.
    Change {
        /// Rise or fall.
        direction: Direction,
        /// At least, else at most.
        minimum: bool,
        /// How much.
        amount: f64,
        /// In percent of the baseline, else as it is.
        percent: bool,
    },
}

impl Rule {
    /// The conditions that are set.
    pub fn conditions(&self) -> Vec<Condition> {
        use Direction::{Decrease, Increase};
        let change = |amount: Option<f64>, direction, minimum, percent| {
            amount.map(|amount| Condition::Change { direction, minimum, amount, percent })
        };
        [
            self.at_least.map(Condition::AtLeast),
            self.at_most.map(Condition::AtMost),
            change(self.min_increase_absolute, Increase, true, false),
            change(self.max_decrease_absolute, Decrease, false, false),
            change(self.min_increase_percent, Increase, true, true),
            change(self.max_decrease_percent, Decrease, false, true),
            change(self.min_decrease_absolute, Decrease, true, false),
            change(self.max_increase_absolute, Increase, false, false),
            change(self.min_decrease_percent, Decrease, true, true),
            change(self.max_increase_percent, Increase, false, true),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Refuses a rule that asks for nothing, or for a worse model.
    ///
    /// # Errors
    /// What is wrong and what was probably meant.
    pub fn check(&self) -> Result<(), String> {
        let conditions = self.conditions();
        if conditions.is_empty() {
            return Err(format!(
                "rule on `{}` asks for nothing: set `at_least`, `max_decrease_absolute`, …",
                self.metric
            ));
        }
        for condition in conditions {
            let Condition::Change { direction, minimum, amount, .. } = condition else { continue };
            if amount < 0.0 {
                return Err(format!(
                    "rule on `{}`: {amount} is below 0; a fall has its own `…_decrease_…`",
                    self.metric
                ));
            }
            let rise_wanted = (direction == Direction::Increase) == minimum;
            match (self.metric.better(), rise_wanted) {
                (Better::Higher, false) => {
                    return Err(format!(
                        "rule on `{}`: higher is better, so this asks for a worse model; use `min_increase_…` or `max_decrease_…`",
                        self.metric
                    ));
                }
                (Better::Lower, true) => {
                    return Err(format!(
                        "rule on `{}`: lower is better, so this asks for a worse model; use `min_decrease_…` or `max_increase_…`",
                        self.metric
                    ));
                }
                (Better::Higher, true) | (Better::Lower, false) | (Better::Target, _) => {}
            }
        }
        Ok(())
    }
}

impl Parameters {
    /// Refuses what no data can mend.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub fn check(&self) -> Result<(), String> {
        if self.headline.better() == Better::Target {
            return Err(format!("headline `{}` has no better and worse to rank slices by; use `auc`", self.headline));
        }
        for rule in &self.rules {
            rule.check()?;
            if rule.slice == "every slice" && self.slices.is_empty() {
                return Err(format!("rule on `{}`: there is no slice; name columns in `slices`", rule.metric));
            }
            let Some((column, _)) = rule.one_slice() else { continue };
            if !self.slices.iter().any(|known| known == column) {
                let hint = crate::metric::nearest(column, self.slices.iter().map(String::as_str));
                return Err(format!("rule on `{}`: slices are not made by `{column}`{hint}", rule.metric));
            }
        }
        Ok(())
    }
}

impl Rule {
    /// The column and value, when the rule is about one slice.
    pub fn one_slice(&self) -> Option<(&str, &str)> {
        match self.slice.as_str() {
            "overall" | "every slice" => None,
            slice => Some(slice.split_once(" = ").unwrap_or((slice, ""))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Parameters, String> {
        let parameters: Parameters = serde_json::from_str(text).map_err(|error| error.to_string())?;
        parameters.check().map(|()| parameters)
    }

    #[test]
    fn mistakes_are_told_before_any_data_is_read() {
        let cases = [
            (r#"{"headline": "calibration"}"#, "no better and worse"),
            (r#"{"rules": [{"metric": "auc"}]}"#, "asks for nothing"),
            (r#"{"rules": [{"metric": "auk", "at_least": 0.8}]}"#, "did you mean `auc`?"),
            (r#"{"rules": [{"metric": "auc", "at_leats": 0.8}]}"#, "unknown field `at_leats`"),
            (r#"{"rules": [{"metric": "auc", "max_decrease_absolute": -0.1}]}"#, "below 0"),
            (r#"{"rules": [{"metric": "auc", "max_increase_absolute": 0.1}]}"#, "higher is better"),
            (r#"{"rules": [{"metric": "log_loss", "min_increase_percent": 1}]}"#, "lower is better"),
            (r#"{"rules": [{"metric": "auc", "slice": "every slice", "at_least": 0.8}]}"#, "there is no slice"),
            (
                r#"{"slices": ["company"], "rules": [{"metric": "auc", "slice": "compny = X", "at_least": 0}]}"#,
                "did you mean `company`?",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        parse(r#"{"slices": ["a"], "rules": [{"metric": "auc", "slice": "a = b = c", "at_least": 0.5}]}"#).unwrap();
        parse(r#"{"rules": [{"metric": "log_loss", "max_increase_percent": 1}]}"#).unwrap();
    }
}
