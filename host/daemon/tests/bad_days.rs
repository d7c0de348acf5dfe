//! Bad input and bad components: each ends in a clear error that names what and where, the run in a named state.

mod harness;

use harness::{Home, eventually, newest_run, show};

const INGEST: &str = r#"
name = "bad-data"
[source.rows]
path = "rows.csv"
[step.examples]
component = "ingest"
grant = ["query"]
inputs = { delivery = "rows" }
"#;

fn ingest(rows: &str) -> (Home, harness::Ran) {
    let home = Home::new();
    home.write("rows.csv", rows);
    let pipeline = home.write("pipeline.toml", INGEST);
    let ran = home.run(&["run", pipeline.to_str().unwrap()]);
    (home, ran)
}

#[track_caller]
fn failed_run_says(home: &Home, code: &str) {
    let run = show(home, &[], &newest_run(home, &[]));
    assert_eq!(run["run"]["state"]["end"]["end"], "failed", "{run:#}");
    assert_eq!(run["executions"][0]["state"]["error"]["code"], code, "{run:#}");
    home.run(&["audit", "verify"]).must(0);
}

#[test]
fn data_that_can_not_be_used_is_named() {
    let home = Home::new();
    let pipeline = home.write("pipeline.toml", INGEST);
    home.run(&["run", pipeline.to_str().unwrap()]).must(1).says("rows.csv").says("put one there");

    let (home, ran) = ingest("");
    ran.must(1).says("empty");
    failed_run_says(&home, "invalid-input");

    let (home, ran) = ingest("a,b\n");
    ran.must(1).says("header");
    failed_run_says(&home, "invalid-input");

    let (home, ran) = ingest("a,a\n1,2\n");
    ran.must(1).says("a");
    failed_run_says(&home, "invalid-input");
}

#[test]
fn ragged_rows_are_set_aside_with_their_lines() {
    let mut rows = "a,b\n".to_string();
    for row in 0..200 {
        rows.push_str(&format!("{row},x{row}\n"));
    }
    rows.push_str("1,2,3\n4\n");
    let (home, ran) = ingest(&rows);
    ran.must(0).says("200 rows").says("2 bad rows set aside");
    let run = show(&home, &[], &newest_run(&home, &[]));
    let digest = run["executions"][0]["state"]["result"]["outputs"]["examples"]["digest"].as_str().unwrap().to_string();
    let set_aside = home.state().join(format!("artifacts/sha256/{}/{digest}/files/_rejected.csv", &digest[..2]));
    let text = std::fs::read_to_string(set_aside).expect("the rows that were set aside");
    assert!(text.contains("202,") && text.contains("203,"), "{text}");
}

#[test]
fn pipelines_that_are_wrong_are_refused_with_their_place() {
    let home = Home::new();
    let wrong = home.write("wrong.toml", &INGEST.replace("ingest", "injest"));
    home.run(&["run", wrong.to_str().unwrap()]).must(2).says("injest").says("ingest").says("wrong.toml:6");
    let told = home.run(&["--output", "json", "pipeline", "check", wrong.to_str().unwrap()]).must(2).json();
    let first = &told["data"]["diagnostics"]["diagnostics"][0];
    assert_eq!(
        (first["code"].as_str(), first["span"]["line"].as_u64()),
        (Some("pipeline.unknown-component"), Some(6)),
        "{told:#}"
    );
    let ungranted = home.write("ungranted.toml", &INGEST.replace("grant = [\"query\"]\n", ""));
    home.run(&["pipeline", "check", ungranted.to_str().unwrap()]).must(2).says("query").says("grant");
    let big = home.write("big.toml", &"# filler filler filler filler filler filler filler\n".repeat(25_000));
    home.run(&["run", big.to_str().unwrap()]).must(2).says("larger than 1024 KiB");
    home.run(&["run", "nowhere.toml"]).must(2).says("nowhere.toml");
    assert_eq!(home.data(&["runs"]).as_array().unwrap().len(), 0, "a wrong file started a run");
}

