//! Pipelines that start when another one's model goes live.

use crate::pipelines::{NOTE, TRAINING, rows};
use crate::site::{HOOKS, Site};

#[test]
fn a_model_that_goes_live_starts_who_waits_for_it() {
    let mut site = Site::new(HOOKS);
    site.home.write("data/rows.csv", &rows(1));
    let source = "[source.rows]\npath = \"../data/rows.csv\"\n";
    site.pipeline("tips", &format!("[trigger]\nhttp = [\"a\"]\n{source}{TRAINING}"));
    site.pipeline("follower", &format!("[trigger]\nafter = [\"tips\"]\n{NOTE}"));
    site.serve();
    let run = site.run_by_hook("a", "1");
    site.until(&run, "waiting");
    assert_eq!(site.outcomes("follower"), [] as [&str; 0], "nothing is live yet");
    site.run(&["approve", &run, "--reason", "it is small"]);
    site.until(&run, "succeeded");
    site.until_count("follower", "succeeded", 1);
    site.run(&["events", "--pipeline", "follower"]).must(0).says("went live: tips");
    site.home.write("data/rows.csv", &rows(2));
    let rejected = site.run_by_hook("a", "2");
    site.until(&rejected, "waiting");
    site.run(&["reject", &rejected, "--reason", "once is enough"]);
    site.until(&rejected, "rejected");
    site.stop();
    site.serve();
    assert_eq!(site.outcomes("follower"), ["run"], "one push, one run");
    site.stop();
}

#[test]
fn pipelines_that_start_one_another_in_a_circle_are_told_of() {
    let mut site = Site::new(HOOKS);
    site.pipeline("one", &format!("[trigger]\nhttp = [\"a\"]\nafter = [\"two\"]\n{NOTE}"));
    site.pipeline("two", &format!("[trigger]\nafter = [\"one\"]\n{NOTE}"));
    let circle = "pipelines start one another in a circle: a push of `one` starts `two` starts `one`";
    site.run(&["config", "check"]).must(2).says(circle);
    // A warning there: each of them is sound, and runs.
    site.serve();
    assert!(site.log().contains(circle), "{}", site.log());
    let run = site.run_by_hook("a", "1");
    site.until(&run, "succeeded");
    site.stop();
    site.pipeline("two", NOTE);
    site.run(&["config", "check"]).must(0);
}
