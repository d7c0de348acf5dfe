//! Between a click and the push the world changes: the permit is refused, and people are asked again with the reason.

use crate::harness::eventually;
use crate::policies::BOTH;
use crate::prepared::{GATE, people};
use crate::stage::{Asked, Stage, Transport};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

/// Ada has signed; Bob's signature is missing.
fn half_signed() -> (Stage, Asked) {
    let stage = Stage::open(Transport::Socket, BOTH);
    let asked = stage.ask();
    stage.decide("U0ADA", &stage.headed(&asked, "is waiting for 2 people"), "approve", "good");
    stage.headed(&asked, "1 of 2 signed");
    (stage, asked)
}

/// Bob signs what changed meanwhile; answers what is asked instead.
fn refused(stage: &Stage, asked: &Asked, why: &str) -> Asked {
    let taken = stage.decide("U0BOB", &stage.messages(asked)[0], "approve", "good");
    assert_eq!(taken.status, 200, "{taken:?}");
    asked_again(stage, asked, why)
}

fn asked_again(stage: &Stage, asked: &Asked, why: &str) -> Asked {
    let void = stage.headed(asked, "is asked again");
    assert!(void.blocks.to_string().contains(why), "{}", void.blocks);
    assert!(stage.slack.press("U0BOB", &void, "approve").is_none());
    let again =
        eventually("asked again", || Some(stage.asked(&asked.run)).filter(|again| again.request != asked.request));
    assert_eq!((stage.request(asked).0.as_str(), stage.live()), ("void", None));
    again
}

#[test]
fn who_lost_the_role_after_the_click_no_longer_counts() {
    let (mut stage, asked) = half_signed();
    stage.stop();
    stage.people(&people().replace("roles = [\"owner\"]\nslack", "roles = [\"guest\"]\nslack"));
    stage.serve();
    let again = refused(&stage, &asked, "no longer holds the role");
    let message = stage.headed(&again, "is waiting for 2 people");
    // Ada is refused in words and in the audit log; the other owner and Bob sign anew.
    let told = stage.decide("U0ADA", &message, "approve", "me again");
    assert!(told.body["errors"]["reason"].as_str().expect("words").contains("none of the roles"), "{told:?}");
    assert_eq!(stage.record.texts("SELECT actor FROM audit WHERE action = 'decision.refused'"), ["slack:T0TEAM/U0ADA"]);
    stage.decide("U0BOB", &message, "approve", "still good");
    stage.run(&["approve", &asked.run, "--reason", "seen"]).must(0);
    stage.headed(&again, "is live");
}

#[test]
fn an_account_that_was_closed_after_the_click_no_longer_counts() {
    let (stage, asked) = half_signed();
    stage.account("U0ADA", json!({ "deleted": true }));
    refused(&stage, &asked, "no longer holds the role");
}

#[test]
fn another_model_that_went_live_after_the_click_takes_the_permit_away() {
    let (stage, asked) = half_signed();
    stage.record.tamper(&format!(
        "INSERT INTO pushes (id, run, pipeline, model, target, request, begun_at, completed_at)
         SELECT 'psh_01M85FF3B7V1MP4EFHGK92ZCGD', run, pipeline, '{}', 'elsewhere', id, posted_at, posted_at
         FROM requests WHERE id = '{}'",
        "ab".repeat(32),
        asked.request
    ));
    refused(&stage, &asked, "another model went live");
}

#[test]
fn a_policy_that_was_weakened_in_the_record_takes_the_permit_away() {
    let (stage, asked) = half_signed();
    stage.record.tamper(&format!(
        "UPDATE requests SET policy = replace(policy, ',{{\"role\":\"data-scientist\",\"count\":1}}', '') WHERE id = '{}'",
        asked.request
    ));
    // Now one owner seems to be enough.
    stage.decide("U0ADA", &stage.messages(&asked)[0], "approve", "once more");
    let again = asked_again(&stage, &asked, "the sign-off policy changed");
    stage.headed(&again, "is waiting for 2 people");
}

#[test]
fn a_pipeline_file_that_changed_after_the_click_changes_nothing_for_the_run_that_waits() {
    let (mut stage, asked) = half_signed();
    stage.stop();
    stage.gate(GATE);
    stage.serve();
    stage.decide("U0ADA", &stage.messages(&asked)[0], "approve", "is that not enough now?");
    assert_eq!(
        (stage.request(&asked).0.as_str(), stage.live()),
        ("open", None),
        "it keeps the policy that it was asked under"
    );
    stage.decide("U0BOB", &stage.messages(&asked)[0], "approve", "good");
    stage.headed(&asked, "is live");
}

#[test]
fn bytes_that_changed_after_the_click_are_not_pushed_but_made_again_and_people_are_asked_again() {
    let (stage, asked) = half_signed();
    let shown = stage.show(&asked.run);
    let executions = shown["executions"].as_array().expect("executions");
    let model = executions.iter().find(|one| one["step"] == "model").expect("the step");
    let digest = model["state"]["result"]["outputs"]["model"]["digest"].as_str().expect("a digest");
    let file = stage.home.path().join(format!("state/artifacts/sha256/{}/{digest}/files/model.onnx", &digest[..2]));
    let sound = std::fs::read(&file).expect("the model");
    let mut bytes = sound.clone();
    bytes[sound.len() / 2] ^= 1;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    std::fs::write(&file, bytes).expect("write the model");
    let again = refused(&stage, &asked, "damaged");
    assert_eq!((&again.evidence, std::fs::read(&file).expect("the model")), (&asked.evidence, sound));
    let message = stage.headed(&again, "is waiting for 2 people");
    stage.decide("U0ADA", &message, "approve", "the same again");
    stage.decide("U0BOB", &message, "approve", "the same again");
    stage.headed(&again, "is live");
}
