//! A pipeline drawn: as text for a terminal, as DOT for Graphviz, as Mermaid for Markdown.

use countersign_model::pipeline::{ComponentStep, Input, Pipeline, Step, Work};
use std::collections::BTreeSet;

/// Aligned lines: what each step needs, what it is, what it runs.
pub fn text(pipeline: &Pipeline) -> String {
    let mut lines = vec![("·".to_string(), pipeline.name.clone(), start(pipeline))];
    for (name, source) in &pipeline.sources {
        lines.push(("⇣".to_string(), name.clone(), source.path.clone()));
    }
    for step in &pipeline.steps {
        let sign = if matches!(step.work, Work::Signoff(_)) { "◆" } else { "▸" };
        lines.push((sign.to_string(), step.name.clone(), describe(step)));
    }
    let width = lines.iter().map(|(_, name, _)| name.chars().count()).max().unwrap_or(0);
    lines
        .iter()
        .map(|(sign, name, rest)| format!("{sign} {name:<width$}  {rest}").trim_end().to_string() + "\n")
        .collect()
}

fn start(pipeline: &Pipeline) -> String {
    let trigger = &pipeline.trigger;
    let mut starts = Vec::new();
    if let Some(cron) = &trigger.cron {
        starts.push(format!("at {cron} ({})", trigger.timezone));
    }
    if !trigger.arrival.is_empty() {
        starts.push(format!("when {} arrive", trigger.arrival.join(", ")));
    }
    if !trigger.http.is_empty() {
        starts.push(format!("when {} is asked over HTTP", trigger.http.join(", ")));
    }
    if !trigger.after.is_empty() {
        starts.push(format!("after a push of {}", trigger.after.join(", ")));
    }
    if starts.is_empty() { "starts when a person asks".to_string() } else { format!("starts {}", starts.join(" or ")) }
}

fn describe(step: &Step) -> String {
    match &step.work {
        Work::Signoff(policy) => {
            let wanted: Vec<String> =
                policy.approvers.iter().map(|quorum| format!("{} × {}", quorum.count, quorum.role)).collect();
            format!("{} → waits for {}", join(step.after.iter().map(String::as_str)), wanted.join(", "))
        }
        Work::Component(work) => {
            let inputs: Vec<String> = work.inputs.iter().map(|(port, input)| origin(port, input)).collect();
            let from = if inputs.is_empty() { String::new() } else { format!("{} → ", inputs.join(", ")) };
            let gate = work.release.iter().map(|gate| format!("  released by {gate}"));
            let target = work.target.iter().map(|target| format!("  to {target}"));
            let waits = waits(step, work);
            let after = (!waits.is_empty()).then(|| format!("  after {}", waits.join(", ")));
            format!("{from}[{}]{}", work.component, after.into_iter().chain(gate).chain(target).collect::<String>())
        }
    }
}

/// What a step waits for beside its inputs and its gate.
fn waits<'p>(step: &'p Step, work: &ComponentStep) -> Vec<&'p str> {
    let reads =
        |name: &String| work.inputs.values().any(|input| matches!(input, Input::Step { step, .. } if step == name));
    let names = step.after.iter().filter(|name| !reads(name) && work.release.as_ref() != Some(*name));
    names.map(String::as_str).collect()
}

/// `schema`, or `port ← …` where the names differ.
fn origin(port: &str, input: &Input) -> String {
    let from = match input {
        Input::Step { step, output } if step == output || step == port => step.clone(),
        Input::Step { step, output } => format!("{step}.{output}"),
        Input::Source { source } => source.clone(),
        Input::Resolve { resolver } => format!("({resolver})"),
    };
    if from == port { from } else { format!("{port} ← {from}") }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// One arrow: from, to, its caption, and whether it carries no artifact of this run.
type Arrow = (String, String, String, bool);

/// Arrows and the extra nodes that stand for history.
fn arrows(pipeline: &Pipeline) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    for step in &pipeline.steps {
        let mut drawn = BTreeSet::new();
        if let Work::Component(work) = &step.work {
            for (port, input) in &work.inputs {
                let (from, history) = match input {
                    Input::Step { step, .. } => (step.clone(), false),
                    Input::Source { source } => (source.clone(), false),
                    Input::Resolve { resolver } => (resolver.to_string(), true),
                };
                drawn.insert(from.clone());
                arrows.push((from, step.name.clone(), port.clone(), history));
            }
        }
        for before in step.after.iter().filter(|before| !drawn.contains(*before)) {
            arrows.push((before.clone(), step.name.clone(), String::new(), true));
        }
    }
    arrows
}

fn histories(pipeline: &Pipeline) -> BTreeSet<String> {
    let works = pipeline.steps.iter().filter_map(|step| match &step.work {
        Work::Component(work) => Some(work),
        Work::Signoff(_) => None,
    });
    let inputs = works.flat_map(|work| work.inputs.values());
    inputs
        .filter_map(|input| match input {
            Input::Resolve { resolver } => Some(resolver.to_string()),
            Input::Step { .. } | Input::Source { .. } => None,
        })
        .collect()
}

/// A Graphviz digraph.
pub fn dot(pipeline: &Pipeline) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", quoted(&pipeline.name));
    for name in pipeline.sources.keys() {
        out += &format!("  {} [shape=cylinder];\n", quoted(name));
    }
    for name in histories(pipeline) {
        out += &format!("  {} [shape=note];\n", quoted(&name));
    }
    for step in &pipeline.steps {
        let shape = if matches!(step.work, Work::Signoff(_)) { " [shape=octagon]" } else { "" };
        out += &format!("  {}{shape};\n", quoted(&step.name));
    }
    for (from, to, caption, dashed) in arrows(pipeline) {
        let style = if dashed { ", style=dashed" } else { "" };
        out += &format!("  {} -> {} [label={}{style}];\n", quoted(&from), quoted(&to), quoted(&caption));
    }
    out + "}\n"
}

/// A Mermaid flowchart.
pub fn mermaid(pipeline: &Pipeline) -> String {
    // Node names are made up: a step called `end` is a keyword in Mermaid.
    let nodes: Vec<String> = pipeline
        .sources
        .keys()
        .cloned()
        .chain(histories(pipeline))
        .chain(pipeline.steps.iter().map(|step| step.name.clone()))
        .collect();
    let id = |name: &str| nodes.iter().position(|node| node == name).map_or_else(String::new, |at| format!("n{at}"));
    let mut out = "flowchart LR\n".to_string();
    for name in pipeline.sources.keys() {
        out += &format!("  {}[({})]\n", id(name), escaped(name));
    }
    for name in histories(pipeline) {
        out += &format!("  {}>{}]\n", id(&name), escaped(&name));
    }
    for step in &pipeline.steps {
        let name = escaped(&step.name);
        match step.work {
            Work::Signoff(_) => out += &format!("  {}{{{{{name}}}}}\n", id(&step.name)),
            Work::Component(_) => out += &format!("  {}[{name}]\n", id(&step.name)),
        }
    }
    for (from, to, caption, dashed) in arrows(pipeline) {
        let arrow = if dashed { "-.->" } else { "-->" };
        let caption = if caption.is_empty() { String::new() } else { format!("|{}|", escaped(&caption)) };
        out += &format!("  {} {arrow}{caption} {}\n", id(&from), id(&to));
    }
    out
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "#quot;"))
}
