//! Files that arrive in directories.

use crate::harness::eventually;
use crate::pipelines::{INGEST, NOTE, rows};
use crate::site::Site;
use std::process::Command;

fn source(name: &str, ready: &str) -> String {
    format!("[trigger]\narrival = [\"rows\"]\n[source.rows]\npath = \"../incoming/{name}-{{SPAN}}.csv\"\n{ready}\n")
}

/// What lies in `incoming`, by the events of a pipeline.
fn arrived(site: &Site, pipeline: &str) -> Vec<String> {
    let found = site.record.texts(&format!("SELECT cause FROM events WHERE pipeline = '{pipeline}' ORDER BY id"));
    let name = |cause: String| {
        let cause: serde_json::Value = serde_json::from_str(&cause).expect("a cause");
        cause["path"].as_str().and_then(|path| path.rsplit('/').next()).expect("a path").to_string()
    };
    found.into_iter().map(name).collect()
}

fn until_arrived(site: &Site, pipeline: &str, names: &[&str]) {
    eventually(&format!("{names:?} arrived for {pipeline}"), || (arrived(site, pipeline) == names).then_some(()));
}

#[test]
fn a_file_counts_once_it_is_whole_and_again_when_it_is_another() {
    let mut site = Site::new("");
    site.pipeline("renamed", &(source("renamed", "ready = \"renamed\"") + INGEST));
    site.pipeline("marked", &(source("marked", "ready = \"marker\"\nmarker = \"{NAME}.done\"") + NOTE));
    site.pipeline("settled", &(source("settled", "ready = \"settled\"\nsettle_seconds = 1") + NOTE));
    // It came while nobody was there.
    site.deliver("renamed-1.csv", &rows(1));
    site.home.write("incoming/marked-1.csv", &rows(1));
    site.serve();
    until_arrived(&site, "renamed", &["renamed-1.csv"]);
    site.deliver("renamed-2.csv", &rows(2));
    site.home.write("incoming/settled-1.csv", &rows(1));
    until_arrived(&site, "renamed", &["renamed-1.csv", "renamed-2.csv"]);
    until_arrived(&site, "settled", &["settled-1.csv"]);
    assert_eq!(arrived(&site, "marked"), [] as [&str; 0], "its marker is not there");
    site.home.write("incoming/marked-1.csv.done", "");
    until_arrived(&site, "marked", &["marked-1.csv"]);

    touched_and_rewritten(&site);
    site.until_count("renamed", "succeeded", 4);
    let unread = "SELECT count(*) FROM runs r WHERE pipeline = 'renamed' AND NOT EXISTS \
                  (SELECT 1 FROM artifacts a WHERE a.run = r.id AND a.kind = 'Delivery')";
    assert_eq!(site.record.number(unread), 0, "each run read its delivery");
    site.stop();
}

fn touched_and_rewritten(site: &Site) {
    let seen = "SELECT count(*) FROM events WHERE pipeline = 'renamed' AND seen = 2";
    assert_eq!(site.record.number(seen), 0);
    // Another time, the same bytes: counted, not run.
    site.deliver("renamed-1.csv", &rows(1));
    eventually("the touched file was seen again", || (site.record.number(seen) == 1).then_some(()));
    site.deliver("renamed-1.csv", &rows(3));
    until_arrived(site, "renamed", &["renamed-1.csv", "renamed-2.csv", "renamed-1.csv"]);
    // Under another name the same content is no news.
    site.deliver("renamed-3.csv", &rows(3));
    site.deliver("renamed-4.csv", &rows(4));
    until_arrived(
        site,
        "renamed",
        &["renamed-1.csv", "renamed-2.csv", "renamed-1.csv", "renamed-3.csv", "renamed-4.csv"],
    );
    let outcomes = site.outcomes("renamed");
    assert!(outcomes[3].contains("same content as"), "{outcomes:?}");
    assert!([0, 1, 2, 4].iter().all(|at| outcomes[*at] == "run"), "{outcomes:?}");
}

/// A shell in a namespace in which nobody gets a watch; what follows replaces it.
const UNWATCHED: [&str; 4] = ["-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\" \"$@\""];

#[test]
fn a_daemon_that_is_told_of_no_change_finds_everything_all_the_same() {
    let allowed = Command::new("unshare").args(UNWATCHED).arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this machine gives no user namespace in which watches can be forbidden");
        return;
    }
    let mut site = Site::new("");
    site.pipeline("renamed", &(source("renamed", "ready = \"renamed\"") + NOTE));
    site.deliver("renamed-1.csv", "1");
    let usual = site.command(&["serve"]);
    let mut unwatched = Command::new("unshare");
    unwatched.args(UNWATCHED).arg(usual.get_program()).args(usual.get_args()).env_clear().current_dir(site.home.path());
    unwatched.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
    site.serve_as(unwatched);
    site.logged("directories can not be watched");
    until_arrived(&site, "renamed", &["renamed-1.csv"]);
    site.deliver("renamed-2.csv", "2");
    until_arrived(&site, "renamed", &["renamed-1.csv", "renamed-2.csv"]);
    site.deliver("renamed-1.csv", "another");
    until_arrived(&site, "renamed", &["renamed-1.csv", "renamed-2.csv", "renamed-1.csv"]);
    site.until_count("renamed", "succeeded", 3);
    assert_eq!(site.log().matches("can not be watched").count(), 1, "said once");
    site.stop();
}
