//! Schedules: what is due after a time in which nobody looked, and clocks that jump.

use crate::harness::eventually;
use crate::pipelines::NOTE;
use crate::site::Site;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().as_ref().map_or(0, Duration::as_secs) as i64
}

/// Once a year, so that no fire of today comes between.
const YEARLY: &str = "0 0 1 1 *";

#[test]
fn after_a_time_without_a_daemon_each_policy_does_what_it_says_and_records_it() {
    let mut site = Site::new("");
    for (name, policy) in [
        ("latest", "misfire = \"run-latest\""),
        ("all", "misfire = \"run-all\"\nmisfire_most = 3"),
        ("skipping", "misfire = \"skip\"\nmisfire_deadline_seconds = 60"),
        ("new", "misfire = \"run-all\""),
    ] {
        site.pipeline(name, &format!("[trigger]\ncron = \"{YEARLY}\"\n{policy}\n{NOTE}"));
    }
    site.run(&["db", "migrate"]).must(0);
    let five_years_ago = (now() - 5 * 366 * 86_400) * 1_000_000;
    for name in ["latest", "all", "skipping"] {
        let cursor =
            format!("INSERT INTO fires (trigger_name, at) VALUES ('cron:{name}:{YEARLY}@UTC', {five_years_ago})");
        site.record.tamper(&cursor);
    }
    site.serve();
    let stands = |name: &str| {
        let outcomes = site.outcomes(name);
        let runs = outcomes.iter().filter(|outcome| *outcome == "run").count();
        let reasons = outcomes.into_iter().filter(|outcome| outcome != "run").collect::<Vec<_>>().join("\n");
        (runs, reasons)
    };
    let until = |name: &str, runs: usize, reason: &str| {
        eventually(&format!("{name}: {runs} runs and `{reason}`"), || {
            let (found, reasons) = stands(name);
            (found == runs && reasons.contains(reason)).then_some(())
        });
    };
    until("latest", 1, "coalesced: missed");
    until("all", 3, "more than 3 were due");
    until("skipping", 0, "found more than 60 s late");
    site.until_count("latest", "succeeded", 1);
    site.until_count("all", "succeeded", 3);
    // What is due was done once: a daemon that looks again finds nothing, and what is new starts from now.
    let all = || ["latest", "all", "skipping", "new"].map(|name| site.outcomes(name));
    let before = all();
    assert_eq!(before[3], [] as [&str; 0]);
    site.stop();
    site.serve();
    site.pipeline("sign", &format!("[trigger]\nhttp = []\n{NOTE}"));
    site.reload();
    let all = ["latest", "all", "skipping", "new"].map(|name| site.outcomes(name));
    assert_eq!(all, before);
    site.run(&["events"]).must(0).says("clock: ").says("skipped: ");
    site.stop();
}

/// The library that gives a process another clock, for processes with several threads. None: it is not here.
fn library() -> Option<String> {
    countersign_judges::found("faketime").then_some(())?;
    let told = Command::new("faketime").args(["-m", "-f", "+0", "sh", "-c", "echo $LD_PRELOAD"]).output().ok()?;
    let library = String::from_utf8_lossy(&told.stdout).trim().to_string();
    (told.status.success() && !library.is_empty()).then_some(library)
}

/// Sets the daemon's clock to so many seconds from this machine's.
fn set(file: &Path, offset: i64) {
    let next = file.with_extension("next");
    std::fs::write(&next, format!("{offset:+}\n")).expect("write the clock");
    std::fs::rename(next, file).expect("set the clock");
}

#[test]
fn a_clock_that_jumps_makes_nothing_run_twice_and_nothing_run_never() {
    let Some(library) = library() else { return };
    let mut site = Site::new("");
    let policy = "cron = \"0 * * * *\"\nmisfire = \"run-all\"\nmisfire_most = 10";
    site.pipeline("hourly", &format!("[trigger]\n{policy}\n{NOTE}"));
    let clock = site.home.path().join("clock");
    // Half past, so that no hour begins meanwhile.
    let half_past = 1_800 - now() % 3_600;
    set(&clock, half_past);
    let mut serve = site.command(&["serve"]);
    serve.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock).env("FAKETIME_NO_CACHE", "1");
    serve.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    site.serve_as(serve);
    let cursors = "SELECT count(*) FROM fires WHERE trigger_name LIKE 'cron:hourly:%'";
    eventually("the schedule is known", || (site.record.number(cursors) == 1).then_some(()));

    let hour = 3_600;
    set(&clock, half_past + 3 * hour);
    site.until_count("hourly", "succeeded", 3);
    // Back before all of them: the same hours come again, and are known.
    set(&clock, half_past);
    eventually("another cursor stands in", || (site.record.number(cursors) == 2).then_some(()));
    set(&clock, half_past + hour);
    let seen = "SELECT coalesce(sum(seen - 1), 0) FROM events WHERE pipeline = 'hourly'";
    eventually("the first hour was seen again", || (site.record.number(seen) >= 1).then_some(()));
    assert_eq!(site.outcomes("hourly"), ["run", "run", "run"]);
    set(&clock, half_past + 5 * hour);
    site.until_count("hourly", "succeeded", 5);
    let causes = site.record.texts("SELECT DISTINCT cause FROM events WHERE pipeline = 'hourly'");
    assert_eq!((causes.len(), site.outcomes("hourly").len()), (5, 5), "each hour once: {causes:?}");
    site.stop();
}
