//! Runs that took the newest delivery before anybody noticed its arrival: it starts no second one.

use crate::world::{World, after, runs};
use countersign_model::actor::Actor;
use countersign_model::artifact::{Artifact, ArtifactKind, Manifest};
use countersign_model::component::Limits;
use countersign_model::digest::Digest;
use countersign_model::event::{Cause, Event, EventOutcome};
use countersign_model::id::{ArtifactId, EventId, RunId, WorkerId};
use countersign_model::pipeline::Ready;
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_ports::IdSource;
use countersign_ports::metadata_store::Proposal;
use serde_json::json;
use std::time::Duration;

/// A pipeline with a step that reads the source.
async fn world() -> World {
    let world = World::local("b{SPAN}.csv", Ready::Renamed, 0).await;
    let step = json!([{
        "name": "examples", "after": [],
        "work": {
            "type": "component", "component": "ingest", "component_digest": Digest::of(b"ingest"),
            "inputs": { "delivery": { "from": "source", "source": "trips" } }, "parameters": {}, "grant": [],
            "limits": Limits::default(), "on": {}, "cache": true, "release": null, "target": null,
        },
    }]);
    world.edit(|pipeline| pipeline.steps = serde_json::from_value(step).unwrap());
    world
}

/// A run that a person asked for, taken by a worker.
async fn asked_for(world: &World, cause: Cause) -> Claim {
    let version = world.version();
    let event = Event {
        id: EventId::from_ulid(world.ids.ulid()),
        pipeline: version.name.clone(),
        cause,
        actor: Actor::local("ada"),
        dedupe_key: world.ids.ulid().to_string(),
        at: after(0),
    };
    let run = Run {
        id: RunId::from_ulid(world.ids.ulid()),
        pipeline: version.name,
        pipeline_digest: version.digest,
        event: event.id,
        cause: event.cause.clone(),
        started_by: event.actor.clone(),
        span: None,
        priority: 0,
        state: RunState::Queued,
        created_at: after(0),
        ended_at: None,
    };
    world.store.accept_event(&event, Proposal::Run(&run)).await.unwrap();
    let worker = WorkerId::from_ulid(world.ids.ulid());
    world.store.claim_run(&worker, Some(&run.id), Duration::from_secs(60)).await.unwrap().unwrap()
}

/// The run copies a delivery, as the orchestrator does.
async fn reads(world: &World, claim: &Claim, source: &str, text: &str) {
    let content = Manifest::of_delivery("/another/day.csv", text.len() as u64, Digest::of(text.as_bytes()));
    let artifact = Artifact {
        id: ArtifactId::from_ulid(world.ids.ulid()),
        kind: ArtifactKind::DELIVERY.into(),
        digest: content.digest(),
        bytes: content.bytes(),
        pipeline: "taxi".into(),
        step: source.into(),
        output: "delivery".into(),
        run: claim.run,
        execution: None,
        span: None,
        created_at: after(0),
    };
    world.store.record_delivery(claim, &artifact).await.unwrap();
}

async fn ends(world: &World, claim: &Claim, end: RunEnd) {
    world.store.end_run(claim, &end, after(0), &[]).await.unwrap();
}

fn read_by(run: RunId) -> EventOutcome {
    EventOutcome::Skipped { reason: format!("same content as {run} read") }
}

#[tokio::test]
async fn what_a_run_read_is_recorded_and_starts_none() {
    let world = world().await;
    let claim = asked_for(&world, Cause::Person).await;
    reads(&world, &claim, "trips", "x").await;
    world.deliver("b1.csv", "x");
    assert_eq!(world.tick(0).await, [read_by(claim.run)], "while it goes on");
    ends(&world, &claim, RunEnd::Succeeded).await;
    world.deliver("b1.csv", "y");
    assert_eq!(runs(&world.tick(1).await), 1, "other content");
    let other = self::world().await;
    let claim = asked_for(&other, Cause::Person).await;
    reads(&other, &claim, "trips", "x").await;
    ends(&other, &claim, RunEnd::Blocked { step: "validation".into(), reasons: Vec::new() }).await;
    other.deliver("b1.csv", "x");
    assert_eq!(other.tick(0).await, [read_by(claim.run)], "afterwards, whatever the run found");
    assert!(other.restarted().tick(1).await.is_empty());
    assert_eq!((other.events().await.len(), other.runs().await.len()), (2, 1));
}

#[tokio::test]
async fn what_a_run_did_not_come_to_does_not_count() {
    let failed = RunEnd::Failed { step: "examples".into(), message: String::new() };
    let cancelled = RunEnd::Cancelled { by: Actor::local("ada") };
    for end in [failed, cancelled] {
        let world = world().await;
        let claim = asked_for(&world, Cause::Person).await;
        reads(&world, &claim, "trips", "x").await;
        ends(&world, &claim, end).await;
        world.deliver("b1.csv", "x");
        assert_eq!(runs(&world.tick(0).await), 1);
    }
    // The same content of another source, and another kind of file.
    let world = world().await;
    let claim = asked_for(&world, Cause::Person).await;
    reads(&world, &claim, "taxis", "x").await;
    ends(&world, &claim, RunEnd::Succeeded).await;
    world.deliver("b1.csv", "x");
    assert_eq!(runs(&world.tick(0).await), 1);
}

#[tokio::test]
async fn the_newest_file_waits_for_a_run_that_is_about_to_read_it() {
    let world = world().await;
    let claim = asked_for(&world, Cause::Person).await;
    world.deliver("b1.csv", "old");
    world.deliver("b2.csv", "new");
    assert_eq!(runs(&world.tick(0).await), 1, "the older one is not what that run takes");
    assert!(world.tick(1).await.is_empty() && world.restarted().tick(1).await.is_empty());
    reads(&world, &claim, "trips", "new").await;
    assert_eq!(world.tick(2).await, [read_by(claim.run)]);
    assert!(world.tick(3).await.is_empty());
}

#[tokio::test]
async fn a_run_that_never_reads_holds_a_file_no_longer_than_it_goes_on() {
    let world = world().await;
    let claim = asked_for(&world, Cause::Person).await;
    world.deliver("b1.csv", "x");
    assert!(world.tick(0).await.is_empty());
    ends(&world, &claim, RunEnd::Failed { step: "examples".into(), message: String::new() }).await;
    assert_eq!(runs(&world.tick(1).await), 1);
    // A run about another delivery does not take the newest one.
    let about =
        Cause::Backfill { source: "trips".into(), path: "/b0.csv".into(), span: "0".into(), digest: Digest::of(b"0") };
    asked_for(&world, about).await;
    world.deliver("b2.csv", "y");
    assert_eq!(runs(&world.tick(2).await), 1);
}
