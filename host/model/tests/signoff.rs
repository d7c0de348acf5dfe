//! The rules of sign-off: who may decide, what decisions add up to, what is due at a request that waits, and permits.

use countersign_model::actor::{Actor, Identity};
use countersign_model::artifact::{FileEntry, Manifest};
use countersign_model::conditions::Conditions;
use countersign_model::deadline::{Due, Progress};
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown};
use countersign_model::finding::Verdict;
use countersign_model::id::{DecisionId, RequestId, RunId};
use countersign_model::permit::{self, NoPermit, Present};
use countersign_model::policy::{
    Attempt, Escalation, Expiry, ExpiryAction, Overriding, Refusal, RoleQuorum, SignoffPolicy, Standing,
};
use countersign_model::statement::Statement;
use countersign_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use ulid::Ulid;

fn quorums(roles: &[(&str, u32)]) -> Vec<RoleQuorum> {
    roles.iter().map(|(role, count)| RoleQuorum { role: role.to_string(), count: *count }).collect()
}

fn policy(roles: &[(&str, u32)]) -> SignoffPolicy {
    SignoffPolicy {
        approvers: quorums(roles),
        approve_on: BTreeSet::from([Channel::Terminal]),
        forbid_self_approval: true,
        overriding: None,
        second_factor: false,
        channel: None,
        remind_seconds: None,
        escalate: None,
        expire: None,
        conditions: Conditions::default(),
    }
}

fn identity(who: &str, roles: &[&str]) -> Identity {
    let roles = roles.iter().map(ToString::to_string).collect();
    Identity { actor: Actor::local(who), person: who.to_string(), roles, barred: None }
}

fn decision(kind: DecisionKind, who: &str, roles: &[&str]) -> Decision {
    Decision {
        id: DecisionId::from_ulid(Ulid::from_parts(1, 1)),
        request: RequestId::from_ulid(Ulid::from_parts(1, 2)),
        kind,
        actor: Actor::local(who),
        person: who.to_string(),
        roles: roles.iter().map(ToString::to_string).collect(),
        channel: Channel::Terminal,
        second_factor: false,
        reason: "because".to_string(),
        conditions: Conditions::default(),
        evidence_digest: Digest::of(b"{}"),
        envelope: None,
        late: false,
        at: Timestamp::from_micros(0),
    }
}

fn missing(policy: &SignoffPolicy, decisions: &[Decision]) -> Vec<(String, u32)> {
    match policy.tally(Verdict::Pass, decisions) {
        Standing::Open { missing, .. } => missing.into_iter().collect(),
        standing => panic!("{standing:?}"),
    }
}

#[test]
fn every_role_has_to_sign_and_nobody_signs_twice() {
    let two = policy(&[("owner", 1), ("scientist", 2)]);
    let ada = decision(DecisionKind::Approve, "ada", &["owner", "scientist"]);
    let bob = decision(DecisionKind::Approve, "bob", &["scientist"]);
    let eve = decision(DecisionKind::Approve, "eve", &["scientist"]);
    assert_eq!(missing(&two, &[ada.clone(), ada.clone(), ada.clone()]), [("scientist".to_string(), 2)]);
    assert_eq!(missing(&two, &[ada.clone(), bob.clone()]), [("scientist".to_string(), 1)]);
    assert_eq!(two.tally(Verdict::Pass, &[ada.clone(), bob.clone(), eve.clone()]), Standing::Approved);
    let late = Decision { late: true, ..eve };
    assert_eq!(missing(&two, &[ada.clone(), bob.clone(), late]), [("scientist".to_string(), 1)]);
    let no = decision(DecisionKind::Reject, "bob", &["scientist"]);
    assert_eq!(two.tally(Verdict::Pass, &[ada.clone(), no]), Standing::Rejected);
    let held = [ada, decision(DecisionKind::Hold, "bob", &["scientist"])];
    assert!(matches!(two.tally(Verdict::Pass, &held), Standing::Open { held: true, .. }));
}

