//! What changes between the signature and the push takes the permit away: back to people, with the reason.

use crate::doubles::component;
use crate::world::{World, policy, quorum};
use countersign_model::actor::Actor;
use countersign_model::decision::{Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::id::{DecisionId, PushId, RequestId, RunId};
use countersign_model::pipeline::Work;
use countersign_model::policy::{SignoffPolicy, Standing};
use countersign_model::push::Push;
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::metadata_store::ArtifactFilter;
use ulid::Ulid;

/// A run that was approved and not carried on yet.
async fn approved(world: &World) -> (RunId, SignoffRequest) {
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    (run, request)
}

/// The permit was refused for that reason, nothing is live, and the run waits for people again.
async fn asked_again(world: &World, run: &RunId, request: &SignoffRequest, reason: &str) -> SignoffRequest {
    let state = world.carry(run).await;
    assert!(matches!(state, RunState::Waiting { .. }), "{state:?}");
    match world.request(&request.id).await.state {
        RequestState::Void { reason: told } => assert!(told.contains(reason), "{told}"),
        other => panic!("{other:?}"),
    }
    assert!(!world.target().join("current").exists());
    let again = world.waiting(run).await;
    assert_ne!(again.id, request.id);
    again
}

async fn goes_live_when_signed_again(world: &World, run: &RunId, request: &SignoffRequest, who: &str) {
    world.decide(request, who, DecisionKind::Approve).await.unwrap();
    assert_eq!(world.carry(run).await, RunState::Ended { end: RunEnd::Succeeded });
    assert!(world.is_live("model 1"));
}

#[tokio::test]
async fn another_model_going_live_meanwhile_takes_the_permit_away() {
    let world = World::new();
    let (run, request) = approved(&world).await;
    let claim = world.engine.claim(Some(&run)).await.unwrap().unwrap();
    let model = world.store.artifacts(&ArtifactFilter::default()).await.unwrap()[0].digest;
    let other = Push {
        id: PushId::from_ulid(Ulid::from_parts(5, 5)),
        run,
        pipeline: "taxi".to_string(),
        model,
        target: "/elsewhere".to_string(),
        request: request.id,
        conditions: Default::default(),
        begun_at: request.posted_at,
        completed_at: Some(request.posted_at),
    };
    assert_ne!(model, request.model_digest);
    world.store.begin_push(&claim, &other).await.unwrap();
    world.store.complete_push(&claim, &other, &[]).await.unwrap();
    world.engine.release(&claim).await.unwrap();
    let again = asked_again(&world, &run, &request, "another model went live").await;
    assert!(again.evidence.contains(&model.to_string()), "people are shown the new baseline");
    goes_live_when_signed_again(&world, &run, &again, "eve").await;
}

#[tokio::test]
async fn who_lost_the_role_no_longer_lets_anything_pass() {
    let world = World::new();
    let (run, request) = approved(&world).await;
    world.people.put(&Actor::local("ada"), "ada", &["scientist"]);
    let again = asked_again(&world, &run, &request, "no longer holds the role").await;
    goes_live_when_signed_again(&world, &run, &again, "eve").await;
}

#[tokio::test]
async fn a_barred_account_no_longer_counts() {
    let world = World::new();
    let (run, request) = approved(&world).await;
    world.people.0.lock().unwrap().get_mut(&Actor::local("ada")).unwrap().barred = Some("deactivated".to_string());
    asked_again(&world, &run, &request, "no longer holds the role").await;
}

#[tokio::test]
async fn bytes_that_changed_after_the_signature_are_made_again_and_people_are_asked_again() {
    for file in ["train.model", "evaluate.evaluation", "ingest.examples"] {
        let world = World::new();
        let (run, request) = approved(&world).await;
        let evidence: Evidence = serde_json::from_str(&request.evidence).unwrap();
        let digest = evidence.artifacts[file];
        spoil(&world, &digest).await;
        let again = asked_again(&world, &run, &request, "damaged").await;
        assert_eq!(again.evidence_digest, request.evidence_digest, "made again, it is the same");
        goes_live_when_signed_again(&world, &run, &again, "ada").await;
    }
}

/// Flips the last bit of an artifact's first file.
async fn spoil(world: &World, digest: &Digest) {
    use std::os::unix::fs::PermissionsExt as _;
    let manifest = world.artifacts.manifest(digest).await.unwrap();
    let file = world.artifacts.open(digest).await.unwrap().join(&manifest.files[0].path);
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, bytes).unwrap();
}

/// An approval that somebody wrote into the store, past the desk.
async fn forged(world: &World, change: fn(&mut Decision)) -> (RunId, SignoffRequest) {
    let run = world.run(&world.version(1, policy())).await;
    let request = world.waiting(&run).await;
    let mut decision = world.decide(&request, "ada", DecisionKind::Hold).await.unwrap().decision;
    decision.id = DecisionId::from_ulid(Ulid::from_parts(7, 7));
    decision.kind = DecisionKind::Approve;
    change(&mut decision);
    let recorded = world.store.record_decision(&decision, &[]).await.unwrap();
    assert_eq!(recorded.standing, Standing::Approved);
    (run, request)
}

