//! Retention over the real binary: what policy allows goes, what pushed models need stays, and a kill in between leaves nothing wrong.

mod harness;
#[allow(dead_code, reason = "sign-off's tests use the rest")]
#[path = "signed_off/prepared.rs"]
mod prepared;

use harness::{Home, Ran, newest_run, show};
use prepared::{GATE, ROWS, copy, people, pipeline};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

const CONFIG: &[&str] = &["--config", "countersign.toml"];
const GC: &[&str] = &["gc", "--keep-days", "0", "--keep-runs", "1"];
const INGEST: &str = r#"
name = "rows"
[source.rows]
path = "../rows.csv"
[step.examples]
component = "ingest"
grant = ["query"]
inputs = { delivery = "rows" }
"#;

fn run(home: &Home, arguments: &[&str]) -> Ran {
    home.run(&[CONFIG, arguments].concat())
}

fn data(home: &Home, arguments: &[&str]) -> Value {
    home.data(&[CONFIG, arguments].concat())
}

/// The digests of everything that is stored.
fn stored(home: &Home) -> BTreeSet<String> {
    let shelves = std::fs::read_dir(home.path().join("state/artifacts/sha256")).expect("shelves").flatten();
    let entries = shelves.flat_map(|shelf| std::fs::read_dir(shelf.path()).expect("a shelf").flatten());
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_string()
}

/// Another home with the same in it.
fn again(home: &Path) -> Home {
    let other = Home::new();
    for entry in std::fs::read_dir(home).expect("a home").flatten() {
        copy(&entry.path(), &other.path().join(entry.file_name()));
    }
    other
}

/// A was pushed, then C was rejected, then B was pushed, each from other data.
struct Story {
    home: Home,
    pushed: [String; 2],
    rejected: String,
}

fn story() -> &'static Story {
    static STORY: OnceLock<Story> = OnceLock::new();
    STORY.get_or_init(|| {
        let home = Home::new();
        home.write("countersign.toml", &format!("state_dir = \"state\"\n{}", people()));
        home.write("pipelines/taxi-tips.toml", &pipeline(GATE));
        let candidate = |day: u32, more: usize| {
            let more: Vec<&str> = ROWS.lines().skip(1).take(more).collect();
            home.write(&format!("incoming/trips-2026-11-0{day}.csv"), &format!("{ROWS}{}\n", more.join("\n")));
            run(&home, &["run", "pipelines/taxi-tips.toml"]).must(4);
            newest_run(&home, CONFIG)
        };
        let model = |run: &str| text(&show(&home, CONFIG, run)["requests"][0]["request"]["model_digest"]);
        let approve = |id: String| {
            run(&home, &["approve", &id, "--reason", "seen"]).must(0).says("is live at");
            model(&id)
        };
        let first = approve(candidate(1, 0));
        let unwanted = candidate(2, 300);
        run(&home, &["reject", &unwanted, "--reason", "no better"]).must(0).says("was rejected");
        let second = approve(candidate(3, 600));
        Story { pushed: [first, second], rejected: model(&unwanted), home }
    })
}

/// Everything that is told of a pushed model.
fn told(home: &Home, model: &str, number: usize) -> Vec<Value> {
    let explained = data(home, &["explain", model]);
    let lineage = data(home, &["lineage", explained["model"]["id"].as_str().expect("an identifier")]);
    for artifact in lineage["artifacts"].as_array().expect("artifacts") {
        assert!(stored(home).contains(&text(&artifact["digest"])), "{artifact}");
    }
    let bundle = format!("bundle-{number}-{}", stored(home).len());
    run(home, &["bundle", model, &bundle, "--with-examples"]).must(0);
    let verified = data(home, &["verify", &bundle, "--key", "state/signing.pub"]);
    assert_eq!(verified["valid"], true, "{verified}");
    let live_since = text(&explained["pushes"][0]["completed_at"]);
    let deployed = data(home, &["deployed", "taxi-tips", "--at", &live_since]);
    assert_eq!(deployed["push"]["model"], model);
    vec![explained, lineage, verified, deployed]
}

#[test]
fn what_policy_allows_goes_and_pushed_models_keep_their_story() {
    let story = story();
    let home = again(story.home.path());
    let tell = || [told(&home, &story.pushed[0], 1), told(&home, &story.pushed[1], 2)];
    let (before, had) = (tell(), stored(&home));
    let audit = data(&home, &["status"])["audit_entries"].clone();

    let mut foreseen = data(&home, &[GC, &["--dry-run"]].concat());
    assert_eq!(
        (stored(&home), &data(&home, &["status"])["audit_entries"]),
        (had.clone(), &audit),
        "nothing is touched"
    );
    run(&home, &[GC, &["--dry-run"]].concat())
        .must(0)
        .says("taxi-tips: 1 runs")
        .says("pushed models need them")
        .says("would free");
    let mut happened = data(&home, GC);
    for report in [&mut foreseen, &mut happened] {
        report["dry_run"] = Value::Null;
        report["keep"]["since"] = Value::Null;
    }
    assert_eq!(foreseen, happened);

    let removed = &happened["pipelines"]["taxi-tips"]["removed"];
    for kind in ["Model", "Checkpoints", "Evaluation", "ExampleDifficulty", "TransformGraph"] {
        assert_eq!(removed[kind]["artifacts"], 1, "{kind}: {happened:#}");
        assert!(removed[kind]["bytes"].as_u64().expect("bytes") > 0, "{kind}: {happened:#}");
    }
    assert!(happened["pipelines"]["taxi-tips"]["stays"]["pushed"].as_u64().expect("a count") >= 3, "{happened:#}");
    let left = stored(&home);
    assert!(left.is_subset(&had) && left.len() < had.len());
    assert!(had.contains(&story.rejected) && !left.contains(&story.rejected));
    assert_eq!(tell(), before);
    run(&home, &["audit", "verify"]).must(0);
    run(&home, &["db", "check"]).must(0).says("sound");
    run(&home, GC).must(0).says("nothing to remove");
    // The next candidate has its history, and goes live.
    let more: Vec<&str> = ROWS.lines().skip(1).take(900).collect();
    home.write("incoming/trips-2026-11-04.csv", &format!("{ROWS}{}\n", more.join("\n")));
    run(&home, &["run", "pipelines/taxi-tips.toml"]).must(4);
    run(&home, &["approve", &newest_run(&home, CONFIG), "--reason", "seen"]).must(0).says("is live at");
}

