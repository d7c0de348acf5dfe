//! Plain facts to put into a store: executions with their artifacts, requests, decisions, pushes.

use super::bench::{Bench, LEASE};
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::conditions::Conditions;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::execution::{Execution, ExecutionState, StepResult};
use countersign_model::finding::Verdict;
use countersign_model::fingerprint::Fingerprint;
use countersign_model::id::{ArtifactId, DecisionId, ExecutionId, NoticeId, PushId, RequestId, RunId};
use countersign_model::policy::{RoleQuorum, SignoffPolicy};
use countersign_model::push::Push;
use countersign_model::run::Claim;
use countersign_ports::notifier::{Message, Notice};
use std::collections::{BTreeMap, BTreeSet};

/// What [`Bench::step`] makes.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// Pipeline.
    pub pipeline: &'a str,
    /// Step.
    pub step: &'a str,
    /// Kind of the output.
    pub kind: &'a str,
    /// Its bytes, and the cache key.
    pub content: &'a str,
    /// Names the step's own inputs.
    pub own: &'a str,
    /// What the check concluded.
    pub verdict: Verdict,
    /// The output's span.
    pub span: Option<&'a str>,
    /// Input artifacts.
    pub inputs: &'a [&'a Artifact],
}

impl<'a> Made<'a> {
    /// Something of the pipeline `taxi` without inputs.
    pub fn new(step: &'a str, kind: &'a str, content: &'a str) -> Self {
        Self { pipeline: "taxi", step, kind, content, own: content, verdict: Verdict::Pass, span: None, inputs: &[] }
    }
}

impl Bench {
    /// An execution that begins; `own` names its own inputs, `key` its cache key.
    pub fn execution(&self, claim: &Claim, pipeline: &str, step: &str, own: &str, key: &str) -> Execution {
        Execution {
            id: ExecutionId::from_ulid(self.ulid()),
            run: claim.run,
            pipeline: pipeline.to_string(),
            step: step.to_string(),
            attempt: 1,
            component: format!("{step} 0.1.0"),
            fingerprint: Fingerprint {
                component: Digest::of(step.as_bytes()),
                interface: "0.1.0".to_string(),
                parameters: Digest::of(b"{}"),
                inputs: BTreeMap::new(),
                outputs: BTreeMap::new(),
                grant: BTreeSet::new(),
            },
            cache_key: Digest::of(key.as_bytes()),
            own_inputs: Digest::of(own.as_bytes()),
            inputs: BTreeMap::new(),
            parameters: serde_json::json!({ "rate": 0.5, "names": ["é", "\u{0}"] }),
            why: "first run".to_string(),
            state: ExecutionState::Running,
            started_at: self.tick(),
        }
    }

    /// An output of `execution`; equal `content` is equal bytes.
    pub fn output(&self, execution: &Execution, port: &str, kind: &str, content: &str) -> Artifact {
        Artifact {
            id: ArtifactId::from_ulid(self.ulid()),
            kind: ArtifactKind::new(kind),
            digest: Digest::of(content.as_bytes()),
            bytes: content.len() as u64,
            pipeline: execution.pipeline.clone(),
            step: execution.step.clone(),
            output: port.to_string(),
            run: execution.run,
            execution: Some(execution.id),
            span: None,
            created_at: self.now(),
        }
    }

    /// What a source delivered for the run.
    pub async fn delivery(&self, claim: &Claim, pipeline: &str, content: &str) -> Artifact {
        let artifact = Artifact {
            id: ArtifactId::from_ulid(self.ulid()),
            kind: ArtifactKind::DELIVERY.into(),
            digest: Digest::of(content.as_bytes()),
            bytes: content.len() as u64,
            pipeline: pipeline.to_string(),
            step: "trips".to_string(),
            output: "delivery".to_string(),
            run: claim.run,
            execution: None,
            span: Some("2026-11-23".to_string()),
            created_at: self.now(),
        };
        self.store.record_delivery(claim, &artifact).await.unwrap();
        artifact
    }

    /// A result with these outputs.
    pub fn result(&self, verdict: Verdict, outputs: &[Artifact]) -> StepResult {
        StepResult {
            summary: "done".to_string(),
            verdict,
            findings: Vec::new(),
            metrics: BTreeMap::from([("auc".to_string(), 0.871)]),
            outputs: outputs.iter().map(|artifact| (artifact.output.clone(), artifact.clone())).collect(),
            ended_at: self.tick(),
        }
    }

