//! The rules of sign-off, permits, runs, the audit chain and the cache key.

use countersign_model::actor::Actor;
use countersign_model::audit::{self, AuditFact};
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::finding::{Finding, FindingPolicy, Severity, Verdict};
use countersign_model::fingerprint::Fingerprint;
use countersign_model::id::{DecisionId, RequestId, RunId};
use countersign_model::permit::{self, NoPermit, Present};
use countersign_model::policy::{Refusal, RoleQuorum, SignoffPolicy, Standing};
use countersign_model::run::{RunEnd, RunState};
use countersign_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use ulid::Ulid;

fn policy(roles: &[(&str, u32)]) -> SignoffPolicy {
    SignoffPolicy {
        approvers: roles.iter().map(|(role, count)| RoleQuorum { role: role.to_string(), count: *count }).collect(),
        approve_on: BTreeSet::from([Channel::Terminal]),
        forbid_self_approval: true,
        expire: None,
    }
}

fn decision(kind: DecisionKind, who: &str, roles: &[&str]) -> Decision {
    Decision {
        id: DecisionId::from_ulid(Ulid::from_parts(1, 1)),
        request: RequestId::from_ulid(Ulid::from_parts(1, 2)),
        kind,
        actor: Actor::local(who),
        roles: roles.iter().map(ToString::to_string).collect(),
        channel: Channel::Terminal,
        reason: "because".to_string(),
        evidence_digest: Digest::of(b"evidence"),
        late: false,
        at: Timestamp::from_micros(0),
    }
}

#[test]
fn every_role_has_to_sign_and_nobody_signs_twice() {
    let two = policy(&[("owner", 1), ("scientist", 2)]);
    let ada = decision(DecisionKind::Approve, "ada", &["owner", "scientist"]);
    let bob = decision(DecisionKind::Approve, "bob", &["scientist"]);
    let eve = decision(DecisionKind::Approve, "eve", &["scientist"]);
    let missing = |decisions: &[Decision]| match two.tally(decisions) {
        Standing::Open { missing, .. } => missing.into_iter().collect::<Vec<_>>(),
        standing => panic!("{standing:?}"),
    };
    assert_eq!(missing(&[ada.clone(), ada.clone(), ada.clone()]), [("scientist".to_string(), 2)]);
    assert_eq!(missing(&[ada.clone(), bob.clone()]), [("scientist".to_string(), 1)]);
    assert_eq!(two.tally(&[ada.clone(), bob.clone(), eve.clone()]), Standing::Approved);
    let late = Decision { late: true, ..eve };
    assert_eq!(missing(&[ada.clone(), bob.clone(), late]), [("scientist".to_string(), 1)]);
    let no = decision(DecisionKind::Reject, "bob", &["scientist"]);
    assert_eq!(two.tally(&[ada.clone(), no]), Standing::Rejected);
    let held = [ada, decision(DecisionKind::Hold, "bob", &["scientist"])];
    assert!(matches!(two.tally(&held), Standing::Open { held: true, .. }));
}

#[test]
fn an_empty_list_of_approvers_lets_nobody_decide() {
    let nobody = policy(&[]);
    let ada = decision(DecisionKind::Approve, "ada", &["owner"]);
    assert!(matches!(nobody.tally(&[ada]), Standing::Open { .. }));
    let roles = BTreeSet::from(["owner".to_string()]);
    let refused = nobody.authorise(
        &Actor::local("ada"),
        &roles,
        &Actor::system("cron"),
        DecisionKind::Approve,
        Channel::Terminal,
        "x",
    );
    assert!(matches!(refused, Err(Refusal::NoRole { .. })));
}

