//! Where each input of a step comes from: another step, a source, or history.

use super::order::{Edge, Edges};
use super::scope::{NodeKind, Scope};
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{article, list, nearest};
use crate::place::Placed;
use crate::shape::{InputValue, StepTable};
use countersign_model::artifact::ArtifactKind;
use countersign_model::component::{Description, Port};
use countersign_model::pipeline::Input;
use countersign_model::resolver::Resolver;
use std::collections::BTreeMap;

/// Binds every input of step `index`.
pub(super) fn bind(
    scope: &Scope<'_>,
    index: usize,
    table: &StepTable,
    description: &Description,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) -> BTreeMap<String, Input> {
    let mut bound = BTreeMap::new();
    for (name, value) in table.inputs.iter().flat_map(|named| &named.0) {
        let Some(port) = description.input(name.text()) else {
            sink.push(unknown_port(scope, index, name, description));
            continue;
        };
        let wanted = Wanted { scope, step: index, port };
        let input = match value {
            InputValue::Name(text) => wanted.by_name(text, edges, sink),
            InputValue::History(history) => history.resolve.as_ref().and_then(|text| wanted.history(text, sink)),
        };
        bound.extend(input.map(|input| (port.name.clone(), input)));
    }
    if !table.broken {
        let given: Vec<&str> = table.inputs.iter().flat_map(|named| &named.0).map(|(name, _)| name.text()).collect();
        let missing = description.inputs.iter().filter(|port| !port.optional && !given.contains(&port.name.as_str()));
        for port in missing {
            sink.push(missing_input(scope, index, port));
        }
    }
    bound
}

fn unknown_port(scope: &Scope<'_>, index: usize, name: &Placed<String>, description: &Description) -> Mistake {
    let step = &scope.nodes[index].name.value;
    let component = &description.name;
    let message = format!("step `{step}` has no input `{}`: `{component}` does not read one", name.value);
    let mistake = Mistake::new("pipeline.unknown-port", &name.place, message);
    if name.text() == "release" {
        return mistake.help("a gate is no input: write `release = \"GATE\"` beside `inputs`");
    }
    let names: Vec<&str> = description.inputs.iter().map(|port| port.name.as_str()).collect();
    mistake.guess(nearest(name.text(), names.iter().copied())).help(format!("`{component}` reads {}", list(names)))
}

fn missing_input(scope: &Scope<'_>, index: usize, port: &Port) -> Mistake {
    let step = scope.nodes[index].name;
    let kind = port.kind.as_str();
    let message = format!("step `{}` needs the input `{}`, {}", step.value, port.name, article(kind));
    let mistake = Mistake::new("pipeline.missing-input", &step.place, message);
    let mistake = match scope.makers(kind, index).first() {
        Some(maker) => mistake.help(format!("add `{} = \"{maker}\"` to `inputs`", port.name)),
        None => mistake.help(nobody_makes(scope, kind)),
    };
    if port.description.is_empty() { mistake } else { mistake.help(format!("`{}`: {}", port.name, port.description)) }
}

fn nobody_makes(scope: &Scope<'_>, kind: &str) -> String {
    if kind == ArtifactKind::DELIVERY {
        return "add a source: `[source.NAME]` with a `path`".to_string();
    }
    match scope.components_making(kind).as_slice() {
        [] => format!("no step makes {}, and no component does", article(kind)),
        components => format!("no step makes {}; add one that runs {}", article(kind), list(components)),
    }
}

/// One port that wants an artifact.
struct Wanted<'a> {
    scope: &'a Scope<'a>,
    step: usize,
    port: &'a Port,
}

