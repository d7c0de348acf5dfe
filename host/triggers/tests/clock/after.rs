//! Runs that follow another pipeline's pushes.

use crate::fixture::{Fixture, at, minutes, seconds};
use crate::runs;
use countersign_model::event::{Cause, EventOutcome};
use countersign_model::id::PushId;
use countersign_model::pipeline::Trigger;
use countersign_model::time::Timestamp;

const START: &str = "2026-11-22T00:00:00Z";

/// `taxi-tips` comes after `base`; `other` is there too.
async fn following() -> Fixture {
    let fixture = Fixture::arrival("trips.csv", 0).await;
    fixture.edit(|trigger| trigger.after = vec!["base".into()]);
    fixture.add(["base", "other"].map(String::from).into_iter(), &Trigger::default()).await;
    fixture
}

/// The pushes that runs of `taxi-tips` followed, in their order.
async fn followed(fixture: &Fixture) -> Vec<PushId> {
    let push = |cause: Cause| match cause {
        Cause::Pushed { push, .. } => Some(push),
        Cause::Person | Cause::Arrival { .. } | Cause::Cron { .. } | Cause::Http { .. } | Cause::Backfill { .. } => {
            None
        }
    };
    fixture.runs().await.into_iter().rev().filter_map(|run| push(run.cause)).collect()
}

#[tokio::test]
async fn each_push_after_the_trigger_began_starts_one_run() {
    let fixture = following().await;
    let start = at(START);
    fixture.push("base", start).await;
    assert!(fixture.tick(seconds(start, 1)).await.is_empty(), "registered, not started for the past");
    assert!(fixture.tick(seconds(start, 2)).await.is_empty());
    fixture.push("other", seconds(start, 3)).await;
    let push = fixture.push("base", seconds(start, 4)).await;
    assert_eq!(runs(&fixture.tick(seconds(start, 5)).await), 1);
    assert_eq!(followed(&fixture).await, [push]);
    let run = fixture.runs().await.into_iter().find(|run| run.pipeline == "taxi-tips").unwrap();
    assert_eq!(run.started_by.as_str(), "system:after");
    assert!(matches!(run.cause, Cause::Pushed { pipeline, .. } if pipeline == "base"));
    assert!(fixture.tick(seconds(start, 6)).await.is_empty());
}

#[tokio::test]
async fn a_restart_doubles_nothing_and_old_pushes_are_not_looked_at_for_ever() {
    let fixture = following().await;
    let start = at(START);
    fixture.tick(start).await;
    fixture.push("base", seconds(start, 1)).await;
    assert_eq!(runs(&fixture.tick(seconds(start, 2)).await), 1);
    let again = fixture.restarted().tick(seconds(start, 3)).await;
    assert!(matches!(again[..], [EventOutcome::SeenAgain { run: Some(_) }]), "{again:?}");
    assert!(fixture.tick(minutes(start, 20)).await.is_empty());
    assert!(fixture.restarted().tick(minutes(start, 20)).await.is_empty(), "the cursor is past it");
    let later = fixture.push("base", minutes(start, 21)).await;
    assert_eq!(runs(&fixture.restarted().tick(minutes(start, 60)).await), 1);
    assert_eq!(followed(&fixture).await.last(), Some(&later));
}

#[tokio::test]
async fn a_push_that_is_committed_after_a_later_one_is_not_lost() {
    let fixture = following().await;
    let start = at(START);
    fixture.tick(start).await;
    let first = fixture.push("base", seconds(start, 60)).await;
    assert_eq!(runs(&fixture.tick(seconds(start, 61)).await), 1);
    let second = fixture.push("base", seconds(start, 30)).await;
    assert_eq!(runs(&fixture.tick(seconds(start, 62)).await), 1);
    assert_eq!(followed(&fixture).await, [first, second]);
}

#[tokio::test]
async fn a_push_that_is_committed_after_many_later_ones_of_others_is_not_lost() {
    let fixture = following().await;
    let start = at(START);
    fixture.tick(start).await;
    for count in 1..=100 {
        fixture.push("other", seconds(start, 100 + count)).await;
        fixture.tick(seconds(start, 100 + count)).await;
    }
    let late = fixture.push("base", seconds(start, 30)).await;
    assert_eq!(runs(&fixture.tick(seconds(start, 201)).await), 1);
    assert_eq!(followed(&fixture).await, [late]);
}

#[tokio::test]
async fn many_pushes_at_once_have_several_turns_in_their_order() {
    let fixture = following().await;
    let start = at(START);
    fixture.tick(start).await;
    let mut pushes = Vec::new();
    for count in 1..=300 {
        pushes.push(fixture.push("base", seconds(start, count)).await);
    }
    let now = minutes(start, 30);
    assert!(runs(&fixture.tick(now).await) < 300 && fixture.hinted().await);
    fixture.settle(now).await;
    assert_eq!(followed(&fixture).await, pushes);
    assert!(fixture.restarted().tick(now).await.is_empty());
}

#[tokio::test]
async fn a_clock_that_was_a_year_ahead_does_not_keep_pushes_waiting() {
    let fixture = following().await;
    let start = at(START);
    fixture.tick(start).await;
    let ahead = at("2027-11-22T00:00:00Z");
    fixture.push("base", ahead).await;
    assert_eq!(runs(&fixture.tick(minutes(ahead, 30)).await), 1);
    let now: Timestamp = minutes(start, 10);
    fixture.tick(now).await;
    let push = fixture.push("base", seconds(now, 1)).await;
    let outcomes = fixture.restarted().tick(seconds(now, 2)).await;
    assert_eq!(runs(&outcomes), 1, "{outcomes:?}");
    assert_eq!(followed(&fixture).await.last(), Some(&push));
}