#[test]
fn who_may_decide_where() {
    let rules = policy(&[("owner", 1)]);
    let owner = BTreeSet::from(["owner".to_string()]);
    let ask = |actor: &Actor, roles: &BTreeSet<String>, kind, channel, reason| {
        rules.authorise(actor, roles, &Actor::local("ada"), kind, channel, reason)
    };
    let bob = Actor::local("bob");
    assert_eq!(ask(&bob, &owner, DecisionKind::Approve, Channel::Terminal, ""), Ok(()));
    assert!(matches!(ask(&bob, &owner, DecisionKind::Approve, Channel::Slack, ""), Err(Refusal::WrongChannel { .. })));
    assert_eq!(ask(&bob, &owner, DecisionKind::Reject, Channel::Slack, "no"), Ok(()));
    assert_eq!(
        ask(&bob, &owner, DecisionKind::Reject, Channel::Slack, " "),
        Err(Refusal::NoReason(DecisionKind::Reject))
    );
    let ada = Actor::local("ada");
    assert_eq!(
        ask(&ada, &owner, DecisionKind::Approve, Channel::Terminal, "x"),
        Err(Refusal::SelfApproval(ada.clone()))
    );
    assert_eq!(ask(&ada, &owner, DecisionKind::Reject, Channel::Terminal, "x"), Ok(()));
    let cron = Actor::system("cron");
    assert_eq!(
        ask(&cron, &owner, DecisionKind::Approve, Channel::Terminal, "x"),
        Err(Refusal::NotAPerson(cron.clone()))
    );
}

fn request() -> SignoffRequest {
    let evidence = "{}".to_string();
    SignoffRequest {
        id: RequestId::from_ulid(Ulid::from_parts(1, 2)),
        run: RunId::from_ulid(Ulid::from_parts(1, 3)),
        pipeline: "p".to_string(),
        gate: "release".to_string(),
        policy: policy(&[("owner", 1)]),
        evidence_digest: Digest::of(evidence.as_bytes()),
        evidence,
        model_digest: Digest::of(b"model"),
        state: RequestState::Approved,
        posted_at: Timestamp::from_micros(0),
    }
}

#[test]
fn a_permit_needs_the_world_to_be_as_it_was_signed() {
    let signed = request();
    let yes =
        [Decision { evidence_digest: signed.evidence_digest, ..decision(DecisionKind::Approve, "ada", &["owner"]) }];
    let owner = |_: &Actor| BTreeSet::from(["owner".to_string()]);
    let nobody = |_: &Actor| BTreeSet::new();
    let now = Present {
        policy: &signed.policy,
        evidence: signed.evidence_digest,
        model: signed.model_digest,
        live: None,
        baseline: None,
        roles_now: &owner,
        target: "/models",
    };
    let permit = permit::derive(&signed, &yes, &now).expect("a permit");
    assert_eq!((permit.model, permit.target.as_str()), (signed.model_digest, "/models"));
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
    assert_eq!(refused(&Present { roles_now: &nobody, ..now.clone() }), NoPermit::DeciderLostRole);
    let open = SignoffRequest { state: RequestState::Open, ..request() };
    assert_eq!(permit::derive(&open, &yes, &now), Err(NoPermit::NotApproved("open")));
    let forged = SignoffRequest { evidence: "{\"auc\":1}".to_string(), ..request() };
    assert!(matches!(permit::derive(&forged, &yes, &now), Err(NoPermit::EvidenceChanged { .. })));
    let elsewhere = [decision(DecisionKind::Approve, "ada", &["owner"])];
    assert_eq!(permit::derive(&signed, &elsewhere, &now), Err(NoPermit::DeciderLostRole));
}

