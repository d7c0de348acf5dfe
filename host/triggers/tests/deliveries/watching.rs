//! The watcher: it wakes the look, and nothing depends on it.

use crate::world::{World, runs};
use countersign_model::pipeline::Ready;
use countersign_triggers::watch_directories;
use std::time::Duration;

/// Nothing here takes as long; a test that hangs shall end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks whenever there is a hint, until so many runs have begun.
async fn look_until(world: &World, wanted: usize) {
    let hint = world.service.hint();
    let mut begun = 0;
    while begun < wanted {
        tokio::time::timeout(PATIENCE, hint.notified()).await.expect("a hint");
        begun += runs(&world.tick(0).await);
    }
}

#[tokio::test]
async fn a_directory_is_watched_when_it_comes_and_again_when_it_is_made_anew() {
    let world = World::local("later/b{SPAN}.csv", Ready::Renamed, 0).await;
    let every = Duration::from_millis(200);
    let watching = tokio::spawn(watch_directories(world.pipelines.clone(), world.service.hint(), every));
    world.deliver("later/b1.csv", "1");
    look_until(&world, 1).await;
    world.deliver("later/b2.csv", "2");
    look_until(&world, 1).await;
    std::fs::rename(world.path("later"), world.path("sooner")).unwrap();
    world.deliver("later/b3.csv", "3");
    look_until(&world, 1).await;
    watching.abort();
}

#[tokio::test]
async fn a_directory_that_can_not_be_watched_costs_nobody_anything() {
    let world = World::local("file/b{SPAN}.csv", Ready::Renamed, 0).await;
    world.deliver("file", "no directory");
    let second = World::local("b{SPAN}.csv", Ready::Renamed, 0).await;
    let other = second.version();
    world.pipelines.write().unwrap().push(other);
    let watching = watch_directories(world.pipelines.clone(), world.service.hint(), Duration::from_secs(3_600));
    let watching = tokio::spawn(watching);
    second.deliver("b1.csv", "1");
    look_until(&world, 1).await;
    watching.abort();
}