#[test]
fn two_accounts_of_one_person_are_one_signature() {
    let two = policy(&[("owner", 2)]);
    let terminal = decision(DecisionKind::Approve, "ada", &["owner"]);
    let slack = Decision { actor: Actor::slack("T1", "U1"), ..terminal.clone() };
    assert_eq!(missing(&two, &[terminal.clone(), slack]), [("owner".to_string(), 1)]);
    let bob = decision(DecisionKind::Approve, "bob", &["owner"]);
    assert_eq!(two.tally(Verdict::Pass, &[terminal, bob]), Standing::Approved);
}

#[test]
fn who_signs_for_which_role_is_chosen_so_that_it_adds_up() {
    let one_each = policy(&[("owner", 1), ("scientist", 1)]);
    let both = decision(DecisionKind::Approve, "ada", &["owner", "scientist"]);
    let owner = decision(DecisionKind::Approve, "bob", &["owner"]);
    assert_eq!(one_each.tally(Verdict::Pass, &[both.clone(), owner.clone()]), Standing::Approved);
    assert_eq!(one_each.tally(Verdict::Pass, &[owner, both]), Standing::Approved);
}

#[test]
fn a_failed_check_is_overridden_by_those_who_may_and_never_approved() {
    let mut rules = policy(&[("owner", 1)]);
    rules.overriding = Some(Overriding { approvers: quorums(&[("director", 2)]), on: BTreeSet::from([Channel::Page]) });
    let (ada, cleo) = (identity("ada", &["owner"]), identity("cleo", &["director"]));
    let nothing = Conditions::default();
    let attempt = |identity, kind, verdict, channel, reason| Attempt {
        identity,
        starter: &ada,
        verdict,
        kind,
        channel,
        second_factor: false,
        reason,
        conditions: &nothing,
    };
    let ask =
        |identity, kind, verdict, channel, reason| rules.authorise(&attempt(identity, kind, verdict, channel, reason));
    use DecisionKind::{Approve, Override, Reject};
    assert!(matches!(ask(&ada, Override, Verdict::Fail, Channel::Page, "x"), Err(Refusal::NoRole { .. })));
    assert!(matches!(ask(&cleo, Approve, Verdict::Fail, Channel::Page, "x"), Err(Refusal::CheckFailed(_))));
    assert!(matches!(ask(&cleo, Override, Verdict::Fail, Channel::Slack, "x"), Err(Refusal::WrongChannel { .. })));
    assert_eq!(ask(&cleo, Override, Verdict::Fail, Channel::Page, ""), Err(Refusal::NoReason(Override)));
    assert_eq!(ask(&cleo, Override, Verdict::Fail, Channel::Page, "known outage"), Ok(()));
    assert_eq!(ask(&cleo, Reject, Verdict::Fail, Channel::Slack, "no"), Ok(()));
    let bob = identity("bob", &["owner"]);
    assert_eq!(ask(&bob, Override, Verdict::Pass, Channel::Page, "x"), Err(Refusal::NothingToOverride));

    let approvals = ["ada", "bob"].map(|who| decision(Approve, who, &["owner", "director"]));
    assert!(matches!(rules.tally(Verdict::Fail, &approvals), Standing::Open { .. }), "approvals override nothing");
    let overrides = ["cleo", "dan"].map(|who| decision(Override, who, &["director"]));
    assert!(matches!(rules.tally(Verdict::Fail, &overrides[..1]), Standing::Open { .. }));
    assert_eq!(rules.tally(Verdict::Fail, &overrides), Standing::Approved);
    let without = policy(&[("owner", 1)]);
    assert!(matches!(without.tally(Verdict::Fail, &overrides), Standing::Open { .. }), "nobody may override");
}