/// Runs the misbehaving guest.
fn misbehave(how: &str, limits: &str) -> (Home, harness::Ran) {
    let home = Home::new();
    let arguments = misbehaving(&home, how, limits);
    let ran = home.run(&arguments.each_ref().map(String::as_str));
    (home, ran)
}

/// The command that runs the misbehaving guest.
fn misbehaving(home: &Home, how: &str, limits: &str) -> [String; 4] {
    let component = home.path().join("misbehave.wasm");
    std::fs::write(&component, countersign_guests::MISBEHAVE).expect("write component");
    let pipeline = home.write(
        "pipeline.toml",
        &format!(
            "name = \"bad\"\n[step.bad]\ncomponent = \"misbehave\"\ngrant = [\"query\", \"clock\", \"random\"]\n\
             params = {{ how = \"{how}\" }}\nlimits = {{ {limits} }}\n"
        ),
    );
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_string();
    ["run".to_string(), "--with".to_string(), path(component), path(pipeline)]
}

#[test]
fn components_that_misbehave_fail_their_step_and_nothing_else() {
    let cases = [
        ("panic", "", "trap", "the sky is falling"),
        ("unreachable", "", "trap", "unreachable"),
        ("loop-forever", "time_seconds = 1", "limit.time", "time_seconds"),
        ("eat-memory", "memory_mib = 64", "limit.memory", "memory_mib"),
        ("recurse", "", "trap", "stack"),
        ("write-without-end", "output_mib = 16", "limit.output", "output_mib"),
        ("no-output", "", "output.missing", "output"),
        ("symlink-output", "", "output.missing", "output"),
        ("invalid-input", "", "invalid-input", "fare"),
        ("refused", "", "refused", "not with this model"),
    ];
    for (how, limits, code, said) in cases {
        let (home, ran) = misbehave(how, limits);
        ran.must(1).says(said);
        failed_run_says(&home, code);
    }
}

#[test]
fn cancelling_a_run_stops_a_component_that_never_ends_and_leaves_nothing() {
    for how in ["loop-forever", "sleep-forever"] {
        let home = Home::new();
        let arguments = misbehaving(&home, how, "time_seconds = 3600");
        let mut running = home.spawn(&arguments.each_ref().map(String::as_str));
        let scratch = home.state().join("scratch");
        eventually("a component that runs", || std::fs::read_dir(&scratch).ok()?.next().map(drop));
        let run = newest_run(&home, &[]);
        home.run(&["cancel", &run]).must(0);
        assert_eq!(running.0.wait().expect("the process ends").code(), Some(1), "{how}");
        assert_eq!(show(&home, &[], &run)["run"]["state"]["end"]["end"], "cancelled", "{how}");
        for directory in [scratch, home.state().join("artifacts/staging")] {
            let left: Vec<_> = std::fs::read_dir(&directory).expect("a directory").flatten().collect();
            assert!(left.is_empty(), "{how} left {left:?}");
        }
        home.run(&["audit", "verify"]).must(0);
    }
}

#[test]
fn a_gigabyte_of_print_is_cut_and_counted() {
    let (home, ran) = misbehave("print-gigabyte", "");
    // It prints and leaves nothing.
    ran.must(1).says("left nothing");
    let run = newest_run(&home, &[]);
    home.run(&["show", &run, "--log", "bad"]).must(0).says("dropped");
    let database = std::fs::metadata(home.state().join("metadata.db")).expect("the database").len();
    assert!(database < 8 * 1024 * 1024, "the log took {database} bytes");
}

#[test]
fn a_component_that_is_none_is_refused_by_name() {
    let home = Home::new();
    let garbage = home.write("garbage.wasm", "this is no component");
    home.run(&["plugin", "inspect", garbage.to_str().unwrap()]).must(2).says("garbage.wasm");
    home.run(&["plugin", "inspect", "no-such"]).must(2).says("no-such").says("ingest");
}
