//! SIGKILL at any step: `serve` finishes the run, once.

mod harness;

use harness::{Home, eventually, newest_run, show};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

const DEMO: &[&str] = &["--demo"];

/// Starts the demo and kills it as soon as it prints `line`: then the next step is going on, or about to.
fn kill_after(home: &Home, line: &str) {
    let mut running = home.spawn(&["demo"]);
    let mut lines = BufReader::new(running.0.stdout.take().expect("standard output")).lines();
    let seen = lines.any(|printed| printed.expect("a line").contains(line));
    assert!(seen, "`{line}` was never printed");
    running.kill();
}

/// Serves until the newest run is in `status`, then stops the daemon.
fn serve_until(home: &Home, status: &str) -> Value {
    let mut daemon = home.serve(&["--demo"]);
    let shown = reached(home, &newest_run(home, DEMO), status);
    assert_eq!(daemon.terminate(), 0, "the daemon stops cleanly");
    shown
}

fn reached(home: &Home, run: &str, status: &str) -> Value {
    eventually(status, || {
        let shown = show(home, DEMO, run);
        (shown["run"]["state"]["status"] == status).then_some(shown)
    })
}

/// What became of the file that arrived, once that is recorded: the demo laid down one.
fn outcome_of_arrival(home: &Home) -> Value {
    eventually("an arrival", || {
        let events = home.data(&["--demo", "events"]);
        let arrived = events.as_array()?.iter().find(|listed| listed["event"]["cause"]["cause"] == "arrival")?;
        Some(arrived["outcome"].clone())
    })
}

fn each_step_ended_well_once(run: &Value) {
    let mut ended: BTreeMap<String, u32> = BTreeMap::new();
    for execution in run["executions"].as_array().expect("executions") {
        let status = execution["state"]["status"].as_str().expect("status");
        assert_ne!(status, "running", "{execution:#}");
        if status == "succeeded" || status == "cached" {
            *ended.entry(execution["step"].as_str().expect("step").to_string()).or_default() += 1;
        }
    }
    assert!(ended.len() >= 8 && ended.values().all(|count| *count == 1), "{ended:?}");
}

#[test]
fn a_run_killed_at_any_step_is_finished_once() {
    let points = [
        "started by",
        "✔ examples",
        "✔ statistics",
        "✔ schema",
        "✔ validation",
        "✔ transform",
        "✔ model",
        "✔ evaluation",
    ];
    for point in points {
        let home = Home::new();
        kill_after(&home, point);
        let mut daemon = home.serve(DEMO);
        let id = newest_run(&home, DEMO);
        let run = reached(&home, &id, "waiting");
        each_step_ended_well_once(&run);
        assert_eq!(run["requests"].as_array().expect("requests").len(), 1, "killed after {point}");
        // The daemon finds the file too, which that run read.
        assert_eq!(outcome_of_arrival(&home)["reason"], format!("same content as {id} read"), "killed after {point}");
        assert_eq!(daemon.terminate(), 0, "the daemon stops cleanly");
        assert_eq!(home.data(&["--demo", "runs"]).as_array().expect("runs").len(), 1);
        home.run(&["--demo", "audit", "verify"]).must(0);
    }
}

#[test]
fn a_push_killed_after_its_decision_is_finished_once() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let run = newest_run(&home, DEMO);
    let mut running = home.spawn(&["--demo", "approve", &run, "--reason", "looks right"]);
    let mut lines = BufReader::new(running.0.stdout.take().expect("standard output")).lines();
    assert!(lines.any(|line| line.expect("a line").contains("recorded: approve")));
    running.kill();
    let run = serve_until(&home, "ended");
    assert_eq!(run["run"]["state"]["end"]["end"], "succeeded");
    let models = home.demo().join("models/taxi-tips");
    let names: Vec<String> = std::fs::read_dir(&models)
        .expect("models")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "current" && name != ".lock")
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(models.join("current/model.onnx").is_file());
    home.run(&["--demo", "audit", "verify"]).must(0);
}

#[test]
fn the_daemon_runs_what_arrives() {
    let home = Home::new();
    home.write(
        "pipelines/arrivals.toml",
        "name = \"arrivals\"\n[trigger]\narrival = [\"rows\"]\n[source.rows]\npath = \"../incoming/rows-{SPAN}.csv\"\n\
         settle_seconds = 1\n[step.examples]\ncomponent = \"ingest\"\ngrant = [\"query\"]\ninputs = { delivery = \"rows\" }\n",
    );
    let settings =
        home.write("countersign.toml", "state_dir = \".local/share/countersign\"\npipelines = [\"pipelines\"]\n");
    std::fs::create_dir_all(home.path().join("incoming")).expect("create directory");
    let config = ["--config", settings.to_str().expect("a path")];
    let mut daemon = home.serve(&config);
    let mut rows = "a,b\n".to_string();
    for row in 0..100 {
        rows.push_str(&format!("{row},x{row}\n"));
    }
    home.write("incoming/rows-1.csv", &rows);
    let ended = |count: usize| {
        eventually("a finished run", || {
            let runs = home.data(&[config[0], config[1], "runs"]);
            let done = runs.as_array()?.iter().filter(|run| run["state"]["end"]["end"] == "succeeded").count();
            (done == count).then_some(runs)
        })
    };
    let runs = ended(1);
    assert_eq!(runs[0]["cause"]["cause"], "arrival");
    assert_eq!(runs[0]["span"], "1");
    home.write("incoming/rows-2.csv", &format!("{rows}100,x100\n"));
    ended(2);
    assert_eq!(daemon.terminate(), 0);
}

#[test]
fn the_next_run_in_a_terminal_first_finishes_the_one_that_was_killed() {
    let home = Home::new();
    kill_after(&home, "✔ validation");
    home.run(&["demo"]).must(4).says("goes on");
    let runs = home.data(&["--demo", "runs"]);
    let ends: Vec<&str> =
        runs.as_array().expect("runs").iter().filter_map(|run| run["state"]["status"].as_str()).collect();
    assert_eq!(ends, ["waiting", "ended"], "the newer candidate superseded the one that was finished first");
}
