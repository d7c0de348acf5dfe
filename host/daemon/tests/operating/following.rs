//! `events -f`, `logs -f`, `status`.

use crate::harness::{Home, Running, newest_run};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{ChildStdout, Stdio};

/// A command that goes on, line by line.
struct Following {
    process: Running,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command(&[&["--demo", "--output", "json"], arguments].concat());
        let mut process = Running(command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("it starts"));
        let lines = BufReader::new(process.0.stdout.take().expect("standard output")).lines();
        Self { process, lines }
    }

    /// The lines up to the first one that fits; every one is a document.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut seen = Vec::new();
        for line in &mut self.lines {
            let document: Value = serde_json::from_str(&line.expect("a line")).expect("a document a line");
            seen.push(document["data"].clone());
            if fits(&seen[seen.len() - 1]) {
                return seen;
            }
        }
        panic!("it ended before that: {seen:#?}");
    }

    /// The lines that are left once it ends by itself.
    fn rest(mut self) -> Vec<Value> {
        let lines: Vec<Value> = (&mut self.lines)
            .map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON")["data"].clone())
            .collect();
        assert_eq!(self.process.0.wait().expect("it ends").code(), Some(0));
        lines
    }
}

fn logs(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let ran = home.run(&[&["--demo", "--output", "json", "logs"], arguments].concat()).must(0);
    let document = |line: &str| serde_json::from_str::<Value>(line).expect("a document a line");
    ran.stdout.lines().map(|line| document(line)["data"].clone()).collect()
}

fn says(line: &Value, text: &str) -> bool {
    line["message"].as_str().is_some_and(|message| message.contains(text))
}

#[test]
fn the_log_of_a_run_is_followed_until_it_is_over_and_nothing_is_printed_twice() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let run = newest_run(&home, &["--demo"]);
    let mut following = Following::start(&home, &["logs", &run, "-f"]);
    let mut seen = following.until(|line| says(line, "asks for a decision"));
    home.run(&["--demo", "approve", &run, "--reason", "looks right"]).must(0);
    seen.extend(following.rest());
    assert_eq!(seen, logs(&home, &[&run]), "following tells what looking afterwards tells");
    assert!(says(seen.last().expect("lines"), "succeeded"), "{seen:#?}");
    assert_eq!(seen.iter().filter(|line| says(line, "looks right")).count(), 1);
    let step = logs(&home, &[&run, "--step", "model"]);
    assert!(!step.is_empty() && step.iter().all(|line| line["step"] == "model"));
    home.run(&["--demo", "logs", "run_nonsense", "-f"]).must(2);
    let text = home.run(&["--demo", "logs", &run]).must(0).stdout;
    assert!(text.lines().count() >= seen.len() && text.contains("looks right"), "{text}");
}

#[test]
fn what_a_component_says_is_between_its_begin_and_its_end() {
    let home = Home::new();
    let component = home.path().join("misbehave.wasm");
    std::fs::write(&component, countersign_guests::MISBEHAVE).expect("write component");
    let text = "name = \"bad\"\n[step.bad]\ncomponent = \"misbehave\"\ngrant = [\"query\", \"clock\", \"random\"]\nparams = { how = \"many-logs\" }\n";
    let pipeline = home.write("pipeline.toml", text);
    let [component, pipeline] = [component, pipeline].map(|path| path.display().to_string());
    home.run(&["run", "--with", &component, &pipeline]).must(1);
    let ran = home.run(&["--output", "json", "logs", "--step", "bad"]).must(0);
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("a document a line")["data"].clone();
    let lines: Vec<Value> = ran.stdout.lines().map(line).collect();
    let levels: Vec<&str> = lines.iter().filter_map(|line| line["level"].as_str()).collect();
    let [first, said @ .., last] = &levels[..] else { panic!("{lines:#?}") };
    assert_eq!((*first, *last), ("event", "event"));
    assert!(!said.is_empty() && !said.contains(&"event"), "{levels:?}");
    assert!(says(&lines[1], "again") && says(&lines[lines.len() - 1], "failed ["), "{lines:#?}");
}

#[test]
fn every_run_and_every_event_is_followed_as_it_comes() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let first = newest_run(&home, &["--demo"]);
    let mut runs = Following::start(&home, &["logs", "-f"]);
    let mut events = Following::start(&home, &["events", "--follow"]);
    runs.until(|line| says(line, "asks for a decision"));
    assert_eq!(events.until(|event| event["outcome"]["run"] == first.as_str()).len(), 1);
    home.run(&["demo"]).must(4);
    let second = newest_run(&home, &["--demo"]);
    assert_ne!(first, second);
    let came = runs.until(|line| line["run"] == second.as_str() && says(line, "asks for a decision"));
    let of_second: Vec<&Value> = came.iter().filter(|line| line["run"] == second.as_str()).collect();
    assert!(says(of_second[0], "accepted"), "{came:#?}");
    assert!(came.iter().all(|line| line["run"] == second.as_str() || says(line, "superseded")), "{came:#?}");
    let came = events.until(|event| event["outcome"]["run"] == second.as_str());
    assert_eq!(came.len(), 1, "{came:#?}");
}

#[test]
fn status_tells_database_schema_pauses_and_duties() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let status = home.data(&["--demo", "status"]);
    assert!(status["database"].as_str().is_some_and(|database| database.starts_with("SQLite ")), "{status:#}");
    assert!(status["schema"].as_i64() > Some(0));
    assert_eq!((&status["paused"], &status["duties"]), (&serde_json::json!([]), &serde_json::json!([])));
    home.run(&["--demo", "pipeline", "pause", "taxi-tips", "--reason", "holidays"]).must(0);
    assert_eq!(home.data(&["--demo", "status"])["paused"][0]["pipeline"], "taxi-tips");
    home.run(&["--demo", "status"]).must(0).says("taxi-tips is paused by").says("holidays");
}

#[test]
fn status_tells_what_failed_lately_and_what_a_schedule_starts_next() {
    let home = Home::new();
    let component = home.path().join("misbehave.wasm");
    std::fs::write(&component, countersign_guests::MISBEHAVE).expect("write component");
    let text = "name = \"bad\"\n[trigger]\ncron = \"@yearly\"\n[step.bad]\ncomponent = \"misbehave\"\ngrant = [\"query\", \"clock\", \"random\"]\nparams = { how = \"panic\" }\n";
    let pipeline = home.write("pipeline.toml", text);
    let [component, pipeline] = [component, pipeline].map(|path| path.display().to_string());
    home.run(&["run", "--with", &component, &pipeline]).must(1);
    let status = home.data(&["status"]);
    assert_eq!(status["failed_in_a_day"], 1);
    let next = home.data(&["pipeline", "next", "bad"])[0]["utc"].as_str().expect("an instant").to_string();
    assert_eq!(status["next"]["pipeline"], "bad");
    assert_eq!(status["next"]["at"].as_str().map(|at| at[..16].replace('T', " ") + " UTC"), Some(next));
    home.run(&["status"]).must(0).says("1 failed in 24 h").says("next by schedule: bad in ");
    home.run(&["pipeline", "pause", "bad"]).must(0);
    assert_eq!(home.data(&["status"])["next"], Value::Null);
}