#[test]
fn nothing_goes_unless_somebody_says_for_how_long_runs_are_kept() {
    let story = story();
    let home = again(story.home.path());
    let had = stored(&home);
    run(&home, &["gc"]).must(0).says("every run is kept for ever");
    assert_eq!(data(&home, &["gc", "--keep-runs", "0"])["keep"], Value::Null);
    run(&home, &["gc", "--keep-days", "1", "--keep-runs", "0"]).must(0).says("nothing to remove");
    run(&home, &["gc", "--keep-days", "0", "--keep-runs", "3"]).must(0).says("nothing to remove");
    let settings = home.path().join("countersign.toml");
    let words = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("{words}[retention]\nkeep_days = 30\nkeep_runs = 1\n")).expect("settings");
    run(&home, &["gc"]).must(0).says("nothing to remove");
    assert_eq!(data(&home, &["gc", "--dry-run"])["keep"]["newest"], 1);
    assert_eq!(stored(&home), had);
}

/// A home in which rows of so many kinds were read, one run each.
fn ingested(kinds: u32) -> Home {
    let home = Home::new();
    home.write("countersign.toml", "state_dir = \"state\"\n");
    home.write("pipelines/rows.toml", INGEST);
    for kind in 0..kinds {
        ingest(&home, kind, "succeeded");
    }
    home
}

fn ingest(home: &Home, kind: u32, status: &str) {
    let rows: Vec<String> = (0..100).map(|row| format!("{row},{kind}")).collect();
    home.write("rows.csv", &format!("a,b\n{}\n", rows.join("\n")));
    run(home, &["run", "pipelines/rows.toml"]).must(0);
    let shown = show(home, CONFIG, &newest_run(home, CONFIG));
    assert_eq!(shown["executions"][0]["state"]["status"], status, "{shown:#}");
}

#[test]
fn a_cached_step_whose_bytes_went_runs_again() {
    let home = ingested(3);
    let had = stored(&home);
    // As long as its bytes are there it is used again; a run that is kept keeps them.
    ingest(&home, 0, "cached");
    let report = data(&home, GC);
    assert_eq!(report["pipelines"]["rows"]["runs"], 3, "{report:#}");
    assert_eq!(report["pipelines"]["rows"]["removed"]["Examples"]["artifacts"], 2, "{report:#}");
    assert_eq!(report["pipelines"]["rows"]["stays"]["used"], 1, "{report:#}");
    ingest(&home, 0, "cached");
    ingest(&home, 1, "succeeded");
    ingest(&home, 1, "cached");
    assert!(stored(&home).is_subset(&had), "equal bytes");
}

#[test]
fn a_killed_gc_leaves_nothing_wrong_and_the_next_one_finishes() {
    let home = ingested(4);
    let clean = again(home.path());
    data(&clean, GC);
    let wanted = stored(&clean);
    assert!(wanted.len() < stored(&home).len());
    for place in [
        "store.collect:before",
        "store.collect:after",
        "artifact.remove:before",
        "artifact.remove:after",
        "artifact.remove:before:2",
        "artifact.remove:after:3",
    ] {
        let home = again(home.path());
        let mut gc = home.command(&[CONFIG, GC].concat());
        let killed = Ran::of(&gc.env("COUNTERSIGN_FAILPOINT", place).output().expect("the binary runs"));
        assert_eq!(killed.code, -1, "{place}: {}", killed.stderr);
        run(&home, &["audit", "verify"]).must(0);
        run(&home, &["db", "check"]).must(0);
        assert!(stored(&home).is_superset(&wanted), "{place}");
        let foreseen = data(&home, &[GC, &["--dry-run"]].concat());
        let happened = data(&home, GC);
        assert_eq!(foreseen["bytes"], happened["bytes"], "{place}");
        assert_eq!(stored(&home), wanted, "{place}");
        let nothing = data(&home, &[GC, &["--dry-run"]].concat());
        assert_eq!((&nothing["pipelines"], &nothing["bytes"]), (&json!({}), &json!(0)), "{place}");
        ingest(&home, 0, "succeeded");
    }
}
