//! The rules of runs, verdicts, the audit chain and the cache key.

use countersign_model::actor::Actor;
use countersign_model::audit::{self, AuditFact};
use countersign_model::digest::Digest;
use countersign_model::finding::{Finding, FindingPolicy, Severity, Verdict};
use countersign_model::fingerprint::Fingerprint;
use countersign_model::id::RequestId;
use countersign_model::run::{RunEnd, RunState};
use countersign_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use ulid::Ulid;

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
