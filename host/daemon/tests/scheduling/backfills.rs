//! Old deliveries that somebody wants to be worked on again.

use crate::pipelines::{INGEST, rows};
use crate::site::Site;
use serde_json::Value;

/// What is said of each span, and how many were queued.
fn backfill(site: &Site, options: &[&str]) -> (Vec<String>, Option<usize>) {
    let range = ["backfill", "daily", "--from", "2026-11-01", "--to", "2026-11-04"];
    let told = site.data(&[&range, options].concat());
    let plan = told["plan"].as_array().expect("a plan").iter();
    let plan = plan.map(|one| one["what"].as_str().expect("a prospect").to_string()).collect();
    let ran = |events: &Value| {
        let events = events.as_array().expect("events").iter();
        events.filter(|event| event[1]["outcome"] == "run").count()
    };
    (plan, told["started"].get("events").map(ran))
}

#[test]
fn a_backfill_says_what_it_would_do_does_it_once_and_again_when_asked_to() {
    let mut site = Site::new("");
    let source = "[source.rows]\npath = \"../incoming/{YYYY}-{MM}-{DD}.csv\"\nready = \"renamed\"\n";
    site.pipeline("daily", &format!("[trigger]\narrival = [\"rows\"]\n{source}{INGEST}"));
    for day in [1, 2, 4] {
        site.deliver(&format!("2026-11-0{day}.csv"), &rows(day));
    }
    site.serve();
    site.until_count("daily", "succeeded", 3);
    let before = ["ran-before", "ran-before", "missing", "ran-before"].map(str::to_string);
    assert_eq!(backfill(&site, &["--dry-run"]), (before.to_vec(), None));
    assert_eq!(site.outcomes("daily").len(), 3, "nothing was started");

    assert_eq!(backfill(&site, &[]).1, Some(3));
    site.until_count("daily", "succeeded", 6);
    let asked = ["asked-before", "asked-before", "missing", "asked-before"].map(str::to_string);
    assert_eq!(backfill(&site, &[]), (asked.to_vec(), Some(0)));
    assert_eq!(backfill(&site, &["--again"]).1, Some(3));
    site.until_count("daily", "succeeded", 9);
    let spans = site.record.texts("SELECT span FROM runs ORDER BY span, id");
    let thrice = ["2026-11-01", "2026-11-02", "2026-11-04"].map(|span| [span; 3]).concat();
    assert_eq!(spans, thrice);
    site.run(&["events"]).must(0).says("backfill: rows 2026-11-01");
    site.run(&["backfill", "daily", "--from", "2026-11-04", "--to", "2026-11-01"]).must(2);
    site.run(&["backfill", "daily", "--from", "2026-11-01", "--to", "2026-11-04", "--source", "row"]).must(2);
    site.stop();
}
