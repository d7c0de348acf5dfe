//! An installation to test on: one pipeline `ingest -> train -> evaluate -> release -> push`, and people who decide.

use crate::doubles::{Counting, Key, Mailbox, Nowhere, People, Runner, component};
use countersign_model::actor::Actor;
use countersign_model::artifact::ArtifactKind;
use countersign_model::component::{Description, Port};
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Channel, DecisionKind, RequestState, SignoffRequest};
use countersign_model::id::{RequestId, RunId};
use countersign_model::pipeline::{ComponentStep, Input, Pipeline, PipelineVersion, Retry, Step, Trigger, Work};
use countersign_model::policy::{RoleQuorum, SignoffPolicy};
use countersign_model::run::RunState;
use countersign_model::{canonical, finding::Finding, finding::Severity};
use countersign_orchestrator::{Components, Engine, EngineOptions, Parts, Routes, Silent, WorkEnd};
use countersign_ports::metadata_store::Recorded;
use countersign_ports::{ArtifactStore, Clock, DecideError, DecisionInput, Desk, MetadataStore, Notifier};
use countersign_store::conformance::ManualClock;
use countersign_store::{LocalArtifacts, MemoryStore};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub struct World {
    pub engine: Engine,
    pub parts: Parts,
    pub store: Arc<dyn MetadataStore>,
    pub artifacts: Arc<dyn ArtifactStore>,
    pub clock: Arc<ManualClock>,
    pub runner: Arc<Runner>,
    pub people: Arc<People>,
    pub slack: Arc<Mailbox>,
    pub terminal: Arc<Mailbox>,
    pub folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with(Routes::default())
    }

    pub fn with(routes: Routes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let memory = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let store: Arc<dyn MetadataStore> = Arc::clone(&memory) as _;
        let artifacts: Arc<dyn ArtifactStore> =
            Arc::new(LocalArtifacts::open(&folder.path().join("artifacts")).unwrap());
        let (runner, people) = (Arc::new(Runner::default()), Arc::new(People::default()));
        let (slack, terminal) = (Mailbox::new("slack:"), Mailbox::new("terminal"));
        for (name, roles) in
            [("ada", &["owner"][..]), ("bob", &["scientist"]), ("eve", &["owner", "scientist"]), ("dan", &[])]
        {
            people.put(&Actor::local(name), name, roles);
        }
        let parts = Parts {
            store: Arc::clone(&store),
            triggers: memory,
            artifacts: Arc::clone(&artifacts),
            runner: Arc::clone(&runner) as _,
            components: components(),
            clock: Arc::clone(&clock) as _,
            ids: Arc::new(Counting::default()),
            deliveries: Arc::new(Nowhere),
            directory: Arc::clone(&people) as _,
            attestor: Arc::new(Key),
            notifiers: vec![Arc::clone(&slack) as Arc<dyn Notifier>, Arc::clone(&terminal) as _],
            routes,
            predictor: Some(component("predict")),
            watcher: Arc::new(Silent),
        };
        let world_folder = folder.path().to_path_buf();
        let engine = Engine::new(parts.clone(), options(world_folder));
        Self { engine, parts, store, artifacts, clock, runner, people, slack, terminal, folder }
    }

    /// Another process on the same store.
    pub fn second_engine(&self) -> Engine {
        Engine::new(self.parts.clone(), options(self.folder.path().to_path_buf()))
    }

    pub fn target(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    pub fn version(&self, seed: u64, policy: SignoffPolicy) -> PipelineVersion {
        let target = self.target().display().to_string();
        let from = |step: &str, output: &str| Input::Step { step: step.to_string(), output: output.to_string() };
        let mut push = work("push", [("model", from("train", "model"))], json!({}));
        push.release = Some("release".to_string());
        push.target = Some(target);
        let steps = vec![
            step("ingest", Work::Component(work("ingest", [], json!({}))), &[]),
            step(
                "train",
                Work::Component(work("train", [("examples", from("ingest", "examples"))], json!({ "seed": seed }))),
                &["ingest"],
            ),
            step(
                "evaluate",
                Work::Component(work("evaluate", [("model", from("train", "model"))], json!({}))),
                &["train"],
            ),
            step("release", Work::Signoff(policy), &["train", "evaluate"]),
            step("push", Work::Component(push), &["train", "release"]),
        ];
        versioned(steps)
    }

    /// Starts a run and carries it until it waits or is over.
    pub async fn run(&self, version: &PipelineVersion) -> RunId {
        let run = self.engine.start(version, &Actor::local("carl")).await.unwrap();
        self.carry(&run).await;
        run
    }

    pub async fn carry(&self, run: &RunId) -> RunState {
        let claim = self.engine.claim(Some(run)).await.unwrap().expect("the run wants work");
        match self.engine.work(&claim).await.unwrap() {
            WorkEnd::Settled(state) => state,
            end @ (WorkEnd::Lost | WorkEnd::HandedOver) => panic!("{end:?}"),
        }
    }

    pub async fn state(&self, run: &RunId) -> RunState {
        self.store.run(run).await.unwrap().unwrap().state
    }

    /// The request that the run waits for.
    pub async fn waiting(&self, run: &RunId) -> SignoffRequest {
        match self.state(run).await {
            RunState::Waiting { request } => self.request(&request).await,
            other => panic!("{other:?}"),
        }
    }

    pub async fn request(&self, id: &RequestId) -> SignoffRequest {
        self.store.request(id).await.unwrap().unwrap()
    }

    pub fn input(&self, request: &SignoffRequest, who: &str, kind: DecisionKind) -> DecisionInput {
        DecisionInput {
            request: request.id,
            evidence: request.evidence_digest,
            kind,
            actor: Actor::local(who),
            channel: Channel::Page,
            second_factor: false,
            reason: "looked at it".to_string(),
            conditions: Conditions::default(),
            once: None,
        }
    }

    pub async fn decide(
        &self,
        request: &SignoffRequest,
        who: &str,
        kind: DecisionKind,
    ) -> Result<Recorded, DecideError> {
        self.engine.decide(self.input(request, who, kind)).await
    }

    /// States of all requests, oldest first.
    pub async fn request_states(&self) -> Vec<RequestState> {
        let mut all = self.store.requests(None, None).await.unwrap();
        all.reverse();
        all.into_iter().map(|request| request.state).collect()
    }

    /// Actions in the audit log that start so.
    pub async fn audited(&self, prefix: &str) -> usize {
        let entries = self.store.audit_entries(0, 10_000).await.unwrap();
        entries.iter().filter(|entry| entry.fact.action.starts_with(prefix)).count()
    }

    pub fn is_live(&self, text: &str) -> bool {
        std::fs::read_to_string(self.target().join("current/model.onnx")).is_ok_and(|live| live == text)
    }
}

