//! What a failed check leaves of a run when people may override it: the steps that need its result are left out, the gate is not.

use crate::engine::Components;
use countersign_model::artifact::ArtifactKind;
use countersign_model::pipeline::{Pipeline, Step, Work};
use std::collections::{BTreeMap, BTreeSet};

/// Steps that are not run, each with the step whose check failed.
pub(crate) type LeftOut = BTreeMap<String, String>;

/// Gates at which people may override that `failed` failed a check: they name who may, they come directly after it, and what they
/// ask about is made without it. None: the run ends there.
pub(crate) fn gates<'a>(
    pipeline: &'a Pipeline,
    components: &Components,
    failed: &str,
    left_out: &LeftOut,
) -> BTreeSet<&'a str> {
    let may_override = |step: &&Step| match &step.work {
        Work::Signoff(policy) => {
            policy.overriding.is_some()
                && step.after.contains(failed)
                && !left_out.contains_key(&step.name)
                && candidate(pipeline, components, &step.name).is_some_and(|made_by| {
                    made_by != failed
                        && !left_out.contains_key(made_by)
                        && !ancestors(pipeline, made_by).contains(failed)
                })
        }
        Work::Component(_) => false,
    };
    pipeline.steps.iter().filter(may_override).map(|step| step.name.as_str()).collect()
}

/// The steps that are not run because `failed` failed a check which `gates` may override: everything that comes after it, near or far,
/// but not by way of one of these gates.
pub(crate) fn left_out<'a>(pipeline: &'a Pipeline, failed: &'a str, gates: &BTreeSet<&str>) -> Vec<&'a str> {
    let mut without: BTreeSet<&str> = BTreeSet::from([failed]);
    for step in &pipeline.steps {
        let released = matches!(&step.work, Work::Component(work) if work.release.as_deref().is_some_and(|gate| gates.contains(gate)));
        let needs = |before: &String| without.contains(before.as_str()) && !(released && before == failed);
        if !gates.contains(step.name.as_str()) && step.after.iter().any(needs) {
            without.insert(&step.name);
        }
    }
    without.remove(failed);
    without.into_iter().collect()
}

/// The step that makes the model which the gate is about: the last one before it.
fn candidate<'a>(pipeline: &'a Pipeline, components: &Components, gate: &str) -> Option<&'a str> {
    let upstream = ancestors(pipeline, gate);
    let makes_model = |step: &&Step| match &step.work {
        Work::Component(work) => components.get(&work.component_digest).is_some_and(|(_, description)| {
            description.outputs.iter().any(|port| port.kind.as_str() == ArtifactKind::MODEL)
        }),
        Work::Signoff(_) => false,
    };
    let before = pipeline.steps.iter().rev().filter(|step| upstream.contains(&step.name));
    before.filter(|step| makes_model(step)).map(|step| step.name.as_str()).next()
}

/// Every step that `of` comes after, near or far.
pub(crate) fn ancestors(pipeline: &Pipeline, of: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![of.to_string()];
    while let Some(name) = open.pop() {
        for before in pipeline.step(&name).into_iter().flat_map(|step| &step.after) {
            if found.insert(before.clone()) {
                open.push(before.clone());
            }
        }
    }
    found
}
