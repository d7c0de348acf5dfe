//! The shape of a pipeline file to a sound pipeline: every name exists, every kind fits, nothing goes round in a circle,
//! and nothing is pushed without a gate. One file a topic; each reports all it can.

pub(crate) mod approvers;
mod capabilities;
mod findings;
mod inputs;
mod order;
mod parameters;
mod push;
mod scope;
mod signoff;
mod source;
mod trigger;

use crate::diagnostics::{Mistake, Sink};
use crate::nearest::list;
use crate::place::Placed;
use crate::shape::{LimitsTable, PipelineFile, RetryTable, StepTable};
use countersign_model::component::{Description, Limits};
use countersign_model::digest::Digest;
use countersign_model::pipeline::{ComponentStep, Pipeline, Retry, Step, Work};
use order::{Edge, Edges};
use scope::{Node, NodeKind, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) use scope::is_name;
pub(crate) use source::absolute;

/// The components that pipelines may name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Each component's description and the digest of its file, by name.
    pub components: BTreeMap<String, (Description, Digest)>,
}

/// Says what is wrong with a cron expression of five fields.
pub type CronCheck<'a> = dyn Fn(&str) -> Result<(), String> + 'a;

/// Checks the whole file; nothing when there is a mistake.
pub(crate) fn pipeline(
    file: &PipelineFile,
    base_dir: &Path,
    catalogue: &Catalogue,
    check_cron: &CronCheck<'_>,
    sink: &mut Sink<'_>,
) -> Option<Pipeline> {
    let scope = Scope::new(file, catalogue, sink)?;
    let trigger = trigger::trigger(file, &scope, check_cron, sink);
    let sources = source::sources(file, base_dir, sink);
    let mut edges = Edges::new(scope.nodes.len());
    let works: Vec<Option<Work>> = scope
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| match &node.kind {
            NodeKind::Gate(table) => Some(Work::Signoff(signoff::policy(&scope, index, table, &mut edges, sink))),
            NodeKind::Step(table, component) => {
                after(&scope, index, "step", table.after.as_deref(), &mut edges, sink);
                let (description, digest) = (*component)?;
                let step = component_step(&scope, index, table, description, digest, &mut edges, sink);
                Some(Work::Component(step))
            }
        })
        .collect();
    let targets = push::check(&scope, base_dir, &mut edges, sink);
    let order = order::sort(&scope, &edges, sink)?;
    if sink.count() > 0 {
        return None;
    }
    let mut works = works;
    let steps = order.into_iter().filter_map(|index| {
        let mut work = works[index].take()?;
        if let (Work::Component(step), Some((release, target))) = (&mut work, targets.get(&index)) {
            step.release = Some(release.clone());
            step.target = Some(target.clone());
        }
        let needs = edges.of(index).iter().map(|from| scope.nodes[*from].name.value.clone());
        Some(Step { name: scope.nodes[index].name.value.clone(), work, after: needs.collect() })
    });
    Some(Pipeline {
        name: file.name.as_ref()?.value.clone(),
        description: file.description.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
        trigger,
        sources,
        steps: steps.collect(),
    })
}

fn component_step(
    scope: &Scope<'_>,
    index: usize,
    table: &StepTable,
    description: &Description,
    digest: &Digest,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) -> ComponentStep {
    let node = &scope.nodes[index];
    ComponentStep {
        component: description.name.clone(),
        component_digest: *digest,
        inputs: inputs::bind(scope, index, table, description, edges, sink),
        parameters: parameters::check(node, table, description, sink),
        grant: capabilities::check(node, table, description, sink),
        limits: table.limits.as_ref().map(limits).unwrap_or_default(),
        retry: table.retry.as_ref().map(|table| retry(node, table, sink)).unwrap_or_default(),
        on: findings::policy(node, table, sink),
        cache: table.cache.as_ref().is_none_or(|cache| cache.value),
        release: None,
        target: None,
    }
}

/// Ranges were checked when the table was read; what is not named keeps its default.
fn limits(table: &LimitsTable) -> Limits {
    let defaults = Limits::default();
    let or = |given: &Option<Placed<u64>>, default: u64| given.as_ref().map_or(default, |limit| limit.value);
    Limits {
        memory_mib: or(&table.memory_mib, defaults.memory_mib),
        time_seconds: or(&table.time_seconds, defaults.time_seconds),
        output_mib: or(&table.output_mib, defaults.output_mib),
        log_kib: or(&table.log_kib, defaults.log_kib),
        instances: or(&table.instances, defaults.instances.into()).try_into().unwrap_or(u32::MAX),
        table_elements: or(&table.table_elements, defaults.table_elements),
    }
}

/// A first pause that is longer than the usual longest one is the longest.
fn retry(node: &Node<'_>, table: &RetryTable, sink: &mut Sink<'_>) -> Retry {
    let defaults = Retry::default();
    let pause_seconds = table.pause_seconds.as_ref().map_or(defaults.pause_seconds, |pause| pause.value);
    if let Some(longest) = table.longest_pause_seconds.as_ref().filter(|longest| longest.value < pause_seconds) {
        let name = &node.name.value;
        let message =
            format!("`retry` of step `{name}`: its longest pause is shorter than the first, {pause_seconds} s");
        let help = "the pause doubles from `pause_seconds` up to `longest_pause_seconds`";
        sink.push(Mistake::new("pipeline.bad-retry", &longest.place, message).help(help));
    }
    let longest = table.longest_pause_seconds.as_ref().map(|longest| longest.value);
    Retry {
        attempts: table.attempts.as_ref().map_or(defaults.attempts, |n| n.value.try_into().unwrap_or(u32::MAX)),
        pause_seconds,
        longest_pause_seconds: longest.unwrap_or_else(|| defaults.longest_pause_seconds.max(pause_seconds)),
    }
}

/// The names of an `after` list, as edges.
fn after(
    scope: &Scope<'_>,
    index: usize,
    what: &str,
    names: Option<&[Placed<String>]>,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) {
    let Node { name, .. } = &scope.nodes[index];
    let mut seen = BTreeSet::new();
    for other in names.unwrap_or_default().iter().filter(|other| seen.insert(other.text())) {
        match scope.find(other.text()) {
            Some(from) => edges.push(Edge { from, to: index, place: other.place.clone() }),
            None if scope.partial => {}
            None => {
                let known = scope.nodes.iter().map(|node| node.name.text()).filter(|known| *known != name.text());
                let known: Vec<&str> = known.collect();
                let message = format!("{what} `{}` comes after `{}`, which is no step", name.value, other.value);
                let guess = crate::nearest::nearest(other.text(), known.iter().copied());
                let help = format!("the other steps and gates are {}", list(&known));
                sink.push(Mistake::new("pipeline.unknown-step", &other.place, message).guess(guess).help(help));
            }
        }
    }
}
