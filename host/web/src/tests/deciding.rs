//! Decisions, pokes and cancellations through forms and documents: what is kept, what is refused, and the second factor.

use super::stage::{Setting, Stage};
use countersign_model::decision::DecisionKind;
use std::time::Duration;

fn decision(stage: &Stage) -> String {
    format!("/requests/{}/decision", stage.request.id)
}

async fn approve(stage: &Stage, name: &str, extra: &[(&str, &str)]) -> super::stage::Answer {
    let carried = stage.session(name).await;
    let evidence = stage.request.evidence_digest.to_string();
    let fields = [&[("kind", "approve"), ("evidence", &evidence)], extra].concat();
    stage.post(&carried, &decision(stage), &fields).await
}

/// Moves the stage's clock on to one of RFC 6238's vectors, second 2,000,000,000, and answers the last six digits of its code.
fn at_the_vector(stage: &Stage) -> &'static str {
    let now = u64::try_from(stage.bench.now().as_micros() / 1_000_000).unwrap();
    stage.bench.clock.advance(Duration::from_secs(2_000_000_000 - now));
    "279037"
}

#[tokio::test]
async fn an_approval_is_recorded_with_its_conditions_and_answered_by_a_redirect() {
    let stage = Stage::new().await;
    let answer = approve(&stage, "local:cleo", &[("reason", " fine "), ("canary", "10"), ("except", "a = b")]).await;
    assert_eq!(answer.header("location"), format!("/requests/{}?said=recorded", stage.request.id));
    let decisions = stage.bench.store.decisions(&stage.request.id).await.unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!((decisions[0].reason.as_str(), decisions[0].person.as_str()), ("fine", "cleo"));
    assert_eq!(decisions[0].conditions.in_words(), "10 % canary, not for a = b");
    assert_eq!(stage.bench.status(&stage.request.run).await, "queued");
    let late = approve(&stage, "local:cleo", &[]).await;
    assert!(late.header("location").ends_with("?said=late"), "{late:?}");
}

