//! The service over the in-memory store: what is due starts exactly one run or leaves a recorded skip, whatever dies between.
//! Unix only: the tests tell changes by the time of change of the inode.
#![cfg(unix)]

mod clock;
mod fixture;

use countersign_model::event::{Cause, EventOutcome};
use countersign_model::pipeline::Overlap;
use fixture::{Fixture, at, minutes, seconds};
use std::fs;

fn runs(outcomes: &[EventOutcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, EventOutcome::Run { .. })).count()
}

fn skips(outcomes: &[EventOutcome]) -> Vec<&str> {
    let reason = |outcome: &'_ EventOutcome| matches!(outcome, EventOutcome::Skipped { .. });
    let skipped = outcomes.iter().filter(|outcome| reason(outcome));
    skipped
        .filter_map(|outcome| if let EventOutcome::Skipped { reason } = outcome { Some(reason.as_str()) } else { None })
        .collect()
}

#[tokio::test]
async fn a_schedule_starts_from_now_and_fires_once_for_each_instant() {
    let fixture = Fixture::cron("0 6 * * *", "America/Chicago").await;
    // 06:00 CST is 12:00 UTC.
    assert!(fixture.tick(at("2026-11-22T13:00:00Z")).await.is_empty(), "registered, not fired for the past");
    assert!(fixture.tick(at("2026-11-23T11:59:59Z")).await.is_empty());
    assert_eq!(runs(&fixture.tick(at("2026-11-23T12:00:07Z")).await), 1);
    assert!(fixture.tick(at("2026-11-23T12:00:08Z")).await.is_empty());
    let all = fixture.runs().await;
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0].cause,
        Cause::Cron {
            scheduled_for: at("2026-11-23T12:00:00Z"),
            wall_time: "2026-11-23 06:00 -06:00 America/Chicago".into()
        }
    );
    assert_eq!(all[0].started_by.as_str(), "system:cron");
}

#[tokio::test]
async fn after_downtime_the_newest_runs_and_the_others_are_recorded() {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    fixture.tick(at("2026-11-22T00:30:00Z")).await;
    let restarted = fixture.restarted();
    let outcomes = restarted.tick(at("2026-11-22T05:10:00Z")).await;
    assert_eq!((outcomes.len(), runs(&outcomes)), (5, 1));
    assert!(skips(&outcomes).iter().all(|reason| reason.starts_with("coalesced: missed, and 2026-11-22 05:00")));
    let events = restarted.events().await;
    assert_eq!(events.len(), 5, "each missed instant has its record");
    assert!(restarted.tick(at("2026-11-22T05:20:00Z")).await.is_empty());
}

#[tokio::test]
async fn dying_between_event_and_cursor_doubles_nothing() {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    fixture.tick(at("2026-11-22T00:30:00Z")).await;
    let scheduled = at("2026-11-22T01:00:00Z");
    let first = fixture.accept_cron(scheduled).await;
    let restarted = fixture.restarted();
    assert_eq!(restarted.tick(at("2026-11-22T01:00:05Z")).await, [EventOutcome::SeenAgain { run: Some(first) }]);
    assert!(restarted.tick(at("2026-11-22T01:00:06Z")).await.is_empty());
    assert_eq!(restarted.runs().await.len(), 1);
}

#[tokio::test]
async fn clock_changes_neither_lose_nor_double_a_day() {
    let fixture = Fixture::cron("30 1 * * *", "America/New_York").await;
    fixture.tick(at("2026-10-30T12:00:00Z")).await;
    let mut fired = 0;
    for minute in 0..4 * 24 * 60 {
        fired += runs(&fixture.tick(minutes(at("2026-10-30T12:00:00Z"), minute)).await);
    }
    assert_eq!(fired, 4, "31 October, 1 November once, 2 and 3 November");
}

#[tokio::test]
async fn another_schedule_starts_from_now_and_a_wrong_one_stops_nobody_else() {
    let fixture = Fixture::cron("0 0 1 1 *", "UTC").await;
    fixture.tick(at("2026-11-20T00:00:00Z")).await;
    fixture.edit(|trigger| trigger.cron = Some("0 * * * *".into()));
    assert!(fixture.tick(at("2026-11-22T00:30:00Z")).await.is_empty(), "nothing was due under the new one");
    assert_eq!(runs(&fixture.tick(at("2026-11-22T01:00:00Z")).await), 1);
    fixture.add_broken_schedule_first();
    assert_eq!(runs(&fixture.tick(at("2026-11-22T02:00:00Z")).await), 1);
}

