//! The demo pipeline is sound, survives a round trip, draws well, and no mutation of it makes the reader panic.

mod support;

use countersign_config::graph;
use countersign_model::component::{Capability, Limits};
use countersign_model::finding::Severity;
use countersign_model::pipeline::{ComponentStep, Input, Pipeline, Work};
use proptest::prelude::*;
use std::collections::BTreeSet;
use support::{DEMO, read};

fn demo() -> Pipeline {
    read(DEMO).unwrap_or_else(|found| panic!("{found}"))
}

fn component<'p>(pipeline: &'p Pipeline, step: &str) -> &'p ComponentStep {
    match &pipeline.step(step).unwrap().work {
        Work::Component(work) => work,
        Work::Signoff(_) => panic!("{step} is a gate"),
    }
}

#[test]
fn the_demo_says_what_it_should() {
    let demo = demo();
    let names: Vec<&str> = demo.steps.iter().map(|step| step.name.as_str()).collect();
    let order = [
        "examples",
        "statistics",
        "schema",
        "validation",
        "transform",
        "model",
        "evaluation",
        "difficulty",
        "release",
        "push",
    ];
    assert_eq!(names, order);
    assert_eq!(demo.sources["trips"].path, "/srv/taxi/incoming/trips-{SPAN}.csv");
    assert_eq!(component(&demo, "push").target.as_deref(), Some("/srv/taxi/models/taxi-tips"));
    assert_eq!(component(&demo, "push").release.as_deref(), Some("release"));
    let after = |step: &str| demo.step(step).unwrap().after.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(after("push"), ["model", "release"]);
    assert_eq!(after("transform"), ["examples", "schema", "statistics", "validation"]);
    let checkpoints = Input::Step { step: "model".into(), output: "checkpoints".into() };
    assert_eq!(component(&demo, "difficulty").inputs["checkpoints"], checkpoints);
    let model = component(&demo, "model");
    assert_eq!(model.limits, Limits { memory_mib: 2048, time_seconds: 1800, ..Limits::default() });
    assert_eq!(model.grant, BTreeSet::from([Capability::Query]));
    assert!(model.cache);
    assert_eq!(component(&demo, "validation").on.0["drift"], Severity::Block);
    assert_eq!(component(&demo, "evaluation").parameters["rules"][1]["max_decrease_absolute"], 0.01);
}

#[test]
fn a_pipeline_reads_back_from_its_record() {
    let demo = demo();
    let text = serde_json::to_string(&demo).unwrap();
    assert_eq!(serde_json::from_str::<Pipeline>(&text).unwrap(), demo);
}

#[test]
fn the_order_of_tables_is_free_and_stable() {
    // Tables in another order, the first lines in their place: every step still comes after what it needs.
    let (head, tables) = DEMO.split_at(DEMO.find("[trigger]").unwrap());
    let mut parts: Vec<String> = Vec::new();
    for line in tables.lines() {
        if line.starts_with('[') {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.push_str(line);
        part.push('\n');
    }
    parts.reverse();
    let turned = read(&format!("{head}{}", parts.concat())).unwrap_or_else(|found| panic!("{found}"));
    let mut done = BTreeSet::new();
    for step in &turned.steps {
        assert!(step.after.iter().all(|before| done.contains(before)), "{} comes too early", step.name);
        done.insert(step.name.clone());
    }
    let mut sorted = turned.clone();
    sorted.steps.sort_by_key(|step| demo().steps.iter().position(|other| other.name == step.name));
    assert_eq!(sorted, demo());
}

#[test]
fn short_and_long_forms_mean_the_same() {
    let long = DEMO.replace("checkpoints = \"model\"", "checkpoints = \"model.checkpoints\"");
    assert_ne!(long, DEMO);
    assert_eq!(read(&long).unwrap(), demo());
}

#[test]
fn a_push_may_wait_for_steps_that_the_gate_does_not_show() {
    let notice =
        "\n[step.notice]\ncomponent = \"statistics\"\ninputs = { examples = \"examples\" }\ngrant = [\"query\"]\n";
    let text = DEMO.replace("release = \"release\"\n", "release = \"release\"\nafter = [\"notice\"]\n") + notice;
    let pipeline = read(&text).unwrap_or_else(|found| panic!("{found}"));
    let after: Vec<&str> = pipeline.step("push").unwrap().after.iter().map(String::as_str).collect();
    assert_eq!(after, ["model", "notice", "release"]);
}

#[test]
fn two_spellings_of_a_target_are_one() {
    let other = DEMO.replace("\"models/taxi-tips\"", "\"./old/../models/taxi-tips/\"");
    assert_ne!(other, DEMO);
    assert_eq!(read(&other).unwrap(), demo());
}

#[test]
fn the_graph_is_drawn_in_three_ways() {
    let demo = demo();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("graph_text", graph::text(&demo));
        insta::assert_snapshot!("graph_dot", graph::dot(&demo));
        insta::assert_snapshot!("graph_mermaid", graph::mermaid(&demo));
    });
}

/// Cuts, doubles or replaces a stretch of bytes, and reads what is left as text.
fn mutated(edits: &[(usize, usize, u8, Vec<u8>)]) -> String {
    let mut bytes = DEMO.as_bytes().to_vec();
    for (at, length, what, noise) in edits {
        let at = at % (bytes.len() + 1);
        let end = (at + length).min(bytes.len());
        let piece = bytes[at..end].to_vec();
        match what % 3 {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, piece)),
            _ => drop(bytes.splice(at..end, noise.iter().copied())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_panics_and_every_mistake_has_a_place_in_the_text(
        edits in prop::collection::vec((any::<usize>(), 0usize..60, any::<u8>(), prop::collection::vec(any::<u8>(), 0..12)), 1..4)
    ) {
        let text = mutated(&edits);
        if let Err(found) = read(&text) {
            prop_assert!(!found.diagnostics.is_empty());
            prop_assert!(!found.render(true).is_empty());
            for span in found.diagnostics.iter().filter_map(|one| one.span.as_ref()) {
                prop_assert!(text.get(span.start..span.end).is_some());
            }
        }
    }

    #[test]
    fn swapping_any_word_for_another_never_panics(from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let words: Vec<&str> = DEMO.split(['"', ' ', '=', '[', ']', '.', '\n']).filter(|word| !word.is_empty()).collect();
        let text = DEMO.replace(words[from.index(words.len())], words[to.index(words.len())]);
        if let Err(found) = read(&text) {
            prop_assert!(!found.to_string().is_empty());
        }
    }
}
