//! Each capability, and what happens without it.

use crate::stage::{Stage, component, misbehave, shared};
use countersign_model::component::Capability;
use countersign_ports::component_runner::ComponentRunner;
use serde_json::Value;

#[tokio::test]
async fn query_reaches_the_engine_when_granted() {
    let stage = Stage::new("query");
    let outcome = stage.run().await.expect("granted");
    assert_eq!(outcome.summary, "2 tables, 6 rows, 4 materialized, 5 written");
    assert_eq!(std::fs::read_to_string(stage.output().join("part-0.parquet")).unwrap(), "PAR1");
}

#[tokio::test]
async fn query_is_refused_before_the_start_when_not_granted() {
    let mut stage = Stage::new("query");
    stage.invocation.grant.clear();
    let error = stage.run().await.expect_err("not granted");
    assert_eq!(error.code, "capability");
    for words in ["`misbehave`", "`query`", "grant = [\"query\"]"] {
        assert!(error.message.contains(words), "{error:?}");
    }
    assert!(stage.listener.lines.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_grant_alone_opens_nothing() {
    // The noop guest asks for nothing, so granting it everything changes nothing.
    let mut stage = Stage::new("behave");
    stage.invocation.component = component(countersign_guests::NOOP);
    stage.invocation.parameters = serde_json::json!({});
    stage.invocation.grant = Capability::ALL.into();
    assert_eq!(stage.run().await.expect("runs").summary, "done");
}

#[tokio::test]
async fn the_engines_errors_reach_the_component_in_kind() {
    let stage = Stage::new("query-missing-table");
    let error = stage.run().await.expect_err("no such table");
    assert_eq!(error.code, "invalid-input");
    assert!(error.message.contains("line 1: no such table"), "{error:?}");
}

async fn observed(seed: u64, grant: &[Capability]) -> Value {
    let mut stage = Stage::new("observe");
    stage.invocation.seed = seed;
    stage.invocation.grant.extend(grant);
    stage.run().await.expect("observes");
    serde_json::from_slice(&std::fs::read(stage.output().join("observed.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world() {
    let world = observed(7, &[]).await;
    assert_eq!(world, observed(7, &[]).await);
    let other = observed(8, &[]).await;
    assert_ne!(world["random"], other["random"]);
    assert_eq!(world["wall_clock"], serde_json::json!(946_684_800_000_000_000_u64));
    assert_eq!(world["wall_clock"], other["wall_clock"]);
}

#[tokio::test]
async fn nothing_of_the_machine_is_seen() {
    let world = observed(7, &[]).await;
    for key in ["environment", "arguments"] {
        assert_eq!(world[key], serde_json::json!([]), "{key}");
    }
    assert_eq!(world["standard_input"], "");
}

#[tokio::test]
async fn the_real_clock_and_randomness_come_when_granted() {
    let first = observed(7, &[Capability::Clock, Capability::Random]).await;
    let second = observed(7, &[Capability::Clock, Capability::Random]).await;
    assert_ne!(first["random"][0], second["random"][0]);
    assert_ne!(first["random"][1], second["random"][1]);
    let year_2020 = 1_577_836_800_000_000_000_u64;
    assert!(first["wall_clock"].as_u64().unwrap() > year_2020);
    // Each is its own key.
    let clock = observed(7, &[Capability::Clock]).await;
    assert!(clock["wall_clock"].as_u64().unwrap() > year_2020);
    assert_eq!(clock["random"], observed(7, &[]).await["random"]);
}

#[tokio::test]
async fn a_description_says_what_is_asked_for() {
    let description = shared().describe(&misbehave()).await.expect("described");
    assert_eq!(description.name, "misbehave");
    assert_eq!(description.interface, countersign_sandbox::INTERFACE);
    assert_eq!(description.capabilities, [Capability::Query, Capability::Clock, Capability::Random].into());
    assert!(description.input("several").is_some_and(|port| port.many && port.optional));
    assert!(description.parameters["properties"]["how"].is_object(), "{}", description.parameters);
}