fn options(folder: PathBuf) -> EngineOptions {
    EngineOptions { lease: Duration::from_secs(600), scratch: folder.join("scratch") }
}

/// One owner, anywhere, not for their own run.
pub fn policy() -> SignoffPolicy {
    SignoffPolicy {
        approvers: vec![quorum("owner", 1)],
        approve_on: BTreeSet::from([Channel::Page, Channel::Slack, Channel::Terminal]),
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

pub fn quorum(role: &str, count: u32) -> RoleQuorum {
    RoleQuorum { role: role.to_string(), count }
}

pub fn finding(severity: Severity) -> Finding {
    Finding {
        kind: "metric fell".to_string(),
        severity,
        subject: "auc".to_string(),
        message: "auc fell".to_string(),
        expected: None,
        seen: None,
        previous: None,
        rows: Vec::new(),
    }
}

pub fn step(name: &str, work: Work, after: &[&str]) -> Step {
    Step { name: name.to_string(), work, after: after.iter().map(ToString::to_string).collect() }
}

pub fn work<const N: usize>(name: &str, inputs: [(&str, Input); N], parameters: serde_json::Value) -> ComponentStep {
    ComponentStep {
        component: name.to_string(),
        component_digest: component(name).digest,
        inputs: inputs.into_iter().map(|(port, input)| (port.to_string(), input)).collect(),
        parameters,
        grant: BTreeSet::new(),
        limits: Default::default(),
        retry: Retry { attempts: 1, ..Retry::default() },
        on: Default::default(),
        cache: true,
        release: None,
        target: None,
    }
}

pub fn versioned(steps: Vec<Step>) -> PipelineVersion {
    let pipeline = Pipeline {
        name: "taxi".to_string(),
        description: "for tests".to_string(),
        trigger: Trigger::default(),
        sources: BTreeMap::new(),
        steps,
    };
    PipelineVersion {
        name: pipeline.name.clone(),
        digest: canonical::digest(&pipeline).unwrap(),
        pipeline,
        origin: "test".to_string(),
        created_at: countersign_model::time::Timestamp::from_micros(0),
    }
}

fn components() -> Components {
    let mut all = Components::default();
    for (name, inputs, output) in [
        ("ingest", &[][..], ("examples", ArtifactKind::EXAMPLES)),
        ("train", &[("examples", ArtifactKind::EXAMPLES)], ("model", ArtifactKind::MODEL)),
        ("evaluate", &[("model", ArtifactKind::MODEL)], ("evaluation", ArtifactKind::EVALUATION)),
        ("after evaluate", &[("evaluation", ArtifactKind::EVALUATION)], ("note", "Note")),
        ("push", &[("model", ArtifactKind::MODEL)], ("pushed", ArtifactKind::PUSHED_MODEL)),
        ("lying push", &[("model", ArtifactKind::MODEL)], ("pushed", ArtifactKind::PUSHED_MODEL)),
    ] {
        let port = |(name, kind): &(&str, &str)| Port {
            name: name.to_string(),
            kind: (*kind).into(),
            optional: false,
            many: false,
            description: String::new(),
        };
        let description = Description {
            name: name.to_string(),
            version: "1".to_string(),
            interface: "0.1.0".to_string(),
            summary: String::new(),
            inputs: inputs.iter().map(port).collect(),
            outputs: vec![port(&output)],
            parameters: json!({}),
            capabilities: BTreeSet::new(),
        };
        all.add(component(name), description);
    }
    all
}
