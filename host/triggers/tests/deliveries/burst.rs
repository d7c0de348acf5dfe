//! Very many files at once: each ends in exactly one event, in their order, a bounded number at a time.

use crate::world::World;
use countersign_model::event::Cause;
use countersign_model::pipeline::Ready;
use countersign_triggers::watch_directories;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// No look accepts more.
const TURN: usize = 500;

/// Nothing here takes as long; a test that hangs shall end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each is renamed into place, as the source's rule wants it.
fn write(world: &World, files: usize) {
    for number in 0..files {
        let unfinished = world.path(&format!("b{number}.csv.part"));
        std::fs::write(&unfinished, number.to_string()).unwrap();
        std::fs::rename(&unfinished, unfinished.with_extension("")).unwrap();
    }
}

/// Opens and reads what is there, over and over: with every event that would cause, were reading watched.
fn read_all_the_time(world: &World, until: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (directory, until) = (world.path(""), Arc::clone(until));
    std::thread::spawn(move || {
        while !until.load(Ordering::SeqCst) {
            for entry in directory.read_dir().unwrap().take(1_000) {
                let _ = std::fs::read(entry.unwrap().path());
            }
            // The machine has other work too.
            std::thread::sleep(Duration::from_millis(100));
        }
    })
}

async fn one_event_for_each(world: &World, files: usize, begun: usize) {
    let events = world.events().await;
    assert_eq!(events.len(), files);
    let path = |cause: &Cause| cause.delivery().map(|(_, path, _, _)| path.to_string());
    let paths: HashSet<String> = events.iter().filter_map(|(event, _)| path(&event.cause)).collect();
    assert_eq!(paths.len(), files);
    assert_eq!(world.runs().await.len(), begun);
}

#[tokio::test]
async fn without_a_watcher_every_file_is_found_in_the_order_of_spans() {
    let world = World::on_disk("b{SPAN}.csv", Ready::Renamed).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = read_all_the_time(&world, &done);
    write(&world, 2_600);
    let (mut looks, mut outcomes) = (0, 0);
    while outcomes < 2_600 {
        let found = world.tick(0).await.len();
        assert!((1..=TURN).contains(&found), "{found}");
        (looks, outcomes) = (looks + 1, outcomes + found);
        if looks == 2 {
            // Half way through another process takes over.
            assert_eq!(world.restarted().tick(0).await.len(), TURN);
            outcomes += TURN;
        }
    }
    done.store(true, Ordering::SeqCst);
    reader.join().unwrap();
    one_event_for_each(&world, 2_600, 2_600).await;
    let spans: Vec<u32> = world.runs().await.iter().map(|run| run.span.as_ref().unwrap().parse().unwrap()).collect();
    assert!(spans.is_sorted(), "oldest first");
}

#[tokio::test]
async fn with_a_watcher_hints_alone_find_twenty_thousand_files() {
    const FILES: usize = 20_000;
    /// The queue takes no more; the others' events are recorded with that as their reason.
    const QUEUE: usize = 300;
    let world = World::on_disk("b{SPAN}.csv", Ready::Renamed).await;
    world.edit(|pipeline| pipeline.trigger.queue_limit = QUEUE as u32);
    let hint = world.service.hint();
    // It polls for directories once in an hour: what happens below happens because of hints.
    let watching = watch_directories(world.pipelines.clone(), hint.clone(), Duration::from_secs(3_600));
    let watching = tokio::spawn(watching);
    tokio::time::timeout(PATIENCE, hint.notified()).await.expect("the directory is watched");
    let done = Arc::new(AtomicBool::new(false));
    let reader = read_all_the_time(&world, &done);
    let writer = {
        let world = world.clone();
        std::thread::spawn(move || write(&world, FILES))
    };
    let mut accepted = 0;
    while accepted < FILES {
        tokio::time::timeout(PATIENCE, hint.notified()).await.expect("a hint");
        let found = world.tick(0).await;
        assert!(found.len() <= TURN);
        accepted += found.len();
    }
    writer.join().unwrap();
    done.store(true, Ordering::SeqCst);
    reader.join().unwrap();
    watching.abort();
    one_event_for_each(&world, FILES, QUEUE).await;
}