#[tokio::test]
async fn a_decision_that_was_never_signed_or_changed_since_counts_for_nothing() {
    let edits: [fn(&mut Decision); 3] = [
        |decision| decision.envelope = None,
        // The envelope of the hold: signed, but it says something else.
        |_| {},
        |decision| decision.envelope = decision.envelope.take().map(|envelope| envelope.replace("hold", "approve")),
    ];
    for edit in edits {
        let world = World::new();
        let (run, request) = forged(&world, edit).await;
        asked_again(&world, &run, &request, "signature").await;
    }
}

/// The policy in the record is not the one in the run's pinned definition.
#[tokio::test]
async fn a_weaker_policy_in_the_record_counts_for_nothing() {
    let world = World::new();
    let strict = SignoffPolicy { approvers: vec![quorum("owner", 1), quorum("scientist", 1)], ..policy() };
    let run = world.run(&world.version(1, strict)).await;
    let honest = world.waiting(&run).await;
    world.store.close_request(&honest.id, &RequestState::Expired, honest.posted_at, &[]).await.unwrap();
    let claim = world.engine.claim(Some(&run)).await.unwrap().unwrap();
    let id = RequestId::from_ulid(Ulid::from_parts(i64::MAX as u64 >> 20, 1));
    let weaker = SignoffRequest { id, policy: policy(), state: RequestState::Open, ..honest };
    world.store.open_request(&claim, &weaker, &[]).await.unwrap();
    world.decide(&weaker, "ada", DecisionKind::Approve).await.unwrap();
    let state = world.carry(&run).await;
    assert!(matches!(state, RunState::Waiting { .. }), "{state:?}");
    let RequestState::Void { reason } = world.request(&weaker.id).await.state else { panic!("not void") };
    assert!(reason.contains("policy changed"), "{reason}");
}

#[tokio::test]
async fn the_same_question_is_not_asked_twice_while_the_answer_holds() {
    let world = World::new();
    let version = world.version(1, policy());
    let (run, request) = approved(&world).await;
    world.carry(&run).await;
    let second = world.engine.start(&version, &Actor::local("carl")).await.unwrap();
    assert_eq!(world.carry(&second).await, RunState::Ended { end: RunEnd::Succeeded });
    assert_eq!(world.request_states().await, [RequestState::Approved]);
    // Ada left: her old approval lets nothing new pass, and stays what it was.
    world.people.put(&Actor::local("ada"), "ada", &[]);
    let third = world.run(&version).await;
    assert_eq!(world.waiting(&third).await.evidence_digest, request.evidence_digest);
    assert_eq!(world.request_states().await, [RequestState::Approved, RequestState::Open]);
}

#[tokio::test]
async fn a_push_step_that_lays_out_another_model_is_found_out() {
    let world = World::new();
    let mut version = world.version(1, policy());
    let Some(Work::Component(push)) = version.pipeline.steps.last_mut().map(|step| &mut step.work) else { panic!() };
    push.component_digest = component("lying push").digest;
    let version = crate::world::versioned(version.pipeline.steps);
    let run = world.run(&version).await;
    world.decide(&world.waiting(&run).await, "ada", DecisionKind::Approve).await.unwrap();
    let state = world.carry(&run).await;
    assert!(
        matches!(&state, RunState::Ended { end: RunEnd::Failed { message, .. } } if message.contains("another model.onnx"))
    );
    assert!(!world.target().exists());
}

#[tokio::test]
async fn push_obeys_the_strictest_conditions_and_writes_them_down() {
    let world = World::new();
    let mut cautious = policy();
    cautious.conditions.except_slices.insert("company = Blue Ribbon".to_string());
    let run = world.run(&world.version(1, cautious)).await;
    let mut input = world.input(&world.waiting(&run).await, "ada", DecisionKind::Approve);
    input.conditions.canary_percent = Some(10);
    countersign_ports::Desk::decide(&world.engine, input).await.unwrap();
    world.carry(&run).await;
    let text = std::fs::read_to_string(world.target().join("current/conditions.json")).unwrap();
    assert_eq!(text, r#"{"canary_percent":10,"except_slices":["company = Blue Ribbon"],"overridden":false}"#);
    let pushed = &world.store.pushes(None, 1).await.unwrap()[0];
    assert_eq!(pushed.conditions.in_words(), "10 % canary, not for company = Blue Ribbon");
}

/// What is compared with the live model is content: the same candidate against the same live model is the same evidence.
#[tokio::test]
async fn the_evidence_compares_with_what_is_live() {
    let world = World::new();
    let (run, request) = approved(&world).await;
    let first: Evidence = serde_json::from_str(&request.evidence).unwrap();
    assert_eq!((first.form, first.baseline, first.shown.live_bytes), (2, None, None));
    assert!(first.shown.rows_before.is_empty() && first.shown.model_bytes.is_some());
    world.carry(&run).await;

    let version = world.version(22, policy());
    let second = world.waiting(&world.run(&version).await).await;
    let shown: Evidence = serde_json::from_str(&second.evidence).unwrap();
    assert_eq!(shown.baseline, Some(request.model_digest));
    assert_eq!(shown.shown.rows_before, shown.shown.rows);
    assert_eq!(
        shown.shown.live_bytes.unwrap() + 1,
        shown.shown.model_bytes.unwrap(),
        "`model 22` is longer than `model 1`"
    );
    let third = world.waiting(&world.run(&version).await).await;
    assert_eq!(third.evidence_digest, second.evidence_digest);
    assert_ne!(third.nonce, second.nonce);
}
