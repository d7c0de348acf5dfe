//! Two keys open a capability: the component asks for it, and the operator grants it.

use super::scope::Node;
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::shape::StepTable;
use countersign_model::component::{Capability, Description};
use std::collections::BTreeSet;

/// Capabilities that the host can give today.
const OFFERED: [Capability; 3] = [Capability::Query, Capability::Clock, Capability::Random];

/// What the step is granted: exactly what its component asks for.
pub(super) fn check(
    node: &Node<'_>,
    table: &StepTable,
    description: &Description,
    sink: &mut Sink<'_>,
) -> BTreeSet<Capability> {
    let (step, component) = (&node.name.value, &description.name);
    let mut granted = BTreeSet::new();
    let mut readable = true;
    for text in table.grant.iter().flatten() {
        let Ok(capability) = text.text().parse::<Capability>() else {
            readable = false;
            let message = format!("step `{step}` grants `{}`, which is no capability", text.value);
            let guess = nearest(text.text(), OFFERED.iter().map(|capability| capability.as_str()));
            let help = format!("the capabilities are {}", list(OFFERED.iter().map(|capability| capability.as_str())));
            sink.push(Mistake::new("pipeline.unknown-capability", &text.place, message).guess(guess).help(help));
            continue;
        };
        granted.insert(capability);
        if !OFFERED.contains(&capability) {
            let message = format!("step `{step}` grants `{capability}`, which this version does not offer yet");
            sink.push(Mistake::new("pipeline.capability-not-offered", &text.place, message));
        } else if !description.capabilities.contains(&capability) {
            let message = format!("step `{step}` grants `{capability}`, but `{component}` does not ask for it");
            let asks = match description.capabilities.is_empty() {
                true => "it asks for nothing".to_string(),
                false => format!("it asks for {}", list(description.capabilities.iter().map(|one| one.as_str()))),
            };
            let mistake = Mistake::new("pipeline.capability-not-asked", &text.place, message);
            sink.push(mistake.label("remove this").help(asks));
        }
    }
    let missing: Vec<&str> = description
        .capabilities
        .difference(&granted)
        .filter(|one| OFFERED.contains(one))
        .map(|one| one.as_str())
        .collect();
    if !missing.is_empty() && readable && !table.broken {
        let place = table.component.as_ref().map_or(&node.name.place, |component| &component.place);
        let message = format!("`{component}` in step `{step}` asks for {}, which is not granted", list(&missing));
        let all: Vec<String> = description.capabilities.iter().map(|one| format!("\"{one}\"")).collect();
        let help = format!("to allow it, write `grant = [{}]` in the step", all.join(", "));
        sink.push(Mistake::new("pipeline.capability-not-granted", place, message).help(help));
    }
    let not_offered = description.capabilities.iter().filter(|one| !OFFERED.contains(one) && !granted.contains(one));
    for capability in not_offered {
        let place = table.component.as_ref().map_or(&node.name.place, |component| &component.place);
        let message =
            format!("`{component}` in step `{step}` asks for `{capability}`, which this version does not offer yet");
        sink.push(Mistake::new("pipeline.capability-not-offered", place, message));
    }
    granted
}
