//! What findings mean at a step.

use super::scope::Node;
use crate::diagnostics::{Mistake, Sink};
use crate::place::Placed;
use crate::shape::StepTable;
use countersign_model::finding::{FindingPolicy, Severity};
use std::collections::BTreeMap;

/// The `on` table.
pub(super) fn policy(node: &Node<'_>, table: &StepTable, sink: &mut Sink<'_>) -> FindingPolicy {
    let mut policy = FindingPolicy::default();
    let Some(on) = &table.on else { return policy };
    let lists = [
        (&on.block, Severity::Block),
        (&on.ask, Severity::Ask),
        (&on.warn, Severity::Warn),
        (&on.info, Severity::Info),
    ];
    let mut first: BTreeMap<&str, &Placed<String>> = BTreeMap::new();
    for (kinds, severity) in lists {
        for kind in kinds.iter().flatten() {
            if kind.text().trim() != kind.text() || kind.text().is_empty() {
                let message = format!("`on` of step `{}` has an empty kind, or spaces around one", node.name.value);
                sink.push(Mistake::new("pipeline.bad-finding-kind", &kind.place, message));
            } else if let Some(earlier) = first.insert(kind.text(), kind) {
                let message = format!("`on` of step `{}` names `{}` twice", node.name.value, kind.value);
                let mistake = Mistake::new("pipeline.duplicate-finding-kind", &kind.place, message);
                sink.push(mistake.also(&earlier.place, "first here").help("a kind of finding means one thing"));
            } else {
                policy.0.insert(kind.value.clone(), severity);
            }
        }
    }
    policy
}
