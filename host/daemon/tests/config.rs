//! `config show` and `config check` as an operator runs them.

mod harness;

use harness::{Home, Ran};
use serde_json::Value;

const SETTINGS: &str = "\
poll_seconds = 7
pipelines = [\"pipelines\"]

[hooks.orders]
auth = \"token\"
";
const SECRET: (&str, &str) = ("COUNTERSIGN_HOOKS_ORDERS_SECRET", "canary-0123456789");
const PIPELINE: &str = include_str!("../../../config/pipelines/taxi-tips.toml");

fn run(home: &Home, arguments: &[&str]) -> Ran {
    let mut all = vec!["--config", "countersign.toml"];
    all.extend_from_slice(arguments);
    let mut command = home.command(&all);
    // The harness sets it for daemons; here the file speaks.
    command.env_remove("COUNTERSIGN_POLL_SECONDS").env(SECRET.0, SECRET.1);
    Ran::of(&command.output().expect("the binary runs"))
}

#[test]
fn every_setting_is_shown_with_its_origin_and_no_secret() {
    let home = Home::new();
    home.write("countersign.toml", SETTINGS);
    let shown = run(&home, &["config", "show", "--concurrency", "9"]).must(0);
    let line = |key: &str| {
        let mut cells = shown.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        cells.find(|cells| cells[0] == key).unwrap_or_else(|| panic!("{key} is missing: {}", shown.stdout)).join(" ")
    };
    assert_eq!(line("KEY"), "KEY VALUE ORIGIN");
    assert!(line("poll_seconds").ends_with("countersign.toml:1"), "{}", line("poll_seconds"));
    assert_eq!(line("lease_seconds"), "lease_seconds 5 COUNTERSIGN_LEASE_SECONDS");
    assert_eq!(line("drain_seconds"), "drain_seconds 20 default");
    assert_eq!(line("concurrency"), "concurrency 9 flag --concurrency");
    assert_eq!(line("hooks.orders.secret"), format!("hooks.orders.secret (secret) {}", SECRET.0));
    let json = run(&home, &["--output", "json", "config", "show"]).must(0);
    let secret = |one: &&Value| one["key"] == "hooks.orders.secret";
    let all = json.json()["data"]["settings"].clone();
    let one = all.as_array().unwrap().iter().find(secret).unwrap().clone();
    assert_eq!((&one["secret"], &one["origin"]["name"]), (&Value::from(true), &Value::from(SECRET.0)));
    assert!(!format!("{}{}", shown.stdout, json.stdout).contains("canary"));
}

#[test]
fn every_mistake_of_every_file_is_told_and_what_was_checked() {
    let home = Home::new();
    home.write("countersign.toml", SETTINGS);
    run(&home, &["config", "check"]).must(2).says("/pipelines: No such file").says("pipelines: wrong");
    home.write("pipelines/good.toml", PIPELINE);
    run(&home, &["config", "check"])
        .must(0)
        .says("good.toml: taxi-tips is sound")
        .says("countersign.toml and the environment: sound");

    let lost = "http = [\"order\"]\nafter = [\"features\"]\narrival = ";
    home.write("pipelines/good.toml", &PIPELINE.replacen("arrival = ", lost, 1));
    home.write("pipelines/one.toml", &PIPELINE.replacen("overlap = \"wait\"", "overlap = \"cancel\"", 1));
    home.write("pipelines/two.toml", "name = \"two\"\n");
    let told = run(&home, &["config", "check"]).must(2);
    let told = told.says("pipeline.bad-overlap").says("pipeline.no-steps").says("one.toml: wrong");
    told.says("the hook `order`, which the settings do not have (did you mean `orders`?)").says("a push of `features`");
    let report = run(&home, &["--output", "json", "config", "check"]).must(2).json();
    let pipelines = report["data"]["pipelines"].as_array().unwrap();
    let code = |one: &Value| one["diagnostics"]["diagnostics"][0]["code"].as_str().map(str::to_string);
    let codes: Vec<String> = pipelines.iter().filter_map(code).collect();
    assert_eq!((codes, pipelines.len()), (vec!["pipeline.bad-overlap".into(), "pipeline.no-steps".into()], 3));
    assert_eq!(report["data"]["disagreements"].as_array().unwrap().len(), 2);

    home.write("countersign.toml", "poll_seconds = 0\n[database]\nurl = \"postgres://ada:canary@db/c\"\n");
    let told = run(&home, &["config", "check"]).must(2).says("file.out-of-range").says("settings.secret-in-settings");
    assert!(!told.stderr.contains("canary"), "{}", told.stderr);
}

#[test]
fn what_is_wrong_about_the_logs_filter_is_found_before_a_start() {
    let home = Home::new();
    home.write("countersign.toml", "[log]\nfilter = \"info,sqlx=loud\"\n");
    run(&home, &["config", "check"]).must(2).says("`log.filter`: `info,sqlx=loud` is no filter");
}

#[test]
fn programs_get_a_document_for_a_command_line_that_can_not_be_read() {
    let home = Home::new();
    for line in [&["--output", "json", "runs", "--nope"][..], &["--output=json", "runs", "--status", "lost"]] {
        let ran = Ran::of(&home.command(line).output().expect("the binary runs")).must(2);
        assert_eq!(ran.json()["schema"], "countersign.error/1");
    }
    let help = Ran::of(&home.command(&["runs", "--help", "--output", "json"]).output().expect("the binary runs"));
    assert!(help.must(0).stdout.starts_with("List runs"));
}

#[test]
fn a_reader_that_has_gone_is_no_mistake() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ran = Ran::of(&home.command(&["config", "show"]).stdout(writer).output().expect("the binary runs")).must(141);
    assert_eq!(ran.stderr, "");
}
