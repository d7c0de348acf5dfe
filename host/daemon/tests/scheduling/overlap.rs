//! Events that come while a run goes on, and whose turn it is.

use crate::pipelines::{NAP, NOTE, SLEEP};
use crate::site::{HOOKS, Site};

fn with(overlap: &str) -> Site {
    let mut site = Site::new(HOOKS);
    site.pipeline("busy", &format!("[trigger]\nhttp = [\"a\"]\n{overlap}\n{SLEEP}"));
    site.serve();
    site
}

#[test]
fn one_waits_for_another() {
    let site = with("overlap = \"wait\"\nqueue_limit = 2");
    let first = site.run_by_hook("a", "1");
    site.until_in(&first, "sleep");
    let second = site.run_by_hook("a", "2");
    site.run_by_hook("a", "3");
    let reason = site.hook("a", "4")["reason"].as_str().expect("a reason").to_string();
    assert!(reason.contains("queue is full") && reason.contains("`queue_limit` is 2"), "{reason}");
    assert_eq!((site.count("busy", "running"), site.count("busy", "queued")), (1, 2));
    site.run(&["cancel", &first]).must(0);
    site.until_in(&second, "sleep");
    assert_eq!(site.status(&first), "cancelled");
    assert_eq!((site.count("busy", "running"), site.count("busy", "queued")), (1, 1));
}

#[test]
fn one_is_skipped_because_of_another() {
    let site = with("overlap = \"skip\"");
    let first = site.run_by_hook("a", "1");
    let skipped = site.hook("a", "2");
    let reason = skipped["reason"].as_str().expect("a reason");
    assert!(reason.contains("overlap") && reason.contains(&first), "{skipped}");
    site.run(&["cancel", &first]).must(0);
    site.until(&first, "cancelled");
    let third = site.run_by_hook("a", "3");
    site.until_in(&third, "sleep");
    let outcomes = site.outcomes("busy");
    assert_eq!((outcomes.len(), outcomes[1].as_str()), (3, reason), "and `events` says so");
}

#[test]
fn one_replaces_another() {
    let mut site = with("overlap = \"replace\"");
    let first = site.run_by_hook("a", "1");
    site.until_in(&first, "sleep");
    let second = site.run_by_hook("a", "2");
    assert_eq!(site.status(&first), "replaced", "with the answer it is so");
    site.until_in(&second, "sleep");
    let end = site.data(&["show", &first])["run"]["state"]["end"].clone();
    assert_eq!(end["by"], second.as_str(), "{end}");
    // Its component was stopped, or it would sleep for ever and the daemon with it.
    site.run(&["cancel", &second]).must(0);
    site.stop();
}

#[test]
fn so_many_run_side_by_side() {
    let site = with("overlap = \"allow\"\nmost_running = 2");
    let runs: Vec<String> = ["1", "2", "3"].iter().map(|id| site.run_by_hook("a", id)).collect();
    site.until_in(&runs[0], "sleep");
    site.until_in(&runs[1], "sleep");
    assert_eq!((site.count("busy", "running"), site.status(&runs[2]).as_str()), (2, "queued"));
    site.run(&["cancel", &runs[0]]).must(0);
    site.until_in(&runs[2], "sleep");
    assert_eq!(site.count("busy", "running"), 2);
}

#[test]
fn what_matters_more_goes_first() {
    let mut site = Site::new(&format!("concurrency = 1\n{HOOKS}"));
    site.pipeline("busy", &format!("[trigger]\nhttp = [\"b\"]\n{NAP}"));
    for (name, priority) in [("low", -5), ("usual", 0), ("high", 5)] {
        site.pipeline(name, &format!("[trigger]\nhttp = [\"a\"]\npriority = {priority}\n{NOTE}"));
    }
    site.serve();
    let busy = site.run_by_hook("b", "1");
    site.until_in(&busy, "nap");
    site.hook("a", "1");
    for name in ["low", "usual", "high"] {
        site.until_count(name, "succeeded", 1);
    }
    let order = site.record.texts("SELECT pipeline FROM runs ORDER BY ended_at");
    assert_eq!(order, ["busy", "high", "usual", "low"]);
    site.stop();
}
