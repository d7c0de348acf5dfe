//! What one model makes of one example: `example.json` in, `answer.json` out. Neither is kept as an artifact.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// File name of the example.
pub const EXAMPLE: &str = "example.json";
/// File name of the answer.
pub const ANSWER: &str = "answer.json";

/// An example: raw column to text. A column that is left out, or empty, is missing.
pub type Example = BTreeMap<String, String>;

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Prediction {
    /// A prediction.
    Predicted {
        /// The most probable label.
        label: String,
        /// Probability of each label, in the model's order.
        probabilities: Vec<(String, f64)>,
    },
    /// The model can not read such an example.
    Refused {
        /// Why.
        refused: String,
    },
}

#[cfg(test)]
mod tests {
    use super::Prediction;

    #[test]
    fn an_answer_is_one_of_two_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Prediction>(text);
        let told = read(r#"{"label":"1","probabilities":[["0",0.25],["1",0.75]]}"#).unwrap();
        assert!(matches!(told, Prediction::Predicted { probabilities, .. } if probabilities[1] == ("1".into(), 0.75)));
        assert_eq!(read(r#"{"refused":"no"}"#).unwrap(), Prediction::Refused { refused: "no".into() });
        for other in ["{}", r#"{"label":"1"}"#, r#"{"refused":"no","label":"1"}"#, r#"{"probabilities":[]}"#] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