#[tokio::test]
async fn what_was_typed_stays_when_it_can_not_be_recorded() {
    let stage = Stage::new().await;
    let answer = approve(&stage, "local:cleo", &[("reason", "because I say so"), ("canary", "<b>ten")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("because I say so"), "{}", answer.text);
    assert!(answer.text.contains("a canary takes 1 to 100 per cent") && !answer.text.contains("<b>ten"));
    let carried = stage.session("local:cleo").await;
    let evidence = stage.request.evidence_digest.to_string();
    let silent = stage.post(&carried, &decision(&stage), &[("kind", "reject"), ("evidence", &evidence)]).await;
    assert_eq!(silent.status, 422);
    assert!(silent.text.contains("reject needs a reason"), "{}", silent.text);
    let starter = approve(&stage, "local:ada", &[("reason", "mine")]).await;
    assert_eq!(starter.status, 403);
    assert!(starter.text.contains("forbids self-approval") && starter.text.contains("mine"), "{}", starter.text);
    assert!(stage.bench.store.decisions(&stage.request.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_what_was_shown_is_decided_on() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await;
    let other = "0".repeat(64);
    let answer = stage.post(&carried, &decision(&stage), &[("kind", "approve"), ("evidence", &other)]).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    for fields in [
        &[("kind", "approve")][..],
        &[("kind", "approve"), ("evidence", "x")],
        &[("kind", "approve"), ("evidence", &other), ("actor", "local:ada")],
        &[("kind", "approve"), ("kind", "reject"), ("evidence", &other)],
    ] {
        assert_eq!(stage.post(&carried, &decision(&stage), fields).await.status, 400, "{fields:?}");
    }
    assert!(stage.bench.store.decisions(&stage.request.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_program_decides_with_a_session_and_reads_what_became_of_it() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await;
    let path = format!("/api/v1{}", decision(&stage));
    let evidence = stage.request.evidence_digest.to_string();
    let unknown = serde_json::json!({ "kind": "approve", "evidence": evidence, "actor": "local:ada" });
    assert_eq!(stage.post_json(&carried, &path, &unknown).await.status, 400);
    let reject = serde_json::json!({ "kind": "reject", "evidence": evidence, "reason": "drift" });
    let answer = stage.post_json(&carried, &path, &reject).await.json();
    assert_eq!(answer["schema"], "countersign.decision/1");
    assert_eq!((&answer["data"]["kind"], &answer["data"]["status"]), (&"reject".into(), &"rejected".into()));
    let form = stage.post(&carried, &path, &[("kind", "approve"), ("evidence", &evidence)]).await;
    assert_eq!(form.status, 415);
}

#[tokio::test]
async fn approving_takes_a_second_factor_where_the_policy_says_so_and_each_code_once() {
    let stage = Stage::set(Setting { second_factor: true, ..Setting::default() }).await;
    let code = at_the_vector(&stage);
    let without = approve(&stage, "local:cleo", &[]).await;
    assert_eq!(without.status, 422);
    assert!(without.text.contains("second factor"));
    let length = stage.audit_length().await;
    let wrong = approve(&stage, "local:cleo", &[("code", "135790")]).await;
    assert_eq!(wrong.status, 422);
    assert!(stage.audited_after(length).await.contains(&"decision.refused".to_string()));
    assert!(wrong.text.contains("that code is not right") && !wrong.text.contains("135790"));
    let right = approve(&stage, "local:cleo", &[("code", &format!(" {} {}", &code[..3], &code[3..]))]).await;
    assert_eq!(right.status, 303, "{}", right.text);
    let decisions = stage.bench.store.decisions(&stage.request.id).await.unwrap();
    assert!(decisions[0].second_factor && decisions[0].kind == DecisionKind::Approve);
    let again = approve(&stage, "local:cleo", &[("code", code)]).await;
    assert_eq!(again.status, 422);
    assert!(again.text.contains("used already"));
    let nobodys = approve(&stage, "local:ada", &[("code", code)]).await;
    assert!(nobodys.text.contains("no second factor is set up for ada"), "{}", nobodys.text);
}

#[tokio::test]
async fn guessing_codes_ends_in_waiting_even_for_the_right_one() {
    let stage = Stage::set(Setting { second_factor: true, ..Setting::default() }).await;
    let code = at_the_vector(&stage);
    for _ in 0..5 {
        assert_eq!(approve(&stage, "local:cleo", &[("code", "135790")]).await.status, 422);
    }
    let waiting = approve(&stage, "local:cleo", &[("code", code)]).await;
    assert_eq!(waiting.status, 429);
    assert!(stage.bench.store.decisions(&stage.request.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_poke_is_shown_beside_the_review_and_refusals_keep_the_page() {
    let stage = Stage::new().await;
    let carried = stage.session("local:ben").await;
    let path = format!("/requests/{}/poke", stage.request.id);
    let answer = stage.post(&carried, &path, &[("column.fare", "7"), ("column.company", "")]).await;
    let place = answer.header("location").to_string();
    assert!(place.starts_with(&format!("/requests/{}?poke=poke_", stage.request.id)) && place.ends_with("#poke"));
    let pokes = stage.bench.store.pokes(&stage.request.id).await.unwrap();
    assert_eq!(pokes[0].example.keys().collect::<Vec<_>>(), ["fare"]);
    assert_eq!(stage.get(&carried, place.trim_end_matches("#poke")).await.status, 200);
    let empty = stage.post(&carried, &path, &[("column.fare", "")]).await;
    assert_eq!(empty.status, 409);
    assert!(empty.text.contains("can not be tried"));
    assert_eq!(stage.post(&carried, &path, &[("fare", "7")]).await.status, 400);
    let document = serde_json::json!({ "example": { "fare": "7" } });
    let poke = stage.post_json(&carried, &format!("/api/v1{path}"), &document).await.json();
    assert_eq!(poke["data"]["candidate"]["label"], "yes");
}

#[tokio::test]
async fn a_run_is_stopped_by_its_starter_and_never_twice() {
    let stage = Stage::new().await;
    let carried = stage.session("local:ada").await;
    let path = format!("/runs/{}/cancel", stage.request.run);
    assert_eq!(stage.post(&carried, &path, &[("x", "y")]).await.status, 400);
    assert_eq!(stage.bench.status(&stage.request.run).await, "waiting");
    assert_eq!(stage.post(&carried, &path, &[]).await.status, 303);
    assert_eq!(stage.bench.status(&stage.request.run).await, "cancelled");
    assert_eq!(stage.post(&carried, &path, &[]).await.status, 409);
}
