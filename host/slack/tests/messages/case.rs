//! One situation, owned, so that a test can hold it.

use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::Cause;
use countersign_model::evidence::{Evidence, Shown};
use countersign_model::finding::Verdict;
use countersign_model::id::{DecisionId, EventId, PushId, RequestId, RunId};
use countersign_model::policy::{RoleQuorum, SignoffPolicy, Standing};
use countersign_model::push::Push;
use countersign_model::run::{Run, RunState};
use countersign_model::time::Timestamp;
use countersign_slack::message::Situation;
use std::collections::BTreeMap;
use ulid::Ulid;

/// A situation and whatever it refers to.
#[derive(Clone)]
pub struct Case {
    pub request: SignoffRequest,
    pub evidence: Evidence,
    pub decisions: Vec<Decision>,
    pub standing: Standing,
    pub run: Run,
    pub push: Option<Push>,
    pub page: Option<String>,
    pub picture: Option<String>,
}

/// What a failing property prints; all of it would be megabytes, and the message is printed with what is wrong in it.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("policy", &self.request.policy)
            .field("state", &self.request.state)
            .finish_non_exhaustive()
    }
}

/// 2026-11-22 16:04 UTC.
pub const POSTED: Timestamp = Timestamp::from_micros(1_795_363_440_000_000);

pub fn run_id(number: u64) -> RunId {
    RunId::from_ulid(Ulid::from_parts(number, 7))
}

impl Case {
    /// Somebody has to sign, nobody has, and there is nothing to show yet.
    pub fn waiting() -> Self {
        let evidence = Evidence {
            form: 1,
            pipeline: "taxi-tips".into(),
            gate: "release".into(),
            model: Digest::of(b"candidate"),
            baseline: Some(Digest::of(b"live")),
            policy: Digest::of(b"policy"),
            artifacts: BTreeMap::new(),
            components: BTreeMap::new(),
            verdicts: BTreeMap::from([("validation".into(), Verdict::Pass)]),
            findings: BTreeMap::new(),
            changes: Vec::new(),
            shown: Shown::default(),
        };
        let policy = SignoffPolicy {
            approvers: ["data-scientist", "owner"].map(|role| RoleQuorum { role: role.into(), count: 1 }).into(),
            approve_on: [Channel::Page].into(),
            forbid_self_approval: true,
            overriding: None,
            second_factor: false,
            channel: None,
            remind_seconds: Some(14_400),
            escalate: None,
            expire: None,
            conditions: Conditions::default(),
        };
        let request = SignoffRequest {
            id: RequestId::from_ulid(Ulid::from_parts(2, 7)),
            run: run_id(1),
            pipeline: "taxi-tips".into(),
            gate: "release".into(),
            policy,
            evidence: String::new(),
            evidence_digest: Digest::of(b"evidence"),
            model_digest: Digest::of(b"candidate"),
            verdict: Verdict::Pass,
            nonce: "0123456789abcdef0123456789abcdef".into(),
            state: RequestState::Open,
            posted_at: POSTED,
            progress: Progress::default(),
        };
        let run = Run {
            id: run_id(1),
            pipeline: "taxi-tips".into(),
            pipeline_digest: Digest::of(b"pipeline"),
            event: EventId::from_ulid(Ulid::from_parts(3, 7)),
            cause: Cause::Person,
            started_by: Actor::local("ada"),
            priority: 0,
            span: None,
            state: RunState::Waiting { request: request.id },
            created_at: POSTED,
            ended_at: None,
        };
        let page = Some("https://countersign.example.org/r/run_1?a=1&b=2".to_string());
        Self {
            request,
            evidence,
            decisions: Vec::new(),
            standing: Standing::Rejected,
            run,
            push: None,
            page,
            picture: None,
        }
        .tallied()
    }

    /// With the standing that its decisions add up to.
    pub fn tallied(mut self) -> Self {
        self.standing = self.request.policy.tally(self.request.verdict, &self.decisions);
        self
    }

    pub fn situation(&self) -> Situation<'_> {
        Situation {
            request: &self.request,
            evidence: &self.evidence,
            decisions: &self.decisions,
            standing: &self.standing,
            run: &self.run,
            push: self.push.as_ref(),
            audit_head: (18_204, Digest::of(b"audit")),
            page: self.page.clone(),
            now: Timestamp::from_micros(POSTED.as_micros() + 5 * 3_600_000_000),
            picture: self.picture.as_deref(),
        }
    }

    /// A decision on it.
    pub fn decision(&self, kind: DecisionKind, actor: Actor, person: &str, reason: &str) -> Decision {
        Decision {
            id: DecisionId::from_ulid(Ulid::from_parts(4, 7)),
            request: self.request.id,
            kind,
            person: person.into(),
            actor,
            roles: vec!["data-scientist".into()],
            channel: Channel::Page,
            second_factor: true,
            reason: reason.into(),
            conditions: Conditions::default(),
            evidence_digest: self.request.evidence_digest,
            envelope: None,
            late: false,
            at: Timestamp::from_micros(POSTED.as_micros() + 3_600_000_000),
        }
    }

    /// A placement that came of it.
    pub fn placement(&self, target: &str, completed: bool) -> Push {
        Push {
            id: PushId::from_ulid(Ulid::from_parts(5, 7)),
            run: self.run.id,
            pipeline: self.request.pipeline.clone(),
            model: self.request.model_digest,
            target: target.into(),
            request: self.request.id,
            conditions: self.request.policy.conditions.clone(),
            begun_at: POSTED,
            completed_at: completed.then_some(POSTED),
        }
    }
}
