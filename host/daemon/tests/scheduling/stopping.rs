//! Daemons that are told to stop. Patience and leases are an hour: whatever happens sooner does not wait for them.

use crate::harness::eventually;
use crate::pipelines::{NAP, NOTE, SLEEP};
use crate::site::{HOOKS, Site};

fn with(settings: &str, step: &str) -> Site {
    let mut site = Site::new(&format!("lease_seconds = 3600\n{settings}\n{HOOKS}"));
    let after = step.lines().next().expect("a step").trim_matches(['[', ']']).trim_start_matches("step.").to_string();
    let note = format!("[step.after]\ncomponent = \"noop\"\ncache = false\ninputs = {{ input = \"{after}\" }}\n");
    site.pipeline("busy", &format!("[trigger]\nhttp = [\"a\"]\n{step}{note}"));
    site.serve();
    site
}

#[test]
fn a_step_is_ended_and_the_run_goes_on_elsewhere_with_the_next() {
    let mut site = with("drain_seconds = 3600", NAP);
    let run = site.run_by_hook("a", "1");
    site.until_in(&run, "nap");
    site.stop();
    assert_eq!(site.status(&run), "queued", "it is there for whoever comes");
    assert_eq!((site.attempts(&run, "nap"), site.attempts(&run, "after")), (1, 0));
    site.serve();
    site.until(&run, "succeeded");
    assert_eq!((site.attempts(&run, "nap"), site.attempts(&run, "after")), (1, 1), "nothing was done twice");
    site.stop();
}

#[test]
fn a_second_signal_ends_the_patience() {
    let mut site = with("drain_seconds = 3600", SLEEP);
    let run = site.run_by_hook("a", "1");
    site.until_in(&run, "sleep");
    site.signal("TERM");
    site.logged("stopping: runs end the step");
    site.stop();
    handed_over(&mut site, &run);
}

#[test]
fn patience_ends_by_itself() {
    let mut site = with("drain_seconds = 1", SLEEP);
    let run = site.run_by_hook("a", "1");
    site.until_in(&run, "sleep");
    site.stop();
    assert!(site.log().contains("given back in the middle of a step"), "{}", site.log());
    handed_over(&mut site, &run);
}

/// What was given back is claimed at once, although its lease would have gone on for an hour.
fn handed_over(site: &mut Site, run: &str) {
    assert_eq!(site.status(run), "queued");
    site.serve();
    // What the first daemon was in when it ended stands as going on until somebody takes the run over.
    eventually("a second attempt", || (site.attempts(run, "sleep") == 2).then_some(()));
    site.until_in(run, "sleep");
    assert_eq!(site.status(run), "running");
    site.run(&["cancel", run]).must(0);
    site.until(run, "cancelled");
    site.stop();
}

#[test]
fn a_daemon_without_work_ends_at_once() {
    let mut site = Site::new(&format!("drain_seconds = 3600\npoll_seconds = 3600\n{HOOKS}"));
    site.pipeline("note", &format!("[trigger]\nhttp = [\"a\"]\ncron = \"0 0 1 1 *\"\n{NOTE}"));
    for signal in ["TERM", "INT"] {
        site.serve();
        let run = site.run_by_hook("a", signal);
        site.until(&run, "succeeded");
        site.signal(signal);
        site.ends();
    }
    // Its lock is gone with it, and what it did is in order.
    site.serve();
    let twin = site.run(&["serve"]).must(1);
    assert!(twin.stderr.contains("another daemon serves"), "{}", twin.stderr);
    site.stop();
    site.run(&["audit", "verify"]).must(0);
}
