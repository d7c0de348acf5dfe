//! Pokes: a reviewer edits an example and asks the candidate and the live model what they make of it. Each one is logged.

use crate::actor::Actor;
use crate::id::{PokeId, RequestId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One poke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Poke {
    /// Its identifier.
    pub id: PokeId,
    /// The request under review.
    pub request: RequestId,
    /// Who tried.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The example as it was tried: column to text; a column that is left out is missing.
    pub example: BTreeMap<String, String>,
    /// What the candidate answers.
    pub candidate: Answer,
    /// What the live model answers; none while nothing is live.
    pub live: Option<Answer>,
}

/// What one model answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Answer {
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
        why: String,
    },
}
