//! What a pipeline can set, and which checkpoints a stage means.

use crate::gradients::Target;
use crate::vog::{Normalisation, Reduction};
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::Range;

/// Parameters of `difficulty`. As they stand they suit production and audit: softmax of the predicted label at late checkpoints. The
/// published definition is `target = "logit"`, `label = "true"`, `normalisation = "class"`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Split to score.
    pub split: String,
    /// What the gradient is of.
    pub target: Target,
    /// Whose logit or probability: the given label's or the one predicted at the last checkpoint.
    pub label: LabelKind,
    /// Which checkpoints.
    pub stage: Stage,
    /// How many checkpoints `early`, `middle` and `late` take; 2 or more.
    #[schemars(range(min = 2))]
    pub last: u32,
    /// How the spread over checkpoints becomes a number.
    pub reduction: Reduction,
    /// What is done with the scores within a class.
    pub normalisation: Normalisation,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            split: "eval".to_string(),
            target: Target::Softmax,
            label: LabelKind::Predicted,
            stage: Stage::Late,
            last: 5,
            reduction: Reduction::Std,
            normalisation: Normalisation::None,
        }
    }
}

/// Whose class a gradient is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// The given label.
    True,
    /// The label predicted at the last checkpoint.
    Predicted,
}

/// A stretch of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The first checkpoints.
    Early,
    /// Those around the middle one.
    Middle,
    /// The last checkpoints.
    Late,
    /// All of them.
    All,
}

impl Stage {
    /// Which of so many checkpoints, oldest first.
    pub fn of(self, checkpoints: usize, taken: usize) -> Range<usize> {
        let taken = taken.min(checkpoints);
        match self {
            Self::Early => 0..taken,
            Self::Middle => (checkpoints - taken) / 2..(checkpoints - taken) / 2 + taken,
            Self::Late => checkpoints - taken..checkpoints,
            Self::All => 0..checkpoints,
        }
    }
}

/// The names used in parameters and in the record.
pub trait Named {
    /// The name.
    fn name(self) -> &'static str;
}

macro_rules! named {
    ($($type:ident { $($variant:ident = $name:literal),* })*) => {
        $(impl Named for $type {
            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        })*
    };
}

named! {
    Target { Logit = "logit", Softmax = "softmax", LogProb = "log_prob" }
    LabelKind { True = "true", Predicted = "predicted" }
    Stage { Early = "early", Middle = "middle", Late = "late", All = "all" }
    Reduction { Std = "std", Variance = "variance", Paper = "paper" }
    Normalisation { None = "none", Class = "class", ClassAbs = "class_abs" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_of_ten_and_of_three() {
        let of = |stage: Stage, checkpoints| stage.of(checkpoints, 5);
        assert_eq!(
            [Stage::Early, Stage::Middle, Stage::Late, Stage::All].map(|stage| of(stage, 10)),
            [0..5, 2..7, 5..10, 0..10]
        );
        assert_eq!(
            [Stage::Early, Stage::Middle, Stage::Late, Stage::All].map(|stage| of(stage, 3)),
            [0..3, 0..3, 0..3, 0..3]
        );
    }

    #[test]
    fn names_are_the_ones_that_are_read() {
        fn check<T: Named + Copy + PartialEq + std::fmt::Debug + serde::de::DeserializeOwned>(all: &[T]) {
            for one in all {
                assert_eq!(serde_json::from_value::<T>(one.name().into()).unwrap(), *one);
            }
        }
        check(&[Target::Logit, Target::Softmax, Target::LogProb]);
        check(&[LabelKind::True, LabelKind::Predicted]);
        check(&[Stage::Early, Stage::Middle, Stage::Late, Stage::All]);
        check(&[Reduction::Std, Reduction::Variance, Reduction::Paper]);
        check(&[Normalisation::None, Normalisation::Class, Normalisation::ClassAbs]);
    }
}
