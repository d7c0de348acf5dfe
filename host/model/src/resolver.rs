//! Inputs that name history instead of a step.

use crate::artifact::ArtifactKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What of the past an input asks for, always within its own pipeline.
///
/// History is what came before this step's own inputs, so a resolver skips (a) an artifact with the digest of one of the
/// step's other inputs, and (b) an artifact that the same step already made from the same inputs. Without that, a second
/// run on unchanged data would find its own first result as "previous" and nothing would ever come from the cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Resolver {
    /// `latest approved model` (or `latest blessed model`): the newest model that a person approved.
    LatestApprovedModel,
    /// `latest pushed model`: what is live.
    LatestPushedModel,
    /// `previous <kind>`: the newest artifact of the kind from a run in which no check failed.
    Previous(ArtifactKind),
    /// `last <n> spans`: the newest `Examples` of each of the newest n spans from runs in which no check failed, this run's
    /// own span included.
    LastSpans(u32),
}

/// A text that is no resolver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "parse resolver: `{0}` is none of `latest approved model`, `latest blessed model`, `latest pushed model`, `previous statistics`, \
     `previous schema`, `previous <kind>`, `last <n> spans`"
)]
pub struct ParseResolverError(pub String);

/// Kinds by the lower-case words that people write.
const WORDS: [(&str, &str); 10] = [
    ("delivery", ArtifactKind::DELIVERY),
    ("examples", ArtifactKind::EXAMPLES),
    ("statistics", ArtifactKind::STATISTICS),
    ("schema", ArtifactKind::SCHEMA),
    ("anomalies", ArtifactKind::ANOMALIES),
    ("transform graph", ArtifactKind::TRANSFORM_GRAPH),
    ("model", ArtifactKind::MODEL),
    ("checkpoints", ArtifactKind::CHECKPOINTS),
    ("evaluation", ArtifactKind::EVALUATION),
    ("example difficulty", ArtifactKind::EXAMPLE_DIFFICULTY),
];

impl Resolver {
    /// The kind of artifact it finds.
    pub fn kind(&self) -> ArtifactKind {
        match self {
            Self::LatestApprovedModel | Self::LatestPushedModel => ArtifactKind::MODEL.into(),
            Self::Previous(kind) => kind.clone(),
            Self::LastSpans(_) => ArtifactKind::EXAMPLES.into(),
        }
    }

    /// Whether it may find more than one artifact.
    pub fn finds_many(&self) -> bool {
        matches!(self, Self::LastSpans(_))
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LatestApprovedModel => f.write_str("latest approved model"),
            Self::LatestPushedModel => f.write_str("latest pushed model"),
            Self::Previous(kind) => {
                let word =
                    WORDS.iter().find(|(_, name)| *name == kind.as_str()).map_or(kind.as_str(), |(word, _)| word);
                write!(f, "previous {word}")
            }
            Self::LastSpans(count) => write!(f, "last {count} spans"),
        }
    }
}

impl FromStr for Resolver {
    type Err = ParseResolverError;

    fn from_str(text: &str) -> Result<Self, ParseResolverError> {
        let error = || ParseResolverError(text.to_string());
        match text {
            "latest approved model" | "latest blessed model" => return Ok(Self::LatestApprovedModel),
            "latest pushed model" => return Ok(Self::LatestPushedModel),
            _ => {}
        }
        if let Some(word) = text.strip_prefix("previous ") {
            let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, name)| *name);
            // A plugin's own kind is written as it is named, with a capital.
            let own = word.chars().next().filter(|first| first.is_uppercase()).map(|_| word);
            return known.or(own).map(|name| Self::Previous(name.into())).ok_or_else(error);
        }
        text.strip_prefix("last ")
            .and_then(|rest| rest.strip_suffix(" spans").or_else(|| rest.strip_suffix(" span")))
            .and_then(|count| count.parse().ok())
            .filter(|count| (1..=1000).contains(count))
            .map(Self::LastSpans)
            .ok_or_else(error)
    }
}

impl TryFrom<String> for Resolver {
    type Error = ParseResolverError;

    fn try_from(text: String) -> Result<Self, ParseResolverError> {
        text.parse()
    }
}

impl From<Resolver> for String {
    fn from(resolver: Resolver) -> String {
        resolver.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolver_reads_back() {
        for text in [
            "latest approved model",
            "latest pushed model",
            "previous statistics",
            "previous schema",
            "previous WordCounts",
            "last 7 spans",
        ] {
            assert_eq!(text.parse::<Resolver>().unwrap().to_string(), text);
        }
        assert_eq!("latest blessed model".parse(), Ok(Resolver::LatestApprovedModel));
        for text in ["latest model", "previous word", "last 0 spans", "last x spans", ""] {
            assert!(text.parse::<Resolver>().is_err(), "{text}");
        }
    }
}