    /// Begins an execution over `inputs`, publishes it with one output, and answers that.
    pub async fn step(&self, claim: &Claim, made: Made<'_>) -> Artifact {
        let mut execution = self.execution(claim, made.pipeline, made.step, made.own, made.content);
        if !made.inputs.is_empty() {
            execution.inputs.insert("in".to_string(), made.inputs.iter().map(|artifact| artifact.id).collect());
        }
        self.store.begin_execution(claim, &execution).await.unwrap();
        let mut output = self.output(&execution, "out", made.kind, made.content);
        output.span = made.span.map(str::to_string);
        execution.state = ExecutionState::Succeeded { result: self.result(made.verdict, &[output.clone()]) };
        self.store.publish_execution(claim, &execution, &[]).await.unwrap();
        output
    }

    /// Reuses `artifact` from the cache in another run.
    pub async fn reuse(&self, claim: &Claim, artifact: &Artifact, inputs: &[&Artifact]) {
        let mut execution = self.execution(claim, &artifact.pipeline, &artifact.step, "reused", "reused");
        if !inputs.is_empty() {
            execution.inputs.insert("in".to_string(), inputs.iter().map(|artifact| artifact.id).collect());
        }
        execution.state = ExecutionState::Cached {
            from: artifact.execution.expect("a step made it"),
            from_run: artifact.run,
            result: self.result(Verdict::Pass, std::slice::from_ref(artifact)),
        };
        self.store.publish_execution(claim, &execution, &[]).await.unwrap();
    }

    /// A request of the run at the gate `release`, for that model, which so many people of the role `owner` must sign.
    pub fn request(&self, run: RunId, pipeline: &str, model: &str, owners: u32) -> SignoffRequest {
        let evidence = format!(r#"{{"model":"{model}","run":"{run}"}}"#);
        SignoffRequest {
            id: RequestId::from_ulid(self.ulid()),
            run,
            pipeline: pipeline.to_string(),
            gate: "release".to_string(),
            policy: SignoffPolicy {
                approvers: vec![RoleQuorum { role: "owner".to_string(), count: owners }],
                approve_on: BTreeSet::from([Channel::Terminal]),
                forbid_self_approval: false,
                overriding: None,
                second_factor: false,
                channel: None,
                remind_seconds: None,
                escalate: None,
                expire: None,
                conditions: Conditions::default(),
            },
            evidence_digest: Digest::of(evidence.as_bytes()),
            evidence,
            model_digest: Digest::of(model.as_bytes()),
            verdict: Verdict::NeedsPerson,
            nonce: format!("{:032x}", self.ulid().0),
            state: RequestState::Open,
            posted_at: self.tick(),
            progress: Progress::default(),
        }
    }

    /// A run that waits at its gate; answers its request.
    pub async fn waiting(&self, pipeline: &str, model: &str) -> SignoffRequest {
        let claim = self.running(pipeline).await;
        let request = self.request(claim.run, pipeline, model, 1);
        self.store.open_request(&claim, &request, &[]).await.unwrap();
        request
    }

    /// A decision on the request by an owner.
    pub fn decision(&self, request: &SignoffRequest, kind: DecisionKind, name: &str) -> Decision {
        Decision {
            id: DecisionId::from_ulid(self.ulid()),
            request: request.id,
            kind,
            actor: Self::person(name),
            person: name.to_string(),
            roles: vec!["owner".to_string()],
            channel: Channel::Terminal,
            second_factor: false,
            reason: "seen".to_string(),
            conditions: Conditions::default(),
            evidence_digest: request.evidence_digest,
            envelope: None,
            late: false,
            at: self.tick(),
        }
    }

    /// A notice about the run.
    pub fn notice(&self, run: RunId, message: Message) -> Notice {
        Notice {
            id: NoticeId::from_ulid(self.ulid()),
            run,
            channel: "terminal".to_string(),
            message,
            created_at: self.now(),
            attempts: 0,
        }
    }

    /// A push of the requested model.
    pub fn push(&self, request: &SignoffRequest, target: &str) -> Push {
        Push {
            id: PushId::from_ulid(self.ulid()),
            run: request.run,
            pipeline: request.pipeline.clone(),
            model: request.model_digest,
            target: target.to_string(),
            request: request.id,
            conditions: Conditions { canary_percent: Some(10), ..Conditions::default() },
            begun_at: self.tick(),
            completed_at: None,
        }
    }

    /// Takes the waiting run through approval; answers the claim that goes on with it.
    pub async fn approve(&self, request: &SignoffRequest) -> Claim {
        let decision = self.decision(request, DecisionKind::Approve, "ada");
        self.store.record_decision(&decision, &[]).await.unwrap();
        self.store.claim_run(&self.worker(), Some(&request.run), LEASE).await.unwrap().expect("the run is queued")
    }
}
