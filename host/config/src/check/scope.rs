//! What the names of a pipeline mean: steps, gates, sources, components.

use super::Catalogue;
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::place::Placed;
use crate::shape::{PipelineFile, SignoffTable, StepTable};
use countersign_model::component::Description;
use countersign_model::digest::Digest;
use std::collections::BTreeMap;

/// More steps than anybody reads; a bound on the work that a hostile file can cause.
const MAX_STEPS: usize = 1000;
/// A name is part of file paths and of messages.
const MAX_NAME: usize = 64;

/// A step or a gate.
#[derive(Debug)]
pub(super) struct Node<'f> {
    pub name: &'f Placed<String>,
    pub kind: NodeKind<'f>,
}

#[derive(Debug)]
pub(super) enum NodeKind<'f> {
    /// With its component, unless the catalogue has none of that name.
    Step(&'f StepTable, Option<(&'f Description, &'f Digest)>),
    Gate(&'f SignoffTable),
}

impl<'f> Node<'f> {
    /// A step's component.
    pub fn description(&self) -> Option<&'f Description> {
        match &self.kind {
            NodeKind::Step(_, component) => component.map(|(description, _)| description),
            NodeKind::Gate(_) => None,
        }
    }
}

/// Every name and what it stands for.
#[derive(Debug)]
pub(super) struct Scope<'f> {
    /// Steps and gates in the order of the file.
    pub nodes: Vec<Node<'f>>,
    pub sources: Vec<&'f str>,
    pub catalogue: &'f Catalogue,
    /// Whether tables could not be read, so that an unknown name is no news.
    pub partial: bool,
    by_name: BTreeMap<&'f str, usize>,
}

impl<'f> Scope<'f> {
    /// Looks at every name. Nothing when there is nothing to check further.
    pub fn new(file: &'f PipelineFile, catalogue: &'f Catalogue, sink: &mut Sink<'_>) -> Option<Self> {
        let steps = file.step.iter().flat_map(|named| &named.0);
        let gates = file.signoff.iter().flat_map(|named| &named.0);
        let mut nodes: Vec<Node<'f>> = steps
            .map(|(name, table)| Node { name, kind: NodeKind::Step(table, component(name, table, catalogue, sink)) })
            .collect();
        nodes.extend(gates.map(|(name, table)| Node { name, kind: NodeKind::Gate(table) }));
        nodes.sort_by_key(|node| node.name.place.start);
        if let Some(node) = nodes.get(MAX_STEPS) {
            let message = format!("a pipeline has at most {MAX_STEPS} steps and gates, not {}", nodes.len());
            sink.push(Mistake::new("pipeline.too-many-steps", &node.name.place, message));
            return None;
        }
        if nodes.is_empty() && sink.count() == 0 {
            let mistake = Mistake::new("pipeline.no-steps", &(0..0), "this pipeline has no step");
            sink.push(mistake.help("add a table such as `[step.examples]` with a `component`"));
        }
        if let Some(name) = &file.name {
            check_name("pipeline", name, false, sink);
        }
        let sources = file.source.iter().flat_map(|named| named.0.iter().map(|(name, _)| name));
        let mut first: BTreeMap<&str, (&Placed<String>, &str)> = BTreeMap::new();
        let all = nodes.iter().map(|node| (node.name, node.what())).chain(sources.clone().map(|name| (name, "source")));
        for (name, what) in all {
            check_name(what, name, true, sink);
            if let Some((other, kind)) = first.insert(name.text(), (name, what)) {
                let message = format!("`{}` names a {kind} and a {what}", name.value);
                let mistake = Mistake::new("pipeline.duplicate-name", &name.place, message);
                sink.push(mistake.also(&other.place, "first here").help("steps, gates and sources share their names"));
            }
        }
        let by_name = nodes.iter().enumerate().map(|(index, node)| (node.name.text(), index)).collect();
        let sources = sources.map(Placed::text).collect();
        Some(Self { nodes, sources, catalogue, partial: file.partial, by_name })
    }

    /// The step or gate of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Names that an input may use for an artifact of that kind, other than from step `except`.
    pub fn makers(&self, kind: &str, except: usize) -> Vec<String> {
        use countersign_model::artifact::ArtifactKind;
        if kind == ArtifactKind::DELIVERY {
            return self.sources.iter().map(ToString::to_string).collect();
        }
        let mut makers = Vec::new();
        for (_, node) in self.nodes.iter().enumerate().filter(|(index, _)| *index != except) {
            let outputs = node.description().map_or(&[][..], |description| &description.outputs);
            let fitting: Vec<_> = outputs.iter().filter(|port| port.kind.as_str() == kind).collect();
            match fitting.as_slice() {
                [] => {}
                [_] => makers.push(node.name.value.clone()),
                several => makers.extend(several.iter().map(|port| format!("{}.{}", node.name.value, port.name))),
            }
        }
        makers
    }

    /// Components that make an artifact of that kind.
    pub fn components_making(&self, kind: &str) -> Vec<&str> {
        let makes = |description: &Description| description.outputs.iter().any(|port| port.kind.as_str() == kind);
        let fitting = self.catalogue.components.iter().filter(|(_, (description, _))| makes(description));
        fitting.map(|(name, _)| name.as_str()).collect()
    }
}

impl Node<'_> {
    /// As messages call it.
    pub fn what(&self) -> &'static str {
        match self.kind {
            NodeKind::Step(..) => "step",
            NodeKind::Gate(_) => "sign-off",
        }
    }
}

fn component<'f>(
    step: &Placed<String>,
    table: &StepTable,
    catalogue: &'f Catalogue,
    sink: &mut Sink<'_>,
) -> Option<(&'f Description, &'f Digest)> {
    let wanted = table.component.as_ref()?;
    if let Some((description, digest)) = catalogue.components.get(wanted.text()) {
        return Some((description, digest));
    }
    let message = format!("step `{}` runs `{}`, which is no component", step.value, wanted.value);
    let guess = nearest(wanted.text(), catalogue.components.keys().map(String::as_str));
    let mistake = Mistake::new("pipeline.unknown-component", &wanted.place, message).guess(guess);
    sink.push(mistake.help(format!("the components are {}", list(catalogue.components.keys()))));
    None
}

/// Whether a text can be a name: of a pipeline, or with `underscore` of what stands in one.
pub(crate) fn is_name(text: &str, underscore: bool) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (underscore && c == '_');
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fits) && text.len() <= MAX_NAME
}

fn check_name(what: &str, name: &Placed<String>, underscore: bool, sink: &mut Sink<'_>) {
    let text = name.text();
    if is_name(text, underscore) {
        return;
    }
    let shown: String = text.chars().take(MAX_NAME).collect();
    let signs = if underscore { "`-` and `_`" } else { "and `-`" };
    let help = format!(
        "use lower-case letters, digits{} {signs}, a letter first, at most {MAX_NAME} characters",
        if underscore { "," } else { "" }
    );
    let mistake = Mistake::new("pipeline.bad-name", &name.place, format!("`{shown}` can not name a {what}"));
    let folded = text.to_lowercase().replace([' ', '.'], "-");
    let guess = Some(folded.as_str()).filter(|folded| is_name(folded, underscore) && *folded != text);
    sink.push(mistake.guess(guess).help(help));
}
