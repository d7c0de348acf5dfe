//! Conditions under which people approve. Push obeys them and writes them beside the model.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What has to hold where the model is used. Empty: nothing beyond the approval itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// At most so many per cent of the traffic, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_percent: Option<u8>,
    /// Slices that go on being served by the live model, as they are shown: `company = Blue Ribbon`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except_slices: BTreeSet<String>,
}

impl Conditions {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What satisfies both: the smaller share, every exception.
    pub fn and(&self, other: &Self) -> Self {
        Self {
            canary_percent: [self.canary_percent, other.canary_percent].into_iter().flatten().min(),
            except_slices: self.except_slices.union(&other.except_slices).cloned().collect(),
        }
    }

    /// In words: `10 % canary, not for company = Blue Ribbon`.
    pub fn in_words(&self) -> String {
        let share = self.canary_percent.map(|percent| format!("{percent} % canary"));
        let slices = self.except_slices.iter().map(|slice| format!("not for {slice}"));
        share.into_iter().chain(slices).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::Conditions;

    #[test]
    fn conditions_add_up_to_the_strictest() {
        let canary = |percent| Conditions { canary_percent: Some(percent), ..Conditions::default() };
        let not = |slice: &str| Conditions { except_slices: [slice.to_string()].into(), ..Conditions::default() };
        let all = canary(20).and(&not("a = b")).and(&canary(5)).and(&Conditions::default()).and(&not("c = d"));
        assert_eq!(all.in_words(), "5 % canary, not for a = b, not for c = d");
        assert!(Conditions::default().and(&Conditions::default()).is_empty());
    }
}
