//! A failed check, and the people who may let the model go all the same.

use crate::world::{World, finding, policy, quorum, step, versioned, work};
use countersign_model::decision::{Channel, DecisionKind, RequestState};
use countersign_model::evidence::Evidence;
use countersign_model::finding::{Severity, Verdict};
use countersign_model::pipeline::{Input, PipelineVersion, Step, Work};
use countersign_model::policy::{Overriding, Refusal, SignoffPolicy};
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::DecideError;
use serde_json::json;

fn overridable() -> SignoffPolicy {
    SignoffPolicy {
        overriding: Some(Overriding { approvers: vec![quorum("owner", 2)], on: [Channel::Page].into() }),
        ..policy()
    }
}

fn failing() -> World {
    let world = World::new();
    *world.runner.findings.lock().unwrap() = vec![finding(Severity::Block)];
    world
}

/// The pipeline with a step that needs the evaluation; `edit` rearranges the rest.
fn longer(world: &World, policy: SignoffPolicy, edit: impl Fn(&mut Vec<Step>)) -> PipelineVersion {
    let mut steps = world.version(1, policy).pipeline.steps;
    let evaluation = Input::Step { step: "evaluate".to_string(), output: "evaluation".to_string() };
    let note =
        step("note", Work::Component(work("after evaluate", [("evaluation", evaluation)], json!({}))), &["evaluate"]);
    steps.insert(3, note);
    edit(&mut steps);
    versioned(steps)
}

fn named<'a>(steps: &'a mut [Step], name: &str) -> &'a mut Step {
    steps.iter_mut().find(|step| step.name == name).unwrap()
}

#[tokio::test]
async fn without_anybody_who_may_override_a_failed_check_ends_the_run() {
    let world = failing();
    let run = world.run(&world.version(1, policy())).await;
    assert!(
        matches!(world.state(&run).await, RunState::Ended { end: RunEnd::Blocked { step, .. } } if step == "evaluate")
    );
    assert!(world.request_states().await.is_empty());
}

#[tokio::test]
async fn only_an_override_by_enough_people_lets_it_pass_and_it_shows_for_ever() {
    let world = failing();
    let version = longer(&world, overridable(), |steps| {
        named(steps, "release").after.insert("note".to_string());
    });
    let run = world.run(&version).await;
    let request = world.waiting(&run).await;
    assert_eq!(request.verdict, Verdict::Fail);
    let evidence: Evidence = serde_json::from_str(&request.evidence).unwrap();
    assert_eq!(evidence.findings["evaluate"][0].message, "auc fell");
    assert!(evidence.findings["note"][0].message.contains("was not run"), "what people do not see is said");
    assert!(!world.runner.ran.lock().unwrap().contains(&"after evaluate".to_string()));

    let refused = world.decide(&request, "ada", DecisionKind::Approve).await;
    assert!(matches!(refused, Err(DecideError::Refused(Refusal::CheckFailed(_)))));
    world.decide(&request, "ada", DecisionKind::Override).await.unwrap();
    assert_eq!(world.request(&request.id).await.state, RequestState::Open, "one is not enough");
    world.decide(&request, "eve", DecisionKind::Override).await.unwrap();
    assert_eq!(world.carry(&run).await, RunState::Ended { end: RunEnd::Succeeded });
    assert!(world.is_live("model 1"));
    let conditions = std::fs::read_to_string(world.target().join("current/conditions.json")).unwrap();
    assert_eq!(conditions, r#"{"overridden":true}"#);
    let decisions = world.store.decisions(&request.id).await.unwrap();
    assert!(decisions.iter().all(|decision| decision.kind == DecisionKind::Override));
}

#[tokio::test]
async fn an_override_where_nothing_failed_is_refused() {
    let world = World::new();
    let run = world.run(&world.version(1, overridable())).await;
    let refused = world.decide(&world.waiting(&run).await, "ada", DecisionKind::Override).await;
    assert!(matches!(refused, Err(DecideError::Refused(Refusal::NothingToOverride))));
}

#[tokio::test]
async fn a_candidate_that_needs_the_failed_step_is_never_asked_about() {
    let world = failing();
    let version = longer(&world, overridable(), |steps| {
        // The evaluation of something else comes first, and training waits for it.
        let evaluate = steps.remove(2);
        steps.insert(
            1,
            Step {
                after: ["ingest".to_string()].into(),
                work: Work::Component(work("evaluate", [], json!({}))),
                ..evaluate
            },
        );
        named(steps, "train").after.insert("evaluate".to_string());
    });
    let run = world.run(&version).await;
    assert!(matches!(world.state(&run).await, RunState::Ended { end: RunEnd::Blocked { .. } }));
    assert!(world.request_states().await.is_empty());
}

/// The gate has to name the step itself: that it comes after it by some way is not enough.
#[tokio::test]
async fn a_gate_that_does_not_name_the_failed_step_can_not_override_it() {
    let world = failing();
    let version = longer(&world, overridable(), |steps| {
        let gate = named(steps, "release");
        gate.after = ["train".to_string(), "note".to_string()].into();
    });
    let run = world.run(&version).await;
    assert!(matches!(world.state(&run).await, RunState::Ended { end: RunEnd::Blocked { .. } }));
}

/// Trap 7: a gate in a branch that is left out is never posted, and the run does not pretend that it went well.
#[tokio::test]
async fn a_gate_that_is_left_out_is_never_posted() {
    let world = failing();
    let version = longer(&world, overridable(), |steps| {
        let ordinary = step("second look", Work::Signoff(policy()), &["train", "evaluate"]);
        steps.push(ordinary);
    });
    let run = world.run(&version).await;
    let request = world.waiting(&run).await;
    assert_eq!(request.gate, "release");
    for who in ["ada", "eve"] {
        world.decide(&request, who, DecisionKind::Override).await.unwrap();
    }
    let state = world.carry(&run).await;
    assert!(matches!(state, RunState::Ended { end: RunEnd::Blocked { .. } }), "{state:?}");
    assert!(world.is_live("model 1"));
    assert_eq!(world.request_states().await.len(), 1);
}
