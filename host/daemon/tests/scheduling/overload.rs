//! Too much at once: a thousand fires that are due and ten thousand files of one pipeline, and a small pipeline beside them.

use crate::harness::eventually;
use crate::pipelines::NOTE;
use crate::site::Site;
use std::time::SystemTime;

/// Pipelines with a schedule ...
const SCHEDULED: usize = 50;
/// ... and how often each of them was missed.
const MISSED: i64 = 20;
/// Runs that may wait in each of these.
const WAITING: i64 = 3;
/// Files of the large pipeline.
const FILES: i64 = 10_000;
/// Runs that may wait in the large pipeline.
const QUEUE: i64 = 150;
/// Memory beyond that of a daemon that does next to nothing, in KiB: generous, for what is to be found is growth with every event.
const MORE: u64 = 192 << 10;

/// Once a year, so that no fire of today comes between.
const YEARLY: &str = "0 0 1 1 *";

/// The most memory that a process ever held, in KiB.
fn most_resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn furnish(site: &Site) {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock").as_micros() as i64;
    // An hour before the first of the last twenty new years.
    let year: i64 = 31_556_952_000_000;
    let first = (now / year - (MISSED - 1)) * year;
    let cursor = first - year / 2;
    let mut statements = String::new();
    for number in 0..SCHEDULED {
        let trigger = format!(
            "[trigger]\ncron = \"{YEARLY}\"\nmisfire = \"run-all\"\nmisfire_most = 100\nqueue_limit = {WAITING}\n"
        );
        site.pipeline(&format!("clock-{number}"), &(trigger + NOTE));
        statements +=
            &format!("INSERT INTO fires (trigger_name, at) VALUES ('cron:clock-{number}:{YEARLY}@UTC', {cursor});\n");
    }
    for (name, limit) in [("large", QUEUE), ("small", 10)] {
        let source = format!("[source.rows]\npath = \"../{name}/{{SPAN}}.csv\"\nready = \"renamed\"\n");
        let trigger = format!("[trigger]\narrival = [\"rows\"]\nqueue_limit = {limit}\n");
        site.pipeline(name, &(trigger + &source + NOTE));
        std::fs::create_dir(site.home.path().join(name)).expect("create directory");
    }
    site.record.tamper(&statements);
}

fn events(site: &Site, which: &str) -> i64 {
    site.record.number(&format!("SELECT count(*) FROM events WHERE pipeline {which}"))
}

#[test]
fn too_much_at_once_loses_nothing_starves_nobody_and_fits_into_memory() {
    let mut site = Site::new("concurrency = 2");
    site.pipeline("warm", &format!("[trigger]\ncron = \"{YEARLY}\"\n{NOTE}"));
    site.run(&["db", "migrate"]).must(0);
    site.record.tamper(&format!("INSERT INTO fires (trigger_name, at) VALUES ('cron:warm:{YEARLY}@UTC', 0)"));
    site.serve();
    site.until_count("warm", "succeeded", 1);
    let idle = most_resident(site.pid());
    site.stop();

    furnish(&site);
    for (folder, files) in [("large", FILES), ("small", 2)] {
        for number in 0..files {
            site.home.write(&format!("{folder}/{number}.csv"), &format!("{folder} {number}"));
        }
    }
    site.serve();
    eventually("every event is taken", || {
        (events(&site, "LIKE 'clock-%'") == MISSED * SCHEDULED as i64
            && events(&site, "IN ('large', 'small')") == FILES + 2)
            .then_some(())
    });
    let left = "SELECT count(*) FROM runs WHERE ended_at IS NULL";
    eventually("every run has ended", || (site.record.number(left) == 0).then_some(()));
    let peak = most_resident(site.pid());
    site.stop();

    nothing_is_lost(&site);
    nobody_starves(&site);
    println!("most resident: idle {idle} KiB, overloaded {peak} KiB");
    assert!(peak < idle + MORE, "idle {idle} KiB, overloaded {peak} KiB");
    site.run(&["db", "check"]).must(0);
}

fn nothing_is_lost(site: &Site) {
    let number = |query: &str| site.record.number(query);
    let seen_again = number("SELECT count(*) FROM events WHERE seen > 1");
    let full = number("SELECT count(*) FROM events WHERE skipped LIKE 'queue is full:%'");
    let runs = number("SELECT count(*) FROM events e JOIN runs r ON r.id = e.run AND r.event = e.id");
    let all = number("SELECT count(*) FROM events");
    println!("{all} events: {runs} runs, {full} found the queue full");
    assert_eq!(
        (seen_again, full + runs),
        (0, all - number("SELECT count(*) FROM events WHERE skipped LIKE 'coalesced:%'"))
    );
    assert_eq!(number("SELECT count(*) FROM runs WHERE status <> 'succeeded'"), 0);
    let of = |pipeline: &str| number(&format!("SELECT count(*) FROM runs WHERE pipeline = '{pipeline}'"));
    assert_eq!(of("small"), 2);
    assert!(of("large") >= QUEUE && of("clock-0") >= WAITING, "{} {}", of("large"), of("clock-0"));
    assert!(full > FILES / 2, "the limit of the queue was never reached");
}

/// Its files came last, and it is a hundredth of what there is to do.
fn nobody_starves(site: &Site) {
    let before = site.record.number(
        "SELECT count(*) FROM runs WHERE pipeline = 'large' AND ended_at < (SELECT max(ended_at) FROM runs WHERE pipeline = 'small')",
    );
    let all = site.record.number("SELECT count(*) FROM runs WHERE pipeline = 'large'");
    println!("{before} of {all} runs of the large pipeline ended before the last of the small one");
    assert!(before * 4 < all, "the small pipeline waited for {before} of {all} runs of the large one");
}