#[test]
fn who_may_decide_where() {
    let mut rules = policy(&[("owner", 1)]);
    let ada = identity("ada", &["owner"]);
    let nothing = Conditions::default();
    let ask = |rules: &SignoffPolicy, identity: &Identity, kind, channel, reason: &str, second_factor| {
        rules.authorise(&Attempt {
            identity,
            starter: &ada,
            verdict: Verdict::NeedsPerson,
            kind,
            channel,
            second_factor,
            reason,
            conditions: &nothing,
        })
    };
    use DecisionKind::{Approve, Reject};
    let bob = identity("bob", &["owner"]);
    assert_eq!(ask(&rules, &bob, Approve, Channel::Terminal, "", false), Ok(()));
    assert!(matches!(ask(&rules, &bob, Approve, Channel::Slack, "", false), Err(Refusal::WrongChannel { .. })));
    assert_eq!(ask(&rules, &bob, Reject, Channel::Slack, "no", false), Ok(()));
    assert_eq!(ask(&rules, &bob, Reject, Channel::Slack, " ", false), Err(Refusal::NoReason(Reject)));
    // The same person by another account started it.
    let ada_in_slack = Identity { actor: Actor::slack("T1", "U1"), ..ada.clone() };
    let own = ask(&rules, &ada_in_slack, Approve, Channel::Terminal, "x", false);
    assert_eq!(own, Err(Refusal::SelfApproval(Actor::slack("T1", "U1"))));
    assert_eq!(ask(&rules, &ada, Reject, Channel::Terminal, "x", false), Ok(()));
    let cron = Identity { actor: Actor::system("cron"), ..identity("cron", &["owner"]) };
    assert!(matches!(ask(&rules, &cron, Approve, Channel::Terminal, "", false), Err(Refusal::NotAPerson(_))));
    let gone = Identity { barred: Some("deactivated".to_string()), ..bob.clone() };
    assert!(matches!(ask(&rules, &gone, Reject, Channel::Terminal, "x", false), Err(Refusal::Barred { .. })));
    let stranger = identity("eve", &["intern"]);
    assert!(matches!(ask(&rules, &stranger, Reject, Channel::Terminal, "x", false), Err(Refusal::NoRole { .. })));
    let nobody = SignoffPolicy { approvers: vec![], ..rules.clone() };
    assert!(matches!(ask(&nobody, &bob, Approve, Channel::Terminal, "x", false), Err(Refusal::NoRole { .. })));
    assert!(matches!(nobody.tally(Verdict::Pass, &[decision(Approve, "bob", &["owner"])]), Standing::Open { .. }));
    rules.approve_on.insert(Channel::Page);
    rules.second_factor = true;
    assert_eq!(ask(&rules, &bob, Approve, Channel::Page, "", false), Err(Refusal::NoSecondFactor));
    assert_eq!(ask(&rules, &bob, Approve, Channel::Page, "", true), Ok(()));
    assert_eq!(ask(&rules, &bob, Reject, Channel::Page, "no", false), Ok(()));
}

fn evidence() -> Evidence {
    Evidence {
        form: 2,
        pipeline: "p".to_string(),
        gate: "release".to_string(),
        model: Digest::of(b"model"),
        baseline: None,
        policy: policy(&[("owner", 1)]).digest().unwrap(),
        artifacts: BTreeMap::from([("model.model".to_string(), Digest::of(b"model"))]),
        components: BTreeMap::new(),
        verdicts: BTreeMap::new(),
        findings: BTreeMap::new(),
        changes: vec![],
        shown: Shown::default(),
    }
}

fn request() -> SignoffRequest {
    let (evidence, evidence_digest) = evidence().seal().unwrap();
    SignoffRequest {
        id: RequestId::from_ulid(Ulid::from_parts(1, 2)),
        run: RunId::from_ulid(Ulid::from_parts(1, 3)),
        pipeline: "p".to_string(),
        gate: "release".to_string(),
        policy: policy(&[("owner", 1)]),
        evidence,
        evidence_digest,
        model_digest: Digest::of(b"model"),
        verdict: Verdict::Pass,
        nonce: "0".repeat(32),
        state: RequestState::Approved,
        posted_at: Timestamp::from_micros(0),
        progress: Progress::default(),
    }
}

