//! The disk is full: under the database, under an artifact, under the log.

use crate::cramped::SmallDisk;
use crate::harness::{Ran, eventually};
use crate::pipelines;
use crate::site::{Daemon, Site};
use serde_json::Value;
use std::fs::File;
use std::process::Stdio;

fn run(site: &Site, disk: &SmallDisk, arguments: &[&str]) -> Ran {
    Ran::of(&disk.inside(&site.command(arguments)).output().expect("the binary runs"))
}

fn serve(site: &Site, disk: &SmallDisk) -> Daemon {
    site.start(disk.inside(&site.command(&["serve"]))).up()
}

/// Waits until so many runs have succeeded, and no other is there.
fn succeeded(site: &Site, disk: &SmallDisk, count: usize) {
    eventually(&format!("{count} runs have succeeded"), || {
        let ran = run(site, disk, &["--output", "json", "runs"]).must(0).json();
        let runs = ran["data"].as_array()?;
        let ended = |run: &&Value| run["state"]["end"]["end"] == "succeeded";
        (runs.len() == count && runs.iter().filter(ended).count() == count).then_some(())
    });
    run(site, disk, &["db", "check"]).must(0).says("sound");
    run(site, disk, &["audit", "verify"]).must(0);
}

#[test]
fn a_full_disk_under_the_database_or_an_artifact_is_said_and_survived() {
    let site = Site::new(None, &[("north", pipelines::work("north"))]);
    let Some(disk) = SmallDisk::mount(&site.home.path().join("state"), 24 * 1024) else { return };
    let mut daemon = serve(&site, &disk);
    site.deliver("north", 1);
    succeeded(&site, &disk, 1);
    // Not a byte is left; some for the record; all but enough for the delivery; all but enough for what is made of it.
    for (number, left) in [(2, 0), (3, 64), (4, 1500), (5, 2800)] {
        disk.fill(left);
        let before = daemon.complaints();
        site.deliver_rows("north", number, 120_000);
        eventually("it says what is wrong", || {
            let text = daemon.text();
            let said = text.contains("disk is full") || text.contains("No space left");
            (daemon.complaints() > before && said).then_some(())
        });
        assert_eq!((daemon.get("/healthz").status, daemon.process.0.try_wait().expect("ask").is_none()), (200, true));
        disk.clear();
        succeeded(&site, &disk, number);
        println!("with {left} KiB left: {} complaints", daemon.complaints() - before);
        for name in ["artifacts/staging", "scratch"] {
            assert_eq!(std::fs::read_dir(disk.path(name)).expect("a directory").count(), 0, "{name}");
        }
    }
    assert!(daemon.complaints() < 80, "{}", daemon.text());
    assert_eq!(daemon.process.terminate(), 0);
    // It may be full when one starts, which is then up without what it can not write, or says why it is not.
    disk.fill(0);
    let mut starting = site.start(disk.inside(&site.command(&["serve"])));
    site.deliver("north", 6);
    eventually("it says what is wrong", || {
        let ended = starting.process.0.try_wait().expect("ask for the daemon").is_some();
        let text = starting.text();
        (ended || text.contains("disk is full") || text.contains("No space left")).then_some(())
    });
    assert!(starting.text().contains("full") || starting.text().contains("No space left"), "{}", starting.text());
    disk.clear();
    drop(starting);
    let _daemon = serve(&site, &disk);
    succeeded(&site, &disk, 6);
}

#[test]
fn a_daemon_whose_log_can_not_be_written_works_on() {
    let site = Site::new(None, &[("north", pipelines::work("north"))]);
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let mut command = site.command(&["serve"]);
    let mut daemon =
        crate::harness::Running(command.stdout(Stdio::null()).stderr(full).spawn().expect("the daemon starts"));
    site.deliver("north", 1);
    site.succeeded(1);
    assert_eq!(daemon.terminate(), 0);
    site.is_sound();
}
