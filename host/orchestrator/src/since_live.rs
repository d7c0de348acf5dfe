//! What differs from the run that made the live model, as far as its artifacts are still there: rows, schema, size.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::evidence::outputs;
use crate::layout;
use crate::shown::unreadable;
use countersign_formats::examples;
use countersign_formats::tfmd::Message as _;
use countersign_formats::tfmd::schema::{self, Feature, FeatureType, Schema};
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::digest::Digest;
use countersign_model::evidence::Shown;
use countersign_model::execution::Execution;
use countersign_model::id::RunId;
use countersign_ports::ArtifactStoreError;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Changes of the schema told one by one.
const CHANGES: usize = 20;
/// Values of a domain told by name.
const VALUES: usize = 3;

impl Engine {
    pub(crate) async fn compare_with_live(
        &self,
        shown: &mut Shown,
        executions: &[&Execution],
        live: &Digest,
        run: &RunId,
    ) -> Result<(), OrchestratorError> {
        shown.live_bytes = match self.parts.artifacts.manifest(live).await {
            Ok(manifest) => Some(manifest.bytes()),
            Err(ArtifactStoreError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let recorded = self.parts.store.executions(run).await?;
        let before: Vec<&Execution> = recorded.iter().collect();
        if let Some(path) = self.still_there(newest(&before, ArtifactKind::EXAMPLES)).await? {
            let unfit = |problem| unreadable(&ArtifactKind::EXAMPLES.into(), &path, problem);
            let index: examples::ExamplesIndex = layout::json(&path, examples::INDEX).map_err(unfit)?;
            shown.rows_before = index.rows;
        }
        let before = self.still_there(newest(&before, ArtifactKind::SCHEMA)).await?;
        if let (Some(before), Some(now)) = (before, newest(executions, ArtifactKind::SCHEMA)) {
            let now = self.parts.artifacts.open(&now.digest).await?;
            shown.schema_changes = changes(&read_schema(before)?, &read_schema(now)?);
        }
        Ok(())
    }

    /// The verified directory; none when there was none, or when it was removed or spoilt since: that is no fault of the candidate.
    async fn still_there(&self, artifact: Option<&Artifact>) -> Result<Option<PathBuf>, OrchestratorError> {
        let Some(artifact) = artifact else { return Ok(None) };
        match self.parts.artifacts.open(&artifact.digest).await {
            Ok(path) => Ok(Some(path)),
            Err(error @ (ArtifactStoreError::Missing(_) | ArtifactStoreError::Corrupt { .. })) => {
                tracing::warn!(%error, "an artifact behind the live model can not be compared with");
                Ok(None)
            }
            Err(error @ (ArtifactStoreError::Io { .. } | ArtifactStoreError::Unfit { .. })) => Err(error.into()),
        }
    }
}

/// The last artifact of that kind.
fn newest<'a>(executions: &[&'a Execution], kind: &str) -> Option<&'a Artifact> {
    outputs(executions).filter(|artifact| artifact.kind.as_str() == kind).last()
}

fn read_schema(folder: PathBuf) -> Result<Schema, OrchestratorError> {
    let unfit = |problem: String| unreadable(&ArtifactKind::SCHEMA.into(), &folder, problem);
    let bytes = std::fs::read(folder.join(schema::FILE)).map_err(|error| unfit(error.to_string()))?;
    Schema::decode(bytes.as_slice()).map_err(|error| unfit(error.to_string()))
}

/// In words, in the order of the features: gone ones first.
fn changes(before: &Schema, now: &Schema) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for feature in before.feature.iter().filter(|feature| now.feature(feature.name()).is_none()) {
        told.push(format!("{} is gone", feature.name()));
    }
    for feature in &now.feature {
        match before.feature(feature.name()) {
            None => told.push(format!("{} is new ({})", feature.name(), type_name(feature))),
            Some(earlier) => {
                let differences = differences((before, earlier), (now, feature));
                if !differences.is_empty() {
                    told.push(format!("{}: {}", feature.name(), differences.join(", ")));
                }
            }
        }
    }
    let more = told.len().saturating_sub(CHANGES);
    if more > 0 {
        told.truncate(CHANGES);
        told.push(format!("and {more} more"));
    }
    told
}