#[tokio::test]
async fn a_pipeline_that_the_store_refuses_is_an_error_but_stops_nobody_else() {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    fixture.add_unregistered_pipeline_first("0 * * * *");
    fixture.tick(at("2026-11-22T00:30:00Z")).await;
    let error = fixture.try_tick(at("2026-11-22T01:00:00Z")).await.unwrap_err();
    assert_eq!(error.to_string(), "accept event: unregistered");
    assert_eq!(fixture.runs().await.len(), 1);
}

#[tokio::test]
async fn overlap_skips_with_the_id_of_the_other_run_or_waits() {
    let fixture = Fixture::cron("0 * * * *", "UTC").await;
    fixture.tick(at("2026-11-22T00:30:00Z")).await;
    fixture.tick(at("2026-11-22T01:00:00Z")).await;
    assert_eq!(runs(&fixture.tick(at("2026-11-22T02:00:00Z")).await), 1, "waits its turn");
    fixture.edit(|trigger| trigger.overlap = Overlap::Skip);
    let outcomes = fixture.tick(at("2026-11-22T03:00:00Z")).await;
    let queued = fixture.runs().await.into_iter().map(|run| format!("overlap: {} is queued", run.id));
    assert!(queued.collect::<Vec<_>>().contains(&skips(&outcomes)[0].to_string()), "{outcomes:?}");
    fixture.end_all_runs().await;
    assert_eq!(runs(&fixture.tick(at("2026-11-22T04:00:00Z")).await), 1);
}

#[tokio::test]
async fn a_file_counts_once_it_did_not_change_for_the_settle_time() {
    let fixture = Fixture::arrival("trips-{YYYY}-{MM}-{DD}.csv", 10).await;
    let start = at("2026-11-22T00:00:00Z");
    assert!(fixture.tick(start).await.is_empty());
    fixture.deliver("trips-2026-11-22.csv", "a\n1\n");
    assert!(fixture.tick(seconds(start, 1)).await.is_empty(), "seen, not settled");
    fixture.deliver("trips-2026-11-22.csv", "a\n1\n2\n");
    assert!(fixture.tick(seconds(start, 11)).await.is_empty(), "still growing");
    assert!(fixture.tick(seconds(start, 20)).await.is_empty());
    assert_eq!(runs(&fixture.restarted().tick(seconds(start, 21)).await), 1, "a restart forgets nothing");
    assert!(fixture.tick(seconds(start, 22)).await.is_empty());
    let run = fixture.runs().await.remove(0);
    assert_eq!(run.span.as_deref(), Some("2026-11-22"));
    assert_eq!(run.started_by.as_str(), "system:arrival");
    let Cause::Arrival { source, digest, path, .. } = run.cause else { panic!("{:?}", run.cause) };
    assert_eq!((source.as_str(), digest), ("trips", countersign_model::digest::Digest::of(b"a\n1\n2\n")));
    assert!(path.ends_with("trips-2026-11-22.csv"));
}

#[tokio::test]
async fn touching_starts_nothing_and_rewriting_in_place_is_seen() {
    let fixture = Fixture::arrival("trips.csv", 0).await;
    let start = at("2026-11-22T00:00:00Z");
    let path = fixture.deliver("trips.csv", "one");
    assert_eq!(runs(&fixture.tick(start).await), 1);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fixture.touch("trips.csv");
    assert_eq!(runs(&fixture.tick(seconds(start, 1)).await), 0);
    // As many bytes, and the modification time turned back: size and time alone would miss it.
    fixture.deliver("trips.csv", "two");
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(runs(&fixture.tick(seconds(start, 2)).await), 1);
    assert!(fixture.tick(seconds(start, 3)).await.is_empty());
    assert_eq!(fixture.runs().await.len(), 2);
}

#[tokio::test]
async fn dying_before_the_file_is_marked_doubles_nothing() {
    let fixture = Fixture::arrival("b{SPAN}.csv", 0).await;
    let start = at("2026-11-22T00:00:00Z");
    fixture.deliver("b1.csv", "x");
    fixture.tick(start).await;
    fixture.forget_that_files_were_accepted().await;
    let again = fixture.restarted().tick(seconds(start, 1)).await;
    assert!(matches!(again[..], [EventOutcome::SeenAgain { run: Some(_) }]), "{again:?}");
    assert_eq!(fixture.runs().await.len(), 1);
}

#[tokio::test]
async fn files_start_runs_from_the_oldest_span_and_a_broken_source_stops_nobody_else() {
    let fixture = Fixture::arrival("b{SPAN}.csv", 0).await;
    fixture.add_broken_source_first();
    for name in ["b10.csv", "b9.csv", "b11.csv.part", ".b12.csv"] {
        fixture.deliver(name, name);
    }
    assert_eq!(runs(&fixture.tick(at("2026-11-22T00:00:00Z")).await), 2);
    let spans: Vec<_> = fixture.runs().await.into_iter().rev().filter_map(|run| run.span).collect();
    assert_eq!(spans, ["9", "10"]);
}
