//! Secrets: read from the environment or a file, never printed, never written.

use std::fmt;

/// A token, key or password. Shows as `***` wherever it is printed by mistake, and can not be serialised at all.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret; surrounding white space is cut, for files end with a line break. None when nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_string()))
    }

    /// The secret itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_does_not_print_and_is_never_empty() {
        let secret = Secret::new(" xoxb-1\n").unwrap();
        assert_eq!((format!("{secret:?}").as_str(), secret.expose()), ("***", "xoxb-1"));
        assert_eq!(Secret::new(" \n"), None);
    }
}