#[test]
fn runs_only_move_as_they_may() {
    let request = RequestId::from_ulid(Ulid::from_parts(1, 2));
    let other = RequestId::from_ulid(Ulid::from_parts(1, 9));
    let running = RunState::Queued.claim().unwrap();
    assert_eq!(running, RunState::Running);
    assert_eq!(RunState::Running.claim(), Ok(RunState::Running), "a lease ran out");
    let waiting = running.wait(request).unwrap();
    assert!(waiting.clone().claim().is_err() && waiting.clone().wait(request).is_err());
    assert!(waiting.clone().resume(other).is_err());
    assert_eq!(waiting.clone().resume(request), Ok(RunState::Queued));
    let ended = waiting.end(RunEnd::Expired).unwrap();
    assert!(ended.clone().claim().is_err() && ended.clone().end(RunEnd::Succeeded).is_err());
    assert!(RunState::Queued.wait(request).is_err() && RunState::Queued.resume(request).is_err());
}

#[test]
fn the_audit_chain_names_the_first_entry_that_does_not_fit() {
    let fact = |action: &str| AuditFact {
        at: Timestamp::from_micros(7),
        actor: Actor::system("test"),
        action: action.to_string(),
        subject: "x".to_string(),
        detail: serde_json::json!({ "n": 1 }),
    };
    let mut head = (0, audit::genesis());
    let mut entries = Vec::new();
    for action in ["a", "b", "c", "d"] {
        let entry = audit::append(head, fact(action)).unwrap();
        head = (entry.sequence, entry.hash);
        entries.push(entry);
    }
    let start = (0, audit::genesis());
    assert_eq!(audit::verify(start, &entries), Ok(head));
    let broken = |entries: &[audit::AuditEntry]| audit::verify(start, entries).unwrap_err().sequence;
    let mut edited = entries.clone();
    edited[1].fact.action = "B".to_string();
    assert_eq!(broken(&edited), 2);
    let mut deleted = entries.clone();
    deleted.remove(1);
    assert_eq!(broken(&deleted), 3);
    let mut swapped = entries.clone();
    swapped.swap(1, 2);
    assert_eq!(broken(&swapped), 3);
    let mut rehashed = entries;
    rehashed[1].fact.action = "B".to_string();
    rehashed[1].hash = audit::hash(2, &rehashed[1].previous, &rehashed[1].fact).unwrap();
    assert_eq!(broken(&rehashed), 3, "the next entry does not follow the forged one");
}

#[test]
fn findings_become_a_verdict_by_the_steps_table() {
    let finding = |kind: &str, severity| Finding {
        kind: kind.to_string(),
        severity,
        subject: "fare".to_string(),
        message: String::new(),
        expected: None,
        seen: None,
        previous: None,
        rows: vec![],
    };
    let table = FindingPolicy(BTreeMap::from([("drift".to_string(), Severity::Ask)]));
    let applied =
        vec![table.apply(finding("drift", Severity::Block)), table.apply(finding("new column", Severity::Warn))];
    assert_eq!(Verdict::of(&applied), Verdict::NeedsPerson);
    assert_eq!(Verdict::of(&[]), Verdict::Pass);
    assert_eq!(Verdict::of(&[finding("x", Severity::Block)]), Verdict::Fail);
}

#[test]
fn the_cache_key_follows_content_and_says_what_changed() {
    let base = Fingerprint {
        component: Digest::of(b"wasm"),
        interface: "0.1.0".to_string(),
        parameters: Digest::of(b"{}"),
        inputs: BTreeMap::from([("examples".to_string(), vec![Digest::of(b"data")])]),
        outputs: BTreeMap::new(),
        grant: BTreeSet::new(),
    };
    assert_eq!(base.clone().digest().unwrap(), base.digest().unwrap());
    let mut changed = base.clone();
    changed.parameters = Digest::of(b"{\"a\":1}");
    changed.inputs.insert("examples".to_string(), vec![Digest::of(b"other")]);
    changed.inputs.insert("base".to_string(), vec![]);
    assert_ne!(changed.digest().unwrap(), base.digest().unwrap());
    assert_eq!(changed.changes_since(&base), ["parameters changed", "base is new", "examples changed"]);
    assert_eq!(base.changes_since(&changed), ["parameters changed", "examples changed", "base is gone"]);
}
