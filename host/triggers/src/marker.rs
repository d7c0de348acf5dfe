//! Marker files: `_SUCCESS` or `NAME.done` beside a delivery says that it is whole. Pure text.

use countersign_model::pipeline::Ready;

/// Stands for the delivered file's name.
const NAME: &str = "{NAME}";

/// The names that markers have under a source's rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Markers<'a>(Option<&'a str>);

impl<'a> Markers<'a> {
    pub(crate) fn of(ready: &'a Ready) -> Self {
        match ready {
            Ready::Settled | Ready::Renamed => Self(None),
            Ready::Marker(name) => Self(Some(name)),
        }
    }

    /// Whether deliveries need one.
    pub(crate) fn are_needed(self) -> bool {
        self.0.is_some()
    }

    /// The name of a delivered file's marker, if it needs one.
    pub(crate) fn name_for(self, file: &str) -> Option<String> {
        self.0.map(|marker| marker.replace(NAME, file))
    }

    /// Whether a name is a marker's, so that it is no delivery even where the pattern fits it.
    pub(crate) fn has(self, name: &str) -> bool {
        let Some(marker) = self.0 else { return false };
        match marker.split_once(NAME) {
            None => name == marker,
            Some((before, after)) => {
                let inner = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                inner.is_some_and(|inner| !inner.is_empty())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_one_name_or_one_for_each_file() {
        let one = Ready::Marker("_SUCCESS".into());
        assert_eq!(Markers::of(&one).name_for("a.csv").as_deref(), Some("_SUCCESS"));
        assert!(Markers::of(&one).has("_SUCCESS") && !Markers::of(&one).has("a.csv"));
        let each = Ready::Marker("{NAME}.done".into());
        assert_eq!(Markers::of(&each).name_for("a.csv").as_deref(), Some("a.csv.done"));
        assert!(Markers::of(&each).has("a.csv.done") && !Markers::of(&each).has(".done"));
        assert_eq!(Markers::of(&Ready::Settled).name_for("a.csv"), None);
        assert!(!Markers::of(&Ready::Renamed).has("_SUCCESS"));
    }
}