fn statement(decision: &Decision, request: &SignoffRequest) -> Statement {
    let file = FileEntry { path: "model.onnx".to_string(), bytes: 5, digest: Digest::of(b"bytes") };
    let manifests = BTreeMap::from([("model.model".to_string(), Manifest::new(vec![file]))]);
    Statement::of_decision(decision, request, &evidence(), &manifests).unwrap()
}

#[test]
fn a_statement_names_every_file_and_says_what_the_decision_says() {
    let signed = request();
    let yes =
        Decision { evidence_digest: signed.evidence_digest, ..decision(DecisionKind::Approve, "ada", &["owner"]) };
    let said = statement(&yes, &signed);
    let names: Vec<&str> = said.subject.iter().map(|subject| subject.name.as_str()).collect();
    assert_eq!(names, ["evidence.json", "policy.json", "approver.json", "model.model/model.onnx"]);
    assert_eq!(said.subject[0].sha256(), Some(signed.evidence_digest));
    assert!(said.is_of(&yes, &signed));
    let changed = [
        Decision { reason: "another".to_string(), ..yes.clone() },
        Decision { actor: Actor::local("eve"), ..yes.clone() },
        Decision { person: "eve".to_string(), ..yes.clone() },
        Decision { kind: DecisionKind::Override, ..yes.clone() },
        Decision { roles: vec!["director".to_string()], ..yes.clone() },
        Decision { channel: Channel::Page, ..yes.clone() },
        Decision { second_factor: true, ..yes.clone() },
        Decision { evidence_digest: Digest::of(b"other"), ..yes.clone() },
        Decision { at: Timestamp::from_micros(1), ..yes.clone() },
        Decision { conditions: Conditions { canary_percent: Some(1), ..Conditions::default() }, ..yes.clone() },
    ];
    for changed in changed {
        assert!(!said.is_of(&changed, &signed), "{changed:?}");
    }
    assert!(!said.is_of(&yes, &SignoffRequest { policy: policy(&[("owner", 2)]), ..request() }));
}

#[test]
fn a_permit_needs_the_world_to_be_as_it_was_signed() {
    let signed = request();
    let conditions = Conditions { canary_percent: Some(10), ..Conditions::default() };
    let approval = decision(DecisionKind::Approve, "ada", &["owner"]);
    let yes = [Decision { evidence_digest: signed.evidence_digest, conditions, ..approval.clone() }];
    let deciders = BTreeMap::from([(Actor::local("ada"), identity("ada", &["owner"]))]);
    let statements = BTreeMap::from([(yes[0].id, statement(&yes[0], &signed))]);
    let nobody = BTreeMap::new();
    let now = Present {
        policy: &signed.policy,
        evidence: signed.evidence_digest,
        model: signed.model_digest,
        live: None,
        baseline: None,
        deciders: &deciders,
        statements: &statements,
        target: "/models",
    };
    let permit = permit::derive(&signed, &yes, &now).expect("a permit");
    assert_eq!((permit.model, permit.target.as_str()), (signed.model_digest, "/models"));
    assert_eq!(permit.conditions.canary_percent, Some(10));
    // A push that was cut off after it went live is finished, not refused.
    let half = Present { live: Some(signed.model_digest), ..now.clone() };
    assert!(permit::derive(&signed, &yes, &half).is_ok());

    let other = Digest::of(b"other");
    let changed_policy = policy(&[("owner", 1), ("scientist", 1)]);
    let refused = |now: &Present<'_>| permit::derive(&signed, &yes, now).unwrap_err();
    assert!(matches!(refused(&Present { evidence: other, ..now.clone() }), NoPermit::EvidenceChanged { .. }));
    assert_eq!(refused(&Present { model: other, ..now.clone() }), NoPermit::ModelChanged);
    assert_eq!(refused(&Present { policy: &changed_policy, ..now.clone() }), NoPermit::PolicyChanged);
    assert_eq!(refused(&Present { live: Some(other), ..now.clone() }), NoPermit::BaselineChanged);
    assert_eq!(refused(&Present { deciders: &nobody, ..now.clone() }), NoPermit::DeciderLostRole);
    let gone = Identity { barred: Some("deactivated".to_string()), ..identity("ada", &["owner"]) };
    let gone = BTreeMap::from([(Actor::local("ada"), gone)]);
    assert_eq!(refused(&Present { deciders: &gone, ..now.clone() }), NoPermit::DeciderLostRole);
    let unsigned = BTreeMap::new();
    assert!(matches!(refused(&Present { statements: &unsigned, ..now.clone() }), NoPermit::SignatureBroken { .. }));
    let edited = [Decision { reason: "changed in the database".to_string(), ..yes[0].clone() }];
    assert!(matches!(permit::derive(&signed, &edited, &now), Err(NoPermit::SignatureBroken { .. })));
    let open = SignoffRequest { state: RequestState::Open, ..request() };
    assert_eq!(permit::derive(&open, &yes, &now), Err(NoPermit::NotApproved("open")));
    let forged = SignoffRequest { evidence: "{\"auc\":1}".to_string(), ..request() };
    assert!(matches!(permit::derive(&forged, &yes, &now), Err(NoPermit::EvidenceChanged { .. })));
}

