//! Files in directories: when they count, and what they are.

use crate::world::{World, after, runs};
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::Ready;
use countersign_ports::DeliveryFinder;

#[tokio::test]
async fn a_renamed_file_counts_at_once_and_a_temporary_one_never() {
    let world = World::local("b{SPAN}.csv", Ready::Renamed, 3_600).await;
    world.deliver("b1.csv.part", "x");
    assert!(world.tick(0).await.is_empty());
    std::fs::rename(world.path("b1.csv.part"), world.path("b1.csv")).unwrap();
    assert_eq!(runs(&world.tick(0).await), 1);
    world.deliver("b1.csv", "y");
    assert_eq!(runs(&world.tick(0).await), 1, "rewritten in place, as many bytes");
    assert!(world.tick(0).await.is_empty());
}

#[tokio::test]
async fn a_marked_delivery_counts_when_its_marker_is_there() {
    let world = World::local("{YYYY}-{MM}-{DD}/rows.csv", Ready::Marker("_SUCCESS".into()), 3_600).await;
    world.deliver("2026-11-22/rows.csv", "x");
    assert!(world.tick(0).await.is_empty());
    let newest = world.deliveries.newest(&world.source()).await;
    assert!(
        newest.unwrap_err().contains("no file matches"),
        "nor is it the newest for a run that nobody's file started"
    );
    world.deliver("2026-11-22/_SUCCESS", "");
    assert_eq!(runs(&world.tick(0).await), 1);
    assert_eq!(world.runs().await[0].span.as_deref(), Some("2026-11-22"));
    assert_eq!(world.deliveries.newest(&world.source()).await.unwrap().span.as_deref(), Some("2026-11-22"));
    assert!(world.tick(0).await.is_empty());
}

#[tokio::test]
async fn a_file_that_settles_is_looked_at_again_when_it_will_have() {
    let world = World::local("b{SPAN}.csv", Ready::Settled, 10).await;
    assert_eq!(world.service.next_settled(), None);
    world.deliver("b1.csv", "x");
    assert!(world.tick(3).await.is_empty());
    assert_eq!(world.service.next_settled(), Some(after(13)));
    world.deliver("b2.csv", "y");
    assert!(world.tick(9).await.is_empty());
    assert_eq!(world.service.next_settled(), Some(after(13)));
    assert_eq!(runs(&world.restarted().tick(13).await), 1, "the table remembers since when");
    assert_eq!(runs(&world.tick(19).await), 1);
    assert_eq!(world.service.next_settled(), None);
}

#[tokio::test]
async fn touching_is_counted_and_starts_nothing() {
    let world = World::local("b{SPAN}.csv", Ready::Settled, 10).await;
    world.deliver("b1.csv", "x");
    world.tick(0).await;
    let EventOutcome::Run { run } = world.tick(10).await.remove(0) else { panic!("no run") };
    world.deliver("b1.csv", "x");
    assert!(world.tick(11).await.is_empty());
    assert_eq!(world.tick(21).await, [EventOutcome::SeenAgain { run: Some(run) }]);
    assert!(world.tick(22).await.is_empty());
    assert_eq!((world.events().await.len(), world.runs().await.len()), (1, 1));
}

#[tokio::test]
async fn the_same_content_under_another_name_is_recorded_and_starts_nothing() {
    let world = World::local("b{SPAN}.csv", Ready::Renamed, 0).await;
    world.deliver("b1.csv", "x");
    world.deliver("b2.csv", "x");
    let same = |outcomes: &[EventOutcome], index: usize| match &outcomes[index] {
        EventOutcome::Skipped { reason } => reason.starts_with("same content as ") && reason.ends_with("/b1.csv"),
        EventOutcome::Run { .. } | EventOutcome::SeenAgain { .. } => false,
    };
    let outcomes = world.tick(0).await;
    assert_eq!((outcomes.len(), runs(&outcomes)), (2, 1));
    assert!(same(&outcomes, 1), "{outcomes:?}");
    world.deliver("b3.csv", "x");
    assert!(same(&world.restarted().tick(1).await, 0), "after a restart too");
    world.deliver("b3.csv", "y");
    assert_eq!(runs(&world.tick(2).await), 1, "other content");
    assert_eq!(world.events().await.len(), 4);
}

#[tokio::test]
async fn an_unchanged_directory_costs_no_look_into_the_table() {
    let world = World::local("b{SPAN}.csv", Ready::Settled, 10).await;
    world.deliver("b1.csv", "x");
    world.tick(0).await;
    world.tick(5).await;
    assert_eq!(world.table_reads(), 2, "while it settles");
    world.tick(10).await;
    world.tick(11).await;
    assert_eq!(world.table_reads(), 1, "once to accept it; then nothing is new");
    world.deliver("b2.csv", "y");
    world.tick(12).await;
    assert_eq!(world.table_reads(), 1);
    world.restarted().tick(12).await;
    assert_eq!(world.table_reads(), 1, "a restart knows nothing");
}

#[tokio::test]
async fn a_run_gets_a_copy_of_the_bytes() {
    let world = World::local("b{SPAN}.csv", Ready::Renamed, 0).await;
    let path = world.deliver("b1.csv", "one").display().to_string();
    let copy = world.path("copy");
    world.deliveries.fetch(&path, &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "one");
    let missing = world.deliveries.fetch(&world.path("b2.csv").display().to_string(), &copy).await.unwrap_err();
    assert!(missing.contains("b2.csv") && missing.contains("check the source's `path`"), "{missing}");
}