impl Wanted<'_> {
    fn step_name(&self) -> &str {
        self.scope.nodes[self.step].name.text()
    }

    /// `step`, `step.output` or `source`.
    fn by_name(&self, text: &Placed<String>, edges: &mut Edges, sink: &mut Sink<'_>) -> Option<Input> {
        let (name, output) = match text.text().split_once('.') {
            Some((name, output)) => (name, Some(output)),
            None => (text.text(), None),
        };
        if let Some(from) = self.scope.find(name) {
            edges.push(Edge { from, to: self.step, place: text.place.clone() });
            return self.output_of(from, output, text, sink);
        }
        if self.scope.sources.contains(&name) {
            if let Some(output) = output {
                let message = format!("source `{name}` has no output `{output}`: it delivers one thing");
                sink.push(Mistake::new("pipeline.unknown-output", &text.place, message).guess(Some(name)));
                return None;
            }
            if self.port.kind.as_str() != ArtifactKind::DELIVERY {
                sink.push(self.wrong_kind(text, &format!("source `{name}` delivers"), &[ArtifactKind::DELIVERY]));
                return None;
            }
            return Some(Input::Source { source: name.to_string() });
        }
        if !self.scope.partial {
            sink.push(self.unknown(text, name));
        }
        None
    }

    fn output_of(
        &self,
        from: usize,
        output: Option<&str>,
        text: &Placed<String>,
        sink: &mut Sink<'_>,
    ) -> Option<Input> {
        let node = &self.scope.nodes[from];
        let name = node.name.text();
        if let NodeKind::Gate(_) = node.kind {
            let message = format!("input `{}` of step `{}` names the gate `{name}`", self.port.name, self.step_name());
            let mistake =
                Mistake::new("pipeline.gate-as-input", &text.place, message).label("a gate makes no artifact");
            sink.push(mistake.help(format!("to wait for the gate, write `after = [\"{name}\"]`")));
            return None;
        }
        // An unknown component was reported already.
        let outputs = &node.description()?.outputs;
        let kind = &self.port.kind;
        let found = match output {
            Some(output) => match outputs.iter().find(|port| port.name == output) {
                Some(port) => vec![port],
                None => {
                    let names: Vec<&str> = outputs.iter().map(|port| port.name.as_str()).collect();
                    let mistake = Mistake::new(
                        "pipeline.unknown-output",
                        &text.place,
                        format!("step `{name}` has no output `{output}`"),
                    );
                    let guess = nearest(output, names.iter().copied()).map(|guess| format!("{name}.{guess}"));
                    sink.push(mistake.guess(guess.as_deref()).help(format!("its outputs are {}", list(names))));
                    return None;
                }
            },
            None => outputs.iter().collect(),
        };
        let fitting: Vec<&Port> = found.iter().copied().filter(|port| port.kind == *kind).collect();
        match fitting.as_slice() {
            [port] => Some(Input::Step { step: name.to_string(), output: port.name.clone() }),
            [] => {
                let made: Vec<&str> = found.iter().map(|port| port.kind.as_str()).collect();
                sink.push(self.wrong_kind(text, &format!("`{}` makes", text.value), &made));
                None
            }
            several => {
                let options = list(several.iter().map(|port| format!("{name}.{}", port.name)));
                let message = format!("step `{name}` makes several `{kind}`: say which one `{}` is", self.port.name);
                let mistake = Mistake::new("pipeline.ambiguous-output", &text.place, message);
                sink.push(mistake.help(format!("write one of {options}")));
                None
            }
        }
    }

    fn wrong_kind(&self, text: &Placed<String>, does: &str, made: &[&str]) -> Mistake {
        let wanted = self.port.kind.as_str();
        let made = match made {
            [] => "nothing".to_string(),
            [one] => article(one),
            several => list(several),
        };
        let (step, port) = (self.step_name(), &self.port.name);
        let message = format!("step `{step}` wants {} for `{port}`, but {does} {made}", article(wanted));
        let mistake = Mistake::new("pipeline.wrong-kind", &text.place, message);
        match self.scope.makers(wanted, self.step).as_slice() {
            [] => mistake.help(nobody_makes(self.scope, wanted)),
            [one] => mistake.label(format!("`{one}` makes one: did you mean that?")),
            several => mistake.label(format!("{} make one: did you mean one of them?", list(several))),
        }
    }

    fn unknown(&self, text: &Placed<String>, name: &str) -> Mistake {
        let (step, port) = (self.step_name(), &self.port.name);
        let message = format!("input `{port}` of step `{step}` names `{name}`, which is no step or source");
        let mistake = Mistake::new("pipeline.unknown-input", &text.place, message);
        if text.text().parse::<Resolver>().is_ok() {
            return mistake.help(format!("for history write `{port} = {{ resolve = \"{}\" }}`", text.value));
        }
        let wanted = self.port.kind.as_str();
        let makers = self.scope.makers(wanted, self.step);
        let known = self.scope.nodes.iter().map(|node| node.name.text()).chain(self.scope.sources.iter().copied());
        // A name that also fits the port is the better guess.
        let guess = nearest(name, makers.iter().map(String::as_str).chain(known));
        let mistake = mistake.guess(guess);
        match makers.as_slice() {
            [] => mistake.help(nobody_makes(self.scope, wanted)),
            makers => mistake.help(format!("`{port}` wants {}, which {} can give", article(wanted), list(makers))),
        }
    }

    fn history(&self, text: &Placed<String>, sink: &mut Sink<'_>) -> Option<Input> {
        const KNOWN: [&str; 5] =
            ["latest approved model", "latest pushed model", "previous statistics", "previous schema", "last 7 spans"];
        let (step, port) = (self.step_name(), &self.port.name);
        let Ok(resolver) = text.text().parse::<Resolver>() else {
            let message = format!("input `{port}` of step `{step}` asks history for `{}`", text.value);
            let mistake = Mistake::new("pipeline.bad-resolver", &text.place, message);
            let help = "history knows `latest approved model`, `latest pushed model`, `previous <kind>` such as \
                        `previous statistics`, and `last <n> spans` with n from 1 to 1000";
            sink.push(mistake.guess(nearest(text.text(), KNOWN)).help(help));
            return None;
        };
        if resolver.kind() != self.port.kind {
            let (wanted, found) = (article(self.port.kind.as_str()), article(resolver.kind().as_str()));
            let message = format!("step `{step}` wants {wanted} for `{port}`, but `{resolver}` finds {found}");
            let help = match self.port.kind.as_str() {
                ArtifactKind::MODEL => "`latest approved model` and `latest pushed model` find one".to_string(),
                _ => format!("`{}` finds one", Resolver::Previous(self.port.kind.clone())),
            };
            sink.push(Mistake::new("pipeline.wrong-kind", &text.place, message).help(help));
            return None;
        }
        if resolver.finds_many() && !self.port.many {
            let message = format!("`{resolver}` may find several, but `{port}` of step `{step}` takes one");
            let mistake = Mistake::new("pipeline.resolver-finds-many", &text.place, message);
            let one = Resolver::Previous(resolver.kind());
            sink.push(mistake.help(format!("for one alone name a step, or write `{one}`")));
            return None;
        }
        Some(Input::Resolve { resolver })
    }
}