fn differences(before: (&Schema, &Feature), now: (&Schema, &Feature)) -> Vec<String> {
    let mut differences = Vec::new();
    if before.1.r#type() != now.1.r#type() {
        differences.push(format!("{} became {}", type_name(before.1), type_name(now.1)));
    }
    let complete = |feature: &Feature| feature.presence.as_ref().is_some_and(|presence| presence.min_fraction() >= 1.0);
    match (complete(before.1), complete(now.1)) {
        (true, false) => differences.push("may be missing now".to_string()),
        (false, true) => differences.push("must always be there now".to_string()),
        (true, true) | (false, false) => {}
    }
    let range = |(schema, feature): (&Schema, &Feature)| schema.range_of(feature);
    if range(before) != range(now) {
        let told =
            |range: Option<(f64, f64)>| range.map_or("any".to_string(), |(low, high)| format!("{low} to {high}"));
        differences.push(format!("range {} became {}", told(range(before)), told(range(now))));
    }
    differences.extend(domain(before, now));
    differences
}

fn domain(before: (&Schema, &Feature), now: (&Schema, &Feature)) -> Vec<String> {
    let values = |(schema, feature): (&Schema, &Feature)| {
        schema.string_domain_of(feature).map(|domain| domain.value.iter().cloned().collect::<BTreeSet<String>>())
    };
    match (values(before), values(now)) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec!["its values are listed now".to_string()],
        (Some(_), None) => vec!["its values are no longer listed".to_string()],
        (Some(before), Some(now)) => {
            let told = |what: &str, values: Vec<&String>| {
                let few: Vec<&str> = values.iter().take(VALUES).map(|value| value.as_str()).collect();
                let more = if values.len() > VALUES { ", …" } else { "" };
                (!values.is_empty()).then(|| format!("{} {what} ({}{more})", values.len(), few.join(", ")))
            };
            let new = told("new values", now.difference(&before).collect());
            new.into_iter().chain(told("values gone", before.difference(&now).collect())).collect()
        }
    }
}

fn type_name(feature: &Feature) -> &'static str {
    match feature.r#type() {
        FeatureType::TypeUnknown => "unknown",
        FeatureType::Bytes => "text",
        FeatureType::Int => "integer",
        FeatureType::Float => "number",
        FeatureType::Struct => "structure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::tfmd::schema::{DomainInfo, FeaturePresence, FloatDomain, StringDomain};

    fn feature(name: &str, of: FeatureType, domain_info: Option<DomainInfo>, fraction: f64) -> Feature {
        Feature {
            name: Some(name.to_string()),
            r#type: Some(of.into()),
            presence: Some(FeaturePresence { min_fraction: Some(fraction), min_count: None }),
            domain_info,
            ..Feature::default()
        }
    }

    fn listed(values: &[&str]) -> Option<DomainInfo> {
        let value = values.iter().map(ToString::to_string).collect();
        Some(DomainInfo::StringDomain(StringDomain { name: None, value }))
    }

    fn up_to(max: f32) -> Option<DomainInfo> {
        Some(DomainInfo::FloatDomain(FloatDomain { min: Some(0.0), max: Some(max), ..FloatDomain::default() }))
    }

    #[test]
    fn every_difference_of_two_schemas_is_told_in_words() {
        let schema = |feature| Schema { feature, ..Schema::default() };
        let before = schema(vec![
            feature("tract", FeatureType::Int, None, 0.0),
            feature("company", FeatureType::Bytes, listed(&["A", "B"]), 1.0),
            feature("fare", FeatureType::Int, up_to(500.0), 0.0),
            feature("same", FeatureType::Int, None, 1.0),
        ]);
        let now = schema(vec![
            feature("company", FeatureType::Bytes, listed(&["B", "C", "D", "E", "F"]), 0.5),
            feature("fare", FeatureType::Float, up_to(900.0), 1.0),
            feature("same", FeatureType::Int, None, 1.0),
            feature("tip", FeatureType::Float, None, 0.0),
        ]);
        assert_eq!(
            changes(&before, &now),
            [
                "tract is gone",
                "company: may be missing now, 4 new values (C, D, E, …), 1 values gone (A)",
                "fare: integer became number, must always be there now, range 0 to 500 became 0 to 900",
                "tip is new (number)",
            ]
        );
        assert!(changes(&now, &now).is_empty());
        let many = (0..30).map(|at| feature(&format!("f{at}"), FeatureType::Int, None, 0.0)).collect();
        assert_eq!(changes(&Schema::default(), &schema(many)).last().unwrap(), "and 10 more");
    }
}
