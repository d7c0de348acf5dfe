//! Three typical messages as text, so that a change of what people read is seen.

use super::case::{Case, POSTED};
use countersign_model::actor::Actor;
use countersign_model::decision::{DecisionKind, RequestState};
use countersign_model::evidence::{Shown, ShownDifficulty, ShownDrift, ShownExample, ShownMetric, ShownSlice};
use countersign_model::finding::{Finding, Severity, Verdict};
use countersign_model::policy::{Expiry, ExpiryAction};
use countersign_model::run::{RunEnd, RunState};
use countersign_slack::message::{Alert, AlertKind, AlertRun, Rendered, alert, request_message};
use countersign_slack::picture::montage;
use serde_json::Value;

/// The taxi pipeline's second delivery.
fn taxi() -> Case {
    let mut case = Case::waiting();
    let slice = |slice: &str, examples, candidate, baseline, margin| ShownSlice {
        slice: slice.into(),
        examples,
        metric: "auc".into(),
        candidate: Some(candidate),
        baseline: Some(baseline),
        margin: Some(margin),
    };
    let metric = |name: &str, candidate, baseline| ShownMetric { name: name.into(), candidate, baseline };
    let drift = |feature: &str, effect| ShownDrift { feature: feature.into(), effect, threshold: 0.01 };
    let example = |row, fare: &str, score| ShownExample {
        row,
        label: "1".into(),
        predicted: "0".into(),
        score,
        columns: [("fare", fare), ("company", "Blue Ribbon"), ("payment_type", "Cash")]
            .map(|(column, value)| (column.to_string(), value.to_string()))
            .into(),
    };
    case.evidence.shown = Shown {
        rows: [("train".to_string(), 11_482), ("eval".to_string(), 3_828)].into(),
        rows_set_aside: 3,
        rows_before: [("train".to_string(), 11_251), ("eval".to_string(), 3_751)].into(),
        metrics: vec![metric("auc", Some(0.878), Some(0.871)), metric("accuracy", Some(0.812), Some(0.813))],
        slices: vec![
            slice("payment_type = Prcard", 38, 0.702, 0.691, 0.09),
            slice("company = Blue Ribbon", 112, 0.733, 0.741, 0.05),
        ],
        regressions: vec![slice("company = Blue Ribbon", 112, 0.733, 0.741, 0.05)],
        drift: vec![drift("fare", 0.031), drift("trip_miles", 0.008), drift("pickup_census_tract", 0.004)],
        model_bytes: Some(1_912_345),
        live_bytes: Some(1_912_001),
        difficulty: Some(ShownDifficulty {
            variant: "softmax, predicted label, late 3".into(),
            error_by_decile: vec![0.01, 0.012, 0.02, 0.02, 0.04, 0.06, 0.09, 0.14, 0.21, 0.41],
            direction: "high = hard".into(),
            hardest_tenth_error_share: 0.46,
            base_error: Some(0.101),
            hardest_class: Some(("big tip".into(), 0.71)),
            overlap_with_aum: Some(0.38),
            suspected_mislabelled: 14,
            hardest: vec![example(38, "7.85", 3.1), example(112, "61.0", 2.9), example(907, "4.25", 2.8)],
        }),
        ..Shown::default()
    };
    case.evidence.changes = vec!["data: trips-2026-11-22.csv instead of trips-2026-11-21.csv".into()];
    case.evidence.verdicts = [("validation".into(), Verdict::NeedsPerson), ("evaluation".into(), Verdict::Pass)].into();
    case.request.verdict = Verdict::NeedsPerson;
    case.evidence.findings = [("validation".to_string(), vec![missing(), drifted(Severity::Ask)])].into();
    case.request.policy.expire = Some(Expiry { after_seconds: 604_800, then: ExpiryAction::Hold });
    case.picture = Some("F0PICTURE".into());
    case.tallied()
}

fn drifted(severity: Severity) -> Finding {
    Finding {
        kind: "drift".into(),
        severity,
        subject: "fare".into(),
        message: "the distribution moved".into(),
        expected: Some("effect at most 0.01".into()),
        seen: Some("0.031".into()),
        previous: Some("0.004".into()),
        rows: vec![38, 112],
    }
}

fn missing() -> Finding {
    Finding {
        kind: "missing values".into(),
        severity: Severity::Warn,
        subject: "dropoff_census_tract".into(),
        message: "more values are missing".into(),
        expected: None,
        seen: Some("36 %".into()),
        previous: Some("31 %".into()),
        rows: Vec::new(),
    }
}

