//! Two runs side by side: what went in, what came out, what was found.

use super::checks::FindingLine;
use super::runs::{self, RunLine};
use super::sources::{ReviewError, Sources};
use super::trail::Trail;
use countersign_model::execution::Execution;
use countersign_model::finding::Finding;
use countersign_model::id::RunId;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Findings shown of each kind.
const SHOWN: usize = 50;

/// Two runs side by side.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Comparison {
    /// The one.
    pub a: RunLine,
    /// The other.
    pub b: RunLine,
    /// Whether both are pinned to the same definition.
    pub same_definition: bool,
    /// What differs, by step.
    pub changes: Vec<Difference>,
    /// What was read from outside: sources, history.
    pub inputs: Vec<Difference>,
    /// Numbers of both.
    pub numbers: Vec<NumberLine>,
    /// Findings of the one that the other has not.
    pub only_a: Vec<FindingLine>,
    /// Findings of the other that the one has not.
    pub only_b: Vec<FindingLine>,
}

/// One difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Difference {
    /// The step or input.
    pub what: String,
    /// In the one.
    pub a: String,
    /// In the other.
    pub b: String,
}

/// One number of both.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NumberLine {
    /// The step.
    pub step: String,
    /// The number's name.
    pub name: String,
    /// In the one.
    pub a: Option<f64>,
    /// In the other.
    pub b: Option<f64>,
    /// The other minus the one.
    pub change: Option<f64>,
}

/// Loads two runs side by side.
///
/// # Errors
/// When there is no such run or the record fails.
pub async fn load_compare(sources: &Sources, a: &RunId, b: &RunId) -> Result<Comparison, ReviewError> {
    let mut sides = Vec::new();
    for id in [a, b] {
        let run = sources.store.run(id).await?.ok_or_else(|| ReviewError::NotFound(id.to_string()))?;
        sides.push((runs::line(&run, sources.clock.now()), run.pipeline_digest, Trail::load(sources, id).await?));
    }
    let [(line_a, definition_a, trail_a), (line_b, definition_b, trail_b)] = sides.try_into().map_err(|_| {
        ReviewError::Unreadable { what: "two runs".to_string(), problem: "there are not two".to_string() }
    })?;
    Ok(Comparison {
        a: line_a,
        b: line_b,
        same_definition: definition_a == definition_b,
        changes: changes(&trail_a, &trail_b),
        inputs: inputs(&trail_a, &trail_b),
        numbers: numbers(&trail_a, &trail_b),
        only_a: only(&trail_a, &trail_b),
        only_b: only(&trail_b, &trail_a),
    })
}

/// Steps by name, of both.
fn by_step<'a>(a: &'a Trail, b: &'a Trail) -> BTreeMap<&'a str, [Option<&'a Execution>; 2]> {
    let mut steps: BTreeMap<&str, [Option<&Execution>; 2]> = BTreeMap::new();
    for (side, trail) in [a, b].into_iter().enumerate() {
        for execution in &trail.executions {
            steps.entry(&execution.step).or_default()[side] = Some(execution);
        }
    }
    steps
}

fn changes(a: &Trail, b: &Trail) -> Vec<Difference> {
    let mut changes = Vec::new();
    for (step, sides) in by_step(a, b) {
        let (a, b) = match sides {
            [Some(a), Some(b)] => {
                let differs = b.fingerprint.changes_since(&a.fingerprint).join(", ");
                if differs.is_empty() {
                    continue;
                }
                (a.component.clone(), format!("{}: {differs}", b.component))
            }
            [Some(a), None] => (a.component.clone(), "did not run".to_string()),
            [None, Some(b)] => ("did not run".to_string(), b.component.clone()),
            [None, None] => continue,
        };
        changes.push(Difference { what: step.to_string(), a, b });
    }
    changes
}

fn inputs(a: &Trail, b: &Trail) -> Vec<Difference> {
    let mut inputs: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for (side, trail) in [a, b].into_iter().enumerate() {
        for artifact in trail.read.values() {
            let history = artifact.execution.is_some();
            let what = if history { format!("earlier {}", artifact.kind) } else { format!("source {}", artifact.step) };
            let told = match &artifact.span {
                Some(span) => format!("{} ({span})", artifact.digest.short()),
                None => artifact.digest.short(),
            };
            inputs.entry(what).or_default()[side].insert(told);
        }
    }
    let told = |side: BTreeSet<String>| match side.len() {
        0 => "none".to_string(),
        _ => side.into_iter().collect::<Vec<_>>().join(", "),
    };
    inputs.into_iter().map(|(what, [a, b])| Difference { what, a: told(a), b: told(b) }).collect()
}

fn numbers(a: &Trail, b: &Trail) -> Vec<NumberLine> {
    let mut lines = Vec::new();
    for (step, sides) in by_step(a, b) {
        let metrics = sides.map(|side| Some(&side?.state.result()?.metrics));
        let names: BTreeSet<&String> = metrics.iter().flatten().flat_map(|metrics| metrics.keys()).collect();
        for name in names {
            let [a, b] = metrics.map(|metrics| metrics?.get(name).copied());
            let change = a.zip(b).map(|(a, b)| b - a);
            lines.push(NumberLine { step: step.to_string(), name: name.clone(), a, b, change });
        }
    }
    lines
}

/// Findings of one run that the other has not, about the same subject.
fn only(of: &Trail, other: &Trail) -> Vec<FindingLine> {
    let findings = |trail: &Trail| -> Vec<Finding> {
        let results = trail.executions.iter().filter_map(|execution| execution.state.result());
        results.flat_map(|result| result.findings.clone()).collect()
    };
    let known: BTreeSet<(String, String)> =
        findings(other).into_iter().map(|finding| (finding.kind, finding.subject)).collect();
    let mut only = findings(of);
    only.retain(|finding| !known.contains(&(finding.kind.clone(), finding.subject.clone())));
    super::checks::heaviest_first(&only, SHOWN)
}
