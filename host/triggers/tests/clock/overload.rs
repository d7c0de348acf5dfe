//! A thousand pipelines at once, and one that has far more to do than the others.

use crate::fixture::{Fixture, at, minutes};
use crate::runs;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::pipeline::{Misfire, Trigger};
use countersign_model::time::Timestamp;
use countersign_ports::trigger_store::{Paused, SeenFile};
use countersign_ports::{StoreError, TriggerStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often cursors are asked for and moved.
struct Counting {
    inner: Arc<dyn TriggerStore>,
    reads: Arc<AtomicUsize>,
    moves: Arc<AtomicUsize>,
}

#[async_trait]
impl TriggerStore for Counting {
    async fn last_fire(&self, trigger: &str) -> Result<Option<Timestamp>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.last_fire(trigger).await
    }
    async fn register_trigger(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.inner.register_trigger(trigger, at).await
    }
    async fn record_fire(&self, trigger: &str, at: Timestamp) -> Result<(), StoreError> {
        self.moves.fetch_add(1, Ordering::Relaxed);
        self.inner.record_fire(trigger, at).await
    }
    async fn seen_files(&self, trigger: &str) -> Result<Vec<SeenFile>, StoreError> {
        self.inner.seen_files(trigger).await
    }
    async fn record_seen_files(&self, files: &[SeenFile]) -> Result<(), StoreError> {
        self.inner.record_seen_files(files).await
    }
    async fn forget_seen_files(&self, trigger: &str, missing_before: Timestamp) -> Result<(), StoreError> {
        self.inner.forget_seen_files(trigger, missing_before).await
    }
    async fn pause(&self, paused: &Paused) -> Result<bool, StoreError> {
        self.inner.pause(paused).await
    }
    async fn unpause(&self, pipeline: &str, by: &Actor, at: Timestamp) -> Result<bool, StoreError> {
        self.inner.unpause(pipeline, by, at).await
    }
    async fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        self.inner.paused().await
    }
}

fn hourly() -> Trigger {
    Trigger { cron: Some("0 * * * *".into()), timezone: "America/New_York".into(), ..Trigger::default() }
}

#[tokio::test]
async fn a_thousand_due_fires_cost_a_read_and_two_writes_each_and_a_quiet_tick_nothing() {
    let fixture = Fixture::cron_on_disk("0 * * * *").await;
    fixture.add((1..1_000).map(|number| format!("pipeline-{number}")), &hourly()).await;
    let (reads, moves) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let counted = (reads.clone(), moves.clone());
    let fixture = fixture.remembering(|inner| Arc::new(Counting { inner, reads: counted.0, moves: counted.1 }));
    let asked = || (reads.swap(0, Ordering::Relaxed), moves.swap(0, Ordering::Relaxed));
    let start = at("2026-11-22T00:30:00Z");
    // Registered, then read once.
    fixture.tick(start).await;
    fixture.tick(start).await;
    asked();
    fixture.tick(minutes(start, 29)).await;
    assert_eq!(asked(), (0, 0), "nothing is due");
    assert_eq!(runs(&fixture.tick(minutes(start, 30)).await), 1_000);
    assert_eq!(asked(), (1_000, 1_000));
    assert!(fixture.tick(minutes(start, 31)).await.is_empty());
    assert_eq!(asked(), (0, 0));
}

#[tokio::test]
async fn a_hundred_followers_of_which_nobody_has_anything_to_do_read_no_cursor() {
    let fixture = Fixture::cron("0 0 1 1 *", "UTC").await;
    let after = Trigger { after: vec!["taxi-tips".into()], ..Trigger::default() };
    fixture.add((1..=100).map(|number| format!("pipeline-{number}")), &after).await;
    let (reads, moves) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let counted = (reads.clone(), moves.clone());
    let fixture = fixture.remembering(|inner| Arc::new(Counting { inner, reads: counted.0, moves: counted.1 }));
    let asked = || (reads.swap(0, Ordering::Relaxed), moves.swap(0, Ordering::Relaxed));
    let start = at("2026-11-22T00:30:00Z");
    // Registered, then looked at once.
    fixture.tick(start).await;
    fixture.tick(start).await;
    asked();
    fixture.tick(minutes(start, 1)).await;
    assert_eq!(asked(), (0, 0));
    fixture.push("taxi-tips", minutes(start, 2)).await;
    assert_eq!(runs(&fixture.tick(minutes(start, 2)).await), 100);
    asked();
    fixture.tick(minutes(start, 3)).await;
    assert_eq!(asked(), (0, 0));
    // The cursors pass the push, once.
    fixture.tick(minutes(start, 12)).await;
    assert_eq!(asked().1, 100);
    fixture.tick(minutes(start, 13)).await;
    assert_eq!(asked(), (0, 0));
}

#[tokio::test]
async fn a_pipeline_with_two_thousand_due_fires_keeps_no_other_waiting() {
    let fixture = Fixture::cron_on_disk("* * * * *").await;
    fixture.edit(|trigger| trigger.misfire = Misfire::RunAll { most: 2_000 });
    fixture.add((0..50).map(|number| format!("pipeline-{number}")), &hourly()).await;
    let start = at("2026-11-22T00:00:00Z");
    fixture.tick(start).await;
    let now = minutes(start, 2_000);
    fixture.tick(now).await;
    let queued = fixture.runs_of("pipeline-49").await.len();
    assert_eq!(queued, 1, "the last of the others has its run after one tick");
    let heavy = fixture.runs_of("taxi-tips").await.len();
    assert!(heavy < 200, "a turn, not all: {heavy}");
    fixture.settle(now).await;
    assert_eq!(fixture.runs_of("taxi-tips").await.len(), 2_000, "none is lost");
}
