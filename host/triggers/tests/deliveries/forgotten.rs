//! The table of seen files: it forgets what is gone for long, and what it forgot starts nothing when it comes back.

use crate::world::{World, runs};
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::Ready;

const DAY: u64 = 24 * 3600;

async fn world() -> World {
    let world = World::local("in/b{SPAN}.csv", Ready::Renamed, 0).await;
    for number in 1..=3 {
        world.deliver(&format!("in/b{number}.csv"), &number.to_string());
    }
    assert_eq!(runs(&world.tick(0).await), 3);
    world
}

fn remove(world: &World, name: &str) {
    std::fs::remove_file(world.path(name)).unwrap();
}

#[tokio::test]
async fn what_is_gone_for_a_week_is_forgotten() {
    let world = world().await;
    remove(&world, "in/b1.csv");
    world.tick(DAY).await;
    assert!(world.restarted().tick(8 * DAY).await.is_empty());
    assert_eq!(world.seen().await, ["b1.csv", "b2.csv", "b3.csv"], "a week and no more");
    assert!(world.restarted().tick(8 * DAY + 1).await.is_empty());
    assert_eq!(world.seen().await, ["b2.csv", "b3.csv"]);
}

#[tokio::test]
async fn what_comes_back_starts_nothing() {
    let world = world().await;
    let first = world.runs().await[0].id;
    remove(&world, "in/b1.csv");
    world.tick(DAY).await;
    // Before it is forgotten: it begins to be missing anew.
    world.deliver("in/b1.csv", "1");
    assert_eq!(world.tick(3 * DAY).await, [EventOutcome::SeenAgain { run: Some(first) }]);
    remove(&world, "in/b1.csv");
    world.tick(4 * DAY).await;
    world.restarted().tick(9 * DAY).await;
    assert_eq!(world.seen().await.len(), 3);
    world.restarted().tick(12 * DAY).await;
    assert_eq!(world.seen().await.len(), 2);
    // Afterwards.
    world.deliver("in/b1.csv", "1");
    assert_eq!(world.tick(13 * DAY).await, [EventOutcome::SeenAgain { run: Some(first) }]);
    assert_eq!(world.seen().await.len(), 3);
    assert!(world.restarted().tick(14 * DAY).await.is_empty());
    assert_eq!((world.events().await.len(), world.runs().await.len()), (3, 3));
}

#[tokio::test]
async fn a_file_that_is_there_again_as_it_was_is_missing_no_more() {
    let world = World::local("day-{SPAN}/rows.csv", Ready::Marker("_SUCCESS".into()), 0).await;
    for day in [1, 2] {
        world.deliver(&format!("day-{day}/rows.csv"), &day.to_string());
        world.deliver(&format!("day-{day}/_SUCCESS"), "");
    }
    assert_eq!(runs(&world.tick(0).await), 2);
    remove(&world, "day-1/_SUCCESS");
    assert!(world.tick(DAY).await.is_empty());
    world.deliver("day-1/_SUCCESS", "");
    assert!(world.tick(2 * DAY).await.is_empty(), "nothing to digest");
    remove(&world, "day-1/_SUCCESS");
    world.tick(8 * DAY).await;
    world.restarted().tick(10 * DAY).await;
    assert_eq!(world.seen().await.len(), 2, "missing for two days, not for nine");
}

#[tokio::test]
async fn a_place_that_is_empty_gone_or_unreadable_makes_nothing_forgotten() {
    let world = world().await;
    let (place, elsewhere) = (world.path("in"), world.path("elsewhere"));
    std::fs::rename(&place, &elsewhere).unwrap();
    for (day, what) in (1..).map(|count| count * 30).zip(["gone", "empty", "a file"]) {
        match what {
            "empty" => std::fs::create_dir(&place).unwrap(),
            "a file" => {
                std::fs::remove_dir(&place).unwrap();
                std::fs::write(&place, "").unwrap();
            }
            _ => {}
        }
        for day in [day, day + 10] {
            assert!(world.restarted().tick(day * DAY).await.is_empty());
            assert_eq!(world.seen().await.len(), 3, "{what}");
        }
    }
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&elsewhere, &place).unwrap();
    assert!(world.tick(200 * DAY).await.is_empty(), "as it was, without a digest");
    assert_eq!(world.seen().await.len(), 3);
}
