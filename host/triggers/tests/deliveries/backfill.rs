//! Old deliveries, worked on again because a person asked.

use crate::world::{World, runs};
use countersign_model::actor::Actor;
use countersign_model::event::{Cause, EventOutcome};
use countersign_model::pipeline::{Overlap, PipelineVersion, Ready};
use countersign_triggers::{BackfillRange, Prospect};

fn range(from: &str, to: &str) -> BackfillRange {
    BackfillRange { source: "trips".into(), from: from.into(), to: to.into() }
}

async fn days() -> World {
    let world = World::local("{YYYY}-{MM}-{DD}.csv", Ready::Renamed, 0).await;
    for day in [20, 21, 23, 24] {
        world.deliver(&format!("2026-11-{day}.csv"), &day.to_string());
    }
    world
}

#[tokio::test]
async fn a_plan_tells_what_lies_there_and_changes_nothing() {
    let world = days().await;
    let plan = world.backfill().plan(&world.version(), &range("2026-11-21", "2026-11-23")).await.unwrap();
    let told: Vec<_> = plan.iter().map(|planned| (planned.span.as_str(), &planned.what)).collect();
    let (run, missing) = (Prospect::WouldRun, Prospect::Missing);
    assert_eq!(told, [("2026-11-21", &run), ("2026-11-22", &missing), ("2026-11-23", &run)]);
    assert!(plan[0].path.as_ref().unwrap().ends_with("2026-11-21.csv") && plan[0].digest.is_some());
    assert!(world.events().await.is_empty());
    let json = serde_json::to_value(&plan[1]).unwrap();
    assert_eq!(json, serde_json::json!({"span": "2026-11-22", "path": null, "digest": null, "what": "missing"}));
}

#[tokio::test]
async fn starting_runs_each_span_once_behind_everything_else() {
    let world = days().await;
    world.edit(|pipeline| (pipeline.trigger.overlap, pipeline.trigger.priority) = (Overlap::Replace, 5));
    world.tick(0).await;
    let arrived = world.runs().await;
    let (version, range, ada) = (world.version(), range("2026-11-20", "2026-11-21"), Actor::local("ada"));
    let backfill = world.backfill();
    let plan = backfill.plan(&version, &range).await.unwrap();
    assert_eq!(plan[0].what, Prospect::RanBefore { run: arrived[0].id });
    let started = backfill.start(&version, &range, &plan, false, &ada).await.unwrap();
    let outcomes: Vec<EventOutcome> = started.events.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!((runs(&outcomes), started.left.len()), (2, 0));
    let all = world.runs().await;
    assert!(all.iter().any(|run| run.id == arrived[3].id && !run.state.is_ended()), "it replaces nobody");
    let last = all.last().unwrap();
    assert_eq!((last.priority, last.started_by.as_str(), last.span.as_deref()), (4, ada.as_str(), Some("2026-11-21")));
    assert!(matches!(&last.cause, Cause::Backfill { source, .. } if source == "trips"));

    let again = backfill.plan(&version, &range).await.unwrap();
    assert_eq!(again[1].what, Prospect::AskedBefore { run: Some(last.id) });
    let counted = backfill.start(&version, &range, &again, false, &ada).await.unwrap();
    assert_eq!(counted.events[1].1, EventOutcome::SeenAgain { run: Some(last.id) });
    assert_eq!(world.runs().await.len(), 6);
    backfill.start(&version, &range, &again, true, &ada).await.unwrap();
    assert_eq!(world.runs().await.len(), 8, "asked for again");
}

#[tokio::test]
async fn a_backfill_leaves_what_the_queue_has_no_room_for() {
    let world = days().await;
    world.edit(|pipeline| pipeline.trigger.queue_limit = 3);
    let (version, range, ada) = (world.version(), range("2026-11-20", "2026-11-24"), Actor::local("ada"));
    let backfill = world.backfill();
    let plan = backfill.plan(&version, &range).await.unwrap();
    let started = backfill.start(&version, &range, &plan, false, &ada).await.unwrap();
    assert_eq!((started.events.len(), started.left), (3, vec!["2026-11-24".to_string()]));
    let done = world.runs().await.remove(0);
    world.store.cancel_run(&done.id, &ada, done.created_at, &[]).await.unwrap();
    let later = backfill.start(&version, &range, &plan, false, &ada).await.unwrap();
    assert!(later.left.is_empty(), "{later:?}");
    assert_eq!(world.runs().await.len(), 4);
}

#[tokio::test]
async fn a_range_that_is_none_says_what_to_write() {
    let world = days().await;
    let mut version = world.version();
    let refused = async |range: BackfillRange, version: PipelineVersion| {
        world.backfill().plan(&version, &range).await.unwrap_err().to_string()
    };
    let wrong = refused(range("2026-11-1", "2026-11-23"), version.clone()).await;
    assert!(wrong.contains("`2026-11-1`") && wrong.contains("write it like 2026-11-22"), "{wrong}");
    assert!(refused(range("2026-11-23", "2026-11-21"), version.clone()).await.contains("later than"));
    let unknown = BackfillRange { source: "taxis".into(), ..range("1", "2") };
    assert_eq!(refused(unknown, version.clone()).await, "find source: taxi has none of the name `taxis`");
    version.pipeline.sources.get_mut("trips").unwrap().path = world.path("one.csv").display().to_string();
    assert!(refused(range("1", "2"), version).await.contains("spells no span"));
}
