//! The demo as a stranger sees it: first run, decision, second run, drifted data, new clean data.

mod harness;

use harness::{Home, newest_run, show};
use serde_json::Value;

const DEMO: &[&str] = &["--demo"];
const STEPS: [&str; 8] =
    ["examples", "statistics", "schema", "validation", "transform", "model", "evaluation", "difficulty"];

fn statuses(run: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let executions = run["executions"].as_array().expect("executions");
    executions.iter().map(|one| (text(&one["step"]), text(&one["state"]["status"]))).collect()
}

fn execution<'a>(run: &'a Value, step: &str) -> &'a Value {
    let executions = run["executions"].as_array().expect("executions");
    executions.iter().find(|one| one["step"] == step).unwrap_or_else(|| panic!("no step {step}"))
}

#[test]
fn from_the_first_run_to_a_decision_and_on() {
    let home = Home::new();

    // The first run goes to the gate, shows the evidence and waits: nobody sits at this terminal.
    home.run(&["demo"])
        .must(4)
        .says("15,002 rows")
        .says("pickup_census_tract")
        .says("evidence")
        .says("error by decile")
        .says("worst: ")
        .says("waits for a decision")
        .says("countersign --demo approve run_");
    let first = newest_run(&home, DEMO);
    let shown = show(&home, DEMO, &first);
    let expected: Vec<(String, String)> =
        STEPS.iter().map(|step| (step.to_string(), "succeeded".to_string())).collect();
    assert_eq!(statuses(&shown), expected);
    assert_eq!(shown["run"]["state"]["status"], "waiting");
    let evidence: Value = serde_json::from_str(shown["requests"][0]["request"]["evidence"].as_str().unwrap()).unwrap();
    assert_eq!(evidence["baseline"], Value::Null);
    assert_eq!(
        evidence["shown"]["rows"]["train"].as_u64().unwrap() + evidence["shown"]["rows"]["eval"].as_u64().unwrap(),
        15_002
    );
    let auc = evidence["shown"]["metrics"][0]["candidate"].as_f64().unwrap();
    assert!(auc > 0.8, "auc {auc}");

    // Nothing is live before a person said so; a decision on other evidence is refused.
    assert!(!home.demo().join("models").exists());
    home.run(&["--demo", "approve", &first, "--reason", "x", "--evidence", "000000000000"]).must(2).says("look again");
    home.run(&["--demo", "approve", &first, "--reason", "looks right"])
        .must(0)
        .says("recorded: approve")
        .says("is live at");
    let models = home.demo().join("models/taxi-tips");
    let live = std::fs::read_link(models.join("current")).expect("a live version");
    assert!(models.join(&live).join("model.onnx").is_file() && models.join(&live).join("evidence.json").is_file());

    // Deciding again changes nothing and says so.
    home.run(&["--demo", "reject", &first, "--reason", "too late"]).says("recorded as late");
    assert_eq!(show(&home, DEMO, &first)["run"]["state"]["end"]["end"], "succeeded");

    // The second run does nothing again, and needs no second signature on the same evidence.
    home.run(&["demo"])
        .must(0)
        .says("cached from")
        .says("already approved on the same evidence")
        .says("was live already");
    let second = show(&home, DEMO, &newest_run(&home, DEMO));
    assert!(statuses(&second).iter().all(|(_, status)| status == "cached"), "{:?}", statuses(&second));
    assert_eq!(std::fs::read_link(models.join("current")).unwrap(), live);

    // Drifted data is caught: which feature, expected, seen, previous; the model stays.
    home.run(&["demo", "--with", "drift"]).must(3).says("fare").says("previous").says("blocked").says("exit code 3");
    let blocked = show(&home, DEMO, &newest_run(&home, DEMO));
    assert_eq!(blocked["run"]["state"]["end"]["end"], "blocked");
    let findings = execution(&blocked, "validation")["state"]["result"]["findings"].as_array().unwrap().clone();
    let fare = findings
        .iter()
        .find(|finding| finding["subject"] == "fare" && finding["kind"] == "drift")
        .expect("fare drifted");
    for fact in ["expected", "seen", "previous"] {
        assert!(fare[fact].is_string(), "{fact} is missing: {fare}");
    }
    assert!(statuses(&blocked).iter().all(|(step, _)| step != "model"), "training ran on blocked data");
    assert_eq!(std::fs::read_link(models.join("current")).unwrap(), live);

    // New clean rows: training starts from the approved model, evaluation compares with the live one. The drifted delivery
    // is not what the new one is compared with.
    home.run(&["demo", "--with", "new-rows"])
        .must(4)
        .says("15,310 rows")
        .says("changed since the live model")
        .says("warm start");
    let third = show(&home, DEMO, &newest_run(&home, DEMO));
    let evidence: Value = serde_json::from_str(third["requests"][0]["request"]["evidence"].as_str().unwrap()).unwrap();
    assert!(evidence["baseline"].is_string());
    assert!(evidence["shown"]["metrics"][0]["baseline"].is_number());
    home.run(&["--demo", "reject", &newest_run(&home, DEMO), "--reason", "not this week"])
        .must(0)
        .says("recorded: reject");
    home.run(&["--demo", "runs"]).must(0).says("rejected").says("blocked").says("succeeded");

    // The questions that are asked later.
    home.run(&["--demo", "explain", "taxi-tips"])
        .must(0)
        .says("looks right")
        .says("fare")
        .says("is live")
        .says("data ");
    let explained = home.data(&["--demo", "explain", "taxi-tips"]);
    let model = explained["model"]["id"].as_str().unwrap().to_string();
    home.run(&["--demo", "lineage", &model]).must(0).says("ingest").says("Delivery");
    let delivery = explained["data"][0]["id"].as_str().unwrap().to_string();
    home.run(&["--demo", "lineage", &delivery, "--downstream"]).must(0).says("Model").says("Evaluation");
    home.run(&["--demo", "audit", "verify"]).must(0).says("every one fits");
    home.run(&["--demo", "events"]).must(0).says("asked by local:");
    home.run(&["--demo", "doctor"]).must(0);
    home.run(&["--demo", "plugin", "list"]).must(0).says("difficulty").says("query");
    let pipeline = home.demo().join("taxi-tips.toml");
    home.run(&["pipeline", "graph", pipeline.to_str().unwrap()]).must(0).says("release");
    home.run(&["pipeline", "next", pipeline.to_str().unwrap()]).must(0).says("UTC");
}

#[test]
fn other_deliveries_are_caught_for_what_they_are() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    home.run(&["demo", "--with", "dropped-column"]).must(3).says("trip_miles").says("missing column").says("previous");
    // The policy of the demo asks a person about a new value instead of blocking.
    let asked = home.run(&["demo", "--with", "new-category"]).must(4).says("Bitcoin").says("asks");
    assert!(asked.stdout.contains("payment_type"));
    // The drifted run's gate was never reached; the waiting one of the first run was superseded by the newer candidate.
    home.run(&["--demo", "runs"]).must(0).says("superseded").says("waiting for people");
}
