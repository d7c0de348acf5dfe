//! The metrics by name, and which way each is better. Knows no numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A metric. Binary tasks: the last class is the positive one. More classes: mean over the classes, one against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Metric {
    /// Area under the ROC curve, ties counted half.
    Auc,
    /// Average precision: area under the precision-recall curve, by steps.
    PrAuc,
    /// Share of examples whose most probable class is the label.
    Accuracy,
    /// Share of positive predictions that are right.
    Precision,
    /// Share of positives that are found.
    Recall,
    /// Harmonic mean of precision and recall.
    F1,
    /// Mean negative log-probability of the label; probabilities below 1e-15 count as 1e-15.
    LogLoss,
    /// Mean predicted probability over mean label; with more than two classes, mean top probability over accuracy. 1 is right.
    Calibration,
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The more the better.
    Higher,
    /// The less the better.
    Lower,
    /// Neither: there is a right value.
    Target,
}

impl Metric {
    /// All, in the order people read them.
    pub const ALL: [Self; 8] = [
        Self::Auc,
        Self::PrAuc,
        Self::Accuracy,
        Self::Precision,
        Self::Recall,
        Self::F1,
        Self::LogLoss,
        Self::Calibration,
    ];

    /// The name in files and parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::PrAuc => "pr_auc",
            Self::Accuracy => "accuracy",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "f1",
            Self::LogLoss => "log_loss",
            Self::Calibration => "calibration",
        }
    }

    /// Which way it is better.
    pub fn better(self) -> Better {
        match self {
            Self::LogLoss => Better::Lower,
            Self::Calibration => Better::Target,
            Self::Auc | Self::PrAuc | Self::Accuracy | Self::Precision | Self::Recall | Self::F1 => Better::Higher,
        }
    }

    /// A value turned so that less is worse, to rank by.
    pub fn goodness(self, value: f64) -> f64 {
        match self.better() {
            Better::Higher => value,
            Better::Lower => -value,
            Better::Target => -(value - 1.0).abs(),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::ALL.into_iter().find(|metric| metric.as_str() == name).ok_or_else(|| {
            let hint = nearest(&name, Self::ALL.iter().map(|metric| metric.as_str()));
            serde::de::Error::custom(format!("metric `{name}` does not exist{hint}"))
        })
    }
}

/// `; did you mean …?`, or the list of what there is when nothing is near.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = known
        .clone()
        .map(|name| (strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match near {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => format!("; there are {}", known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_metric_names_the_nearest() {
        let error = serde_json::from_str::<Metric>("\"acuracy\"").unwrap_err().to_string();
        assert!(error.contains("did you mean `accuracy`?"), "{error}");
        let error = serde_json::from_str::<Metric>("\"zzz\"").unwrap_err().to_string();
        assert!(error.contains("there are `auc`, `pr_auc`"), "{error}");
        for metric in Metric::ALL {
            assert_eq!(serde_json::from_value::<Metric>(metric.as_str().into()).unwrap(), metric);
        }
    }

    #[test]
    fn the_schema_names_every_metric_as_it_is_read() {
        let schema = schemars::schema_for!(Metric).to_value().to_string();
        for metric in Metric::ALL {
            assert!(schema.contains(&format!("\"{metric}\"")), "{metric} in {schema}");
        }
    }
}