/// What a person reads, block by block.
fn as_read(rendered: &Rendered) -> String {
    let text = |object: &Value| object["text"].as_str().unwrap_or_default().to_string();
    let mut out = vec![format!("({})", rendered.text)];
    for block in rendered.blocks.as_array().unwrap() {
        let elements = || block["elements"].as_array().unwrap().iter();
        out.push(match block["type"].as_str().unwrap() {
            "header" => format!("# {}", text(&block["text"])),
            "section" => text(&block["text"]),
            "context" => elements().map(text).collect::<Vec<_>>().join(" "),
            "actions" => elements().map(|button| format!("[{}]", text(&button["text"]))).collect::<Vec<_>>().join(" "),
            "image" => format!("[picture: {}]", block["alt_text"].as_str().unwrap()),
            other => panic!("{other}"),
        });
    }
    out.join("\n\n")
}

#[test]
fn a_request_that_waits() {
    insta::assert_snapshot!(as_read(&request_message(&taxi().situation())));
}

#[test]
fn a_request_whose_model_is_live() {
    let mut case = taxi();
    let ada = case.decision(DecisionKind::Approve, Actor::slack("T01", "U02AB"), "ada", "better where it matters");
    let mut bob = case.decision(DecisionKind::Approve, Actor::slack("T01", "U07CD"), "slack:T01/U07CD", "");
    bob.conditions.canary_percent = Some(10);
    bob.second_factor = false;
    let mut late = case.decision(DecisionKind::Reject, Actor::local("eve"), "eve", "too slow");
    late.late = true;
    case.decisions = vec![ada, bob, late];
    case.request.state = RequestState::Approved;
    case.request.policy.conditions.canary_percent = Some(10);
    case.push = Some(case.placement("models/taxi-tips", true));
    insta::assert_snapshot!(as_read(&request_message(&case.tallied().situation())));
}

#[test]
fn every_state_says_where_it_stands() {
    let mut said = Vec::new();
    let mut say = |change: &dyn Fn(&mut Case)| {
        let mut case = taxi();
        change(&mut case);
        let read = as_read(&request_message(&case.tallied().situation()));
        let status: Vec<&str> = read.split("\n\n").skip(1).take(2).collect();
        let buttons =
            read.split("\n\n").find(|part| part.starts_with('[') && !part.starts_with("[picture")).unwrap_or_default();
        said.push(format!(
            "{}\n{}\n{buttons}",
            status[0],
            status[1].split("*Verdict").next().unwrap_or_default().trim()
        ));
    };
    let by = |case: &Case, kind| case.decision(kind, Actor::slack("T01", "U02AB"), "ada", "look at fare");
    let ended = |case: &mut Case, end| case.run.state = RunState::Ended { end };
    say(&|_| {});
    say(&|case| case.decisions = vec![by(case, DecisionKind::Approve)]);
    say(&|case| case.decisions = vec![by(case, DecisionKind::Hold)]);
    say(&|case| case.request.progress.overdue = true);
    say(&|case| case.request.policy.approvers.clear());
    say(&|case| case.request.state = RequestState::Approved);
    say(&|case| {
        case.request.state = RequestState::Approved;
        case.decisions = vec![by(case, DecisionKind::Override)];
        case.push = Some(case.placement("models/taxi-tips", true));
    });
    say(&|case| {
        case.request.state = RequestState::Approved;
        ended(case, RunEnd::Failed { step: "push".into(), message: "disk full".into() });
    });
    say(&|case| {
        case.request.state = RequestState::Rejected;
        case.decisions = vec![by(case, DecisionKind::Reject)];
    });
    say(&|case| case.request.state = RequestState::Superseded { by: super::case::run_id(9) });
    say(&|case| case.request.state = RequestState::Expired);
    say(&|case| {
        case.request.state = RequestState::Cancelled;
        ended(case, RunEnd::Cancelled { by: Actor::local("ada") });
    });
    say(&|case| case.request.state = RequestState::Void { reason: "another model went live meanwhile".into() });
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn an_alert() {
    let run = |number, message: &str| AlertRun {
        run: super::case::run_id(number),
        at: POSTED,
        page: Some("https://countersign.example.org/r/run_1".into()),
        step: "validation".into(),
        message: message.into(),
        findings: vec![("validation".into(), drifted(Severity::Block))],
    };
    let runs = [run(9, "fare drifted"), run(8, "fare drifted")];
    let group = Alert { kind: AlertKind::Blocked, pipeline: "taxi-tips", count: 4, since: POSTED, runs: &runs };
    insta::assert_snapshot!(as_read(&alert(&group)));
}

#[test]
fn the_picture_is_the_same_pixels_everywhere() {
    let picture = montage(&taxi().evidence).expect("a picture");
    if let Some(folder) = std::env::var_os("COUNTERSIGN_LOOK_AT") {
        std::fs::write(std::path::Path::new(&folder).join("montage.png"), &picture.bytes).expect("write the picture");
    }
    // Rounding differs between processors; how well PNG compresses differs with the build.
    if cfg!(target_arch = "x86_64") {
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&picture.bytes).expect("a PNG");
        insta::assert_snapshot!(format!(
            "{} x {}, pixels {}\n{}",
            picture.width,
            picture.height,
            countersign_model::digest::Digest::of(pixels.data()),
            picture.description
        ));
    }
}