fn waiting(remind: Option<u64>, escalate: Option<u64>, expire: Option<(u64, ExpiryAction)>) -> SignoffRequest {
    let mut request = SignoffRequest { state: RequestState::Open, ..request() };
    request.policy.remind_seconds = remind;
    request.policy.escalate = escalate.map(|after_seconds| Escalation { after_seconds, to: "@leads".to_string() });
    request.policy.expire = expire.map(|(after_seconds, then)| Expiry { after_seconds, then });
    request
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

#[test]
fn what_is_due_counts_from_the_posting() {
    let mut request = waiting(Some(10), Some(25), Some((40, ExpiryAction::Hold)));
    let mut seen = Vec::new();
    while let Some((when, due)) = request.next_due().filter(|(when, _)| *when <= at(50)) {
        seen.push((when.as_micros() / 1_000_000, due));
        request.progress = request.progress_after(due, when);
    }
    let remind = |second| (second, Due::Remind);
    let expected =
        [remind(10), remind(20), (25, Due::Escalate), remind(30), (40, Due::Overdue), remind(40), remind(50)];
    assert_eq!(seen, expected);
    assert_eq!(waiting(None, None, Some((5, ExpiryAction::Reject))).next_due(), Some((at(5), Due::Expire)));
    assert_eq!(waiting(None, None, None).next_due(), None);
    let closed = SignoffRequest { state: RequestState::Approved, ..waiting(Some(10), None, None) };
    assert_eq!(closed.next_due(), None);
}

#[test]
fn downtime_sends_one_reminder_and_does_not_extend_the_deadline() {
    let mut request = waiting(Some(10), None, Some((100, ExpiryAction::Reject)));
    request.progress = request.progress_after(Due::Remind, at(57));
    assert_eq!(request.progress.reminded, 5);
    assert_eq!(request.next_due(), Some((at(60), Due::Remind)));
    request.progress = request.progress_after(Due::Remind, at(99));
    assert_eq!(request.next_due(), Some((at(100), Due::Expire)), "a reminder at the deadline is none");
}

#[test]
fn a_policy_of_the_version_before_keeps_its_digest() {
    let stored = r#"{"approvers":[{"role":"owner","count":1}],"approve_on":["terminal"],"forbid_self_approval":true,"expire":null}"#;
    let read: SignoffPolicy = serde_json::from_str(stored).unwrap();
    let value: serde_json::Value = serde_json::from_str(stored).unwrap();
    assert_eq!(read.digest().unwrap(), countersign_model::canonical::digest(&value).unwrap());
}
