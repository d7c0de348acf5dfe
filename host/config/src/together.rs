//! What only shows when all pipelines and the settings are looked at together: names that nobody answers to, and circles.

use crate::nearest::{list, nearest};
use crate::settings::Settings;
use countersign_model::pipeline::Pipeline;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One sentence for each name that two pipelines share, each hook that the settings do not have, each pipeline that another
/// waits for and that is not among these, and each circle of pipelines that start one another.
pub fn disagreements<'p>(settings: &Settings, pipelines: impl IntoIterator<Item = &'p Pipeline>) -> Vec<String> {
    let mut all: BTreeMap<&str, Vec<&Pipeline>> = BTreeMap::new();
    for pipeline in pipelines {
        all.entry(&pipeline.name).or_default().push(pipeline);
    }
    let mut found = Vec::new();
    for (name, twins) in &all {
        if twins.len() > 1 {
            found.push(format!("{} pipelines are named `{name}`", twins.len()));
        }
    }
    for pipeline in all.values().flatten() {
        let (name, trigger) = (&pipeline.name, &pipeline.trigger);
        for hook in trigger.http.iter().filter(|hook| !settings.hooks.contains_key(*hook)) {
            let known = settings.hooks.keys().map(String::as_str);
            let told = told(hook, known, "add `[hooks.…]` to countersign.toml", "the hooks are");
            found.push(format!("pipeline `{name}` starts by the hook `{hook}`, which the settings do not have{told}"));
        }
        for before in trigger.after.iter().filter(|before| !all.contains_key(before.as_str())) {
            let known = all.keys().copied().filter(|known| known != name);
            let told = told(before, known, "add its file to `pipelines` in countersign.toml", "the others are");
            found.push(format!("pipeline `{name}` starts after a push of `{before}`, which is no pipeline here{told}"));
        }
    }
    found.extend(circles(&all));
    found
}

/// Pipelines whose pushes start one another for ever, each circle once.
fn circles(all: &BTreeMap<&str, Vec<&Pipeline>>) -> Vec<String> {
    let before = |name: &str| all.get(name).into_iter().flatten().flat_map(|pipeline| &pipeline.trigger.after);
    let mut found = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in all.keys().copied() {
        // From each name that was reached, the one that is started by it: the way back to `start`.
        let mut starts: BTreeMap<&str, &str> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(name) = next.pop_front() {
            for earlier in before(name).map(String::as_str) {
                if !starts.contains_key(earlier) {
                    starts.insert(earlier, name);
                    next.push_back(earlier);
                }
            }
        }
        if told.contains(start) || !starts.contains_key(start) {
            continue;
        }
        let mut circle = vec![start];
        while let Some(name) = circle.last().and_then(|last| starts.get(last)).filter(|name| **name != start) {
            circle.push(name);
        }
        told.extend(&circle);
        circle.push(start);
        let way: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
        found.push(format!("pipelines start one another in a circle: a push of {}", way.join(" starts ")));
    }
    found
}

/// A guess, or what there is.
fn told<'n>(wanted: &str, known: impl Iterator<Item = &'n str>, none: &str, some: &str) -> String {
    let known: Vec<&str> = known.collect();
    match (nearest(wanted, known.iter().copied()), known.as_slice()) {
        (Some(guess), _) => format!(" (did you mean `{guess}`?)"),
        (None, []) => format!(": {none}"),
        (None, known) => format!(": {some} {}", list(known)),
    }
}
