//! A run with a failed attempt, a reused step, a sign-off and a push, as the record would tell it.

use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::Cause;
use countersign_model::execution::{Execution, ExecutionState, StepError, StepResult};
use countersign_model::finding::Verdict;
use countersign_model::fingerprint::Fingerprint;
use countersign_model::id::{EventId, ExecutionId, PushId, RequestId, RunId};
use countersign_model::push::Push;
use countersign_model::run::{Run, RunEnd, RunState};
use countersign_model::time::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use ulid::Ulid;

pub fn second(second: i64) -> Timestamp {
    Timestamp::from_micros((1_790_000_000 + second) * 1_000_000)
}

fn ulid(number: u128) -> Ulid {
    Ulid::from_parts(1_790_000_000_000, 0x0123_4567_89ab_cdef_0000 + number)
}

pub fn run(end: RunEnd) -> Run {
    Run {
        id: RunId::from_ulid(ulid(1)),
        pipeline: "taxi-tips".to_string(),
        pipeline_digest: Digest::from_bytes([1; 32]),
        event: EventId::from_ulid(ulid(2)),
        cause: Cause::Person,
        started_by: Actor::local("ada"),
        span: Some("2026-11-24".to_string()),
        priority: 0,
        state: RunState::Ended { end },
        created_at: second(0),
        ended_at: Some(second(100)),
    }
}

pub fn execution(number: u128, step: &str, attempt: u32, started_at: Timestamp, state: ExecutionState) -> Execution {
    let digest = Digest::from_bytes([2; 32]);
    Execution {
        id: ExecutionId::from_ulid(ulid(number)),
        run: run(RunEnd::Succeeded).id,
        pipeline: "taxi-tips".to_string(),
        step: step.to_string(),
        attempt,
        component: format!("{step} 0.1.0"),
        fingerprint: Fingerprint {
            component: digest,
            interface: "1".to_string(),
            parameters: digest,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            grant: BTreeSet::new(),
        },
        cache_key: digest,
        own_inputs: digest,
        inputs: BTreeMap::new(),
        parameters: json!({ "password": "in-the-parameters" }),
        why: "first run".to_string(),
        state,
        started_at,
    }
}

pub fn result(ended_at: Timestamp) -> StepResult {
    StepResult {
        summary: "in-the-summary".to_string(),
        verdict: Verdict::Pass,
        findings: Vec::new(),
        metrics: BTreeMap::new(),
        outputs: BTreeMap::new(),
        ended_at,
    }
}

pub fn failed(ended_at: Timestamp) -> ExecutionState {
    let error = StepError {
        code: "limit.memory".to_string(),
        message: "it wanted more than 512 MiB".to_string(),
        detail: "in-the-detail".to_string(),
        transient: true,
    };
    ExecutionState::Failed { error, ended_at }
}

pub fn cached(from_end: Timestamp) -> ExecutionState {
    let from = ExecutionId::from_ulid(ulid(90));
    ExecutionState::Cached { from, from_run: RunId::from_ulid(ulid(91)), result: result(from_end) }
}

pub fn request() -> SignoffRequest {
    SignoffRequest {
        id: RequestId::from_ulid(ulid(20)),
        run: run(RunEnd::Succeeded).id,
        pipeline: "taxi-tips".to_string(),
        gate: "review".to_string(),
        policy: serde_json::from_value(json!({
            "approvers": [], "approve_on": [], "forbid_self_approval": false, "expire": null,
        }))
        .unwrap(),
        evidence: "in-the-evidence".to_string(),
        evidence_digest: Digest::from_bytes([5; 32]),
        model_digest: Digest::from_bytes([6; 32]),
        verdict: Verdict::Pass,
        nonce: "in-the-nonce".to_string(),
        state: RequestState::Approved,
        posted_at: second(30),
        progress: countersign_model::deadline::Progress::default(),
    }
}

pub fn push() -> Push {
    Push {
        id: PushId::from_ulid(ulid(30)),
        run: run(RunEnd::Succeeded).id,
        pipeline: "taxi-tips".to_string(),
        model: Digest::from_bytes([6; 32]),
        target: "serving".to_string(),
        request: RequestId::from_ulid(ulid(20)),
        conditions: Conditions::default(),
        begun_at: second(95),
        completed_at: Some(second(96)),
    }
}
