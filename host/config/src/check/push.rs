//! Steps that push: each has a target, and a gate at which people saw the very model that it pushes.

use super::order::{Edge, Edges};
use super::scope::{NodeKind, Scope};
use super::source::absolute;
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::place::Placed;
use crate::shape::{InputValue, StepTable};
use countersign_model::artifact::ArtifactKind;
use std::collections::BTreeMap;
use std::path::Path;

/// Gate and target of each step that pushes, by index.
pub(super) fn check(
    scope: &Scope<'_>,
    base_dir: &Path,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) -> BTreeMap<usize, (String, String)> {
    let mut found = BTreeMap::new();
    for (index, node) in scope.nodes.iter().enumerate() {
        let NodeKind::Step(table, Some((description, _))) = &node.kind else { continue };
        let pushes = description.outputs.iter().any(|port| port.kind.as_str() == ArtifactKind::PUSHED_MODEL);
        if !pushes {
            not_a_push(node.name, table, sink);
            continue;
        }
        let release = release(scope, index, table, edges, sink);
        let target = target(node.name, table, base_dir, sink);
        found.extend(release.zip(target).map(|pair| (index, pair)));
    }
    found
}

fn not_a_push(step: &Placed<String>, table: &StepTable, sink: &mut Sink<'_>) {
    for (key, value) in [("release", &table.release), ("target", &table.target)] {
        if let Some(value) = value {
            let message = format!("step `{}` has a `{key}`, but makes no `PushedModel`", step.value);
            let mistake = Mistake::new("pipeline.not-a-push", &value.place, message);
            sink.push(mistake.help("to let a step wait for a gate, write `after = [\"GATE\"]`"));
        }
    }
}

fn target(step: &Placed<String>, table: &StepTable, base_dir: &Path, sink: &mut Sink<'_>) -> Option<String> {
    match &table.target {
        Some(target) if !target.text().trim().is_empty() => Some(absolute(base_dir, target.text())),
        Some(target) => {
            let message = format!("`target` of step `{}` is empty", step.value);
            sink.push(Mistake::new("pipeline.missing-target", &target.place, message).help(TARGET));
            None
        }
        None => {
            if !table.broken {
                let message = format!("step `{}` pushes a model, but has no `target`", step.value);
                sink.push(Mistake::new("pipeline.missing-target", &step.place, message).help(TARGET));
            }
            None
        }
    }
}

const TARGET: &str = "add `target = \"models/my-model\"`: a directory, relative to the pipeline file";

fn release(
    scope: &Scope<'_>,
    index: usize,
    table: &StepTable,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) -> Option<String> {
    let step = scope.nodes[index].name;
    let gates: Vec<&str> = gates(scope).collect();
    let known = match gates.as_slice() {
        [] => "add a gate: `[signoff.release]` with `after` and `approvers`".to_string(),
        gates => format!("the gates are {}", list(gates)),
    };
    let Some(release) = &table.release else {
        if !table.broken {
            let message = format!("step `{}` pushes a model, but no gate releases it", step.value);
            let mistake = Mistake::new("pipeline.missing-release", &step.place, message);
            sink.push(mistake.help("add `release = \"GATE\"`: nothing goes live without a sign-off").help(known));
        }
        return None;
    };
    let gate = scope.find(release.text()).filter(|gate| matches!(scope.nodes[*gate].kind, NodeKind::Gate(_)));
    let Some(gate) = gate else {
        let what = if scope.find(release.text()).is_some() { "a step, no gate" } else { "no gate" };
        let message = format!("step `{}` is released by `{}`, which is {what}", step.value, release.value);
        let guess = nearest(release.text(), gates.iter().copied());
        sink.push(Mistake::new("pipeline.unknown-gate", &release.place, message).guess(guess).help(known));
        return None;
    };
    if edges.reach(gate, index) {
        let message = format!("gate `{}` comes after step `{}`, which it should release", release.value, step.value);
        let mistake = Mistake::new("pipeline.gate-too-late", &release.place, message);
        let says = edges.iter().find(|edge| edge.to == gate && edges.reach(edge.from, index));
        sink.push(match says {
            Some(edge) => mistake.also(&edge.place, "this makes the gate wait"),
            None => mistake,
        });
        return None;
    }
    // People must have been shown what is pushed: the gate comes after every step that the pushed artifacts come from.
    let pushed = table.inputs.iter().flat_map(|named| &named.0).filter_map(|(_, input)| match input {
        InputValue::Name(text) => scope.find(text.text().split('.').next().unwrap_or_default()),
        InputValue::History(_) => None,
    });
    let mut made = pushed.filter(|from| matches!(scope.nodes[*from].kind, NodeKind::Step(..)));
    if let Some(unseen) = made.find(|from| !edges.reach(gate, *from)) {
        let model = scope.nodes[unseen].name.text();
        let message = format!("gate `{}` does not come after `{model}`, which `{}` pushes", release.value, step.value);
        let mistake = Mistake::new("pipeline.gate-too-early", &release.place, message);
        let gate_place = &scope.nodes[gate].name.place;
        sink.push(
            mistake
                .also(gate_place, format!("add \"{model}\", or a step that needs it, to `after` here"))
                .help("people can only sign what is there when they look"),
        );
        return None;
    }
    edges.push(Edge { from: gate, to: index, place: release.place.clone() });
    Some(release.value.clone())
}

fn gates<'s>(scope: &'s Scope<'_>) -> impl Iterator<Item = &'s str> {
    let gates = scope.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Gate(_)));
    gates.map(|node| node.name.text())
}
