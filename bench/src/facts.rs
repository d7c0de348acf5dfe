//! A run's worth of facts, written through the store as a daemon writes them: eight steps from a delivery to an evaluated model.

use crate::database::Wall;
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::digest::Digest;
use countersign_model::event::{Cause, Event};
use countersign_model::execution::{Execution, ExecutionState, StepResult};
use countersign_model::finding::Verdict;
use countersign_model::fingerprint::Fingerprint;
use countersign_model::id::{ArtifactId, EventId, ExecutionId, RunId, WorkerId};
use countersign_model::pipeline::{Pipeline, PipelineVersion, Trigger};
use countersign_model::run::{Claim, Run, RunEnd, RunState};
use countersign_ports::metadata_store::Proposal;
use countersign_ports::{Clock as _, MetadataStore as _};
use countersign_store::SqlStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ulid::Ulid;

/// How long a claim lasts.
const LEASE: Duration = Duration::from_secs(600);
/// Writes a run: the event, the claim, the delivery, two a step, the end.
pub const WRITES: usize = 4 + 2 * STEPS.len();
/// What a step reads, and at which ports.
type Reads = &'static [(&'static str, &'static str)];

/// Step, the kind that it makes, and what it reads by port: the delivery, a step of this run, or one of the run before.
pub const STEPS: [(&str, &str, Reads); 8] = [
    ("examples", ArtifactKind::EXAMPLES, &[("delivery", DELIVERY)]),
    ("statistics", ArtifactKind::STATISTICS, &[("examples", "examples")]),
    ("schema", ArtifactKind::SCHEMA, &[("statistics", "statistics"), ("base", "previous schema")]),
    (
        "validation",
        ArtifactKind::ANOMALIES,
        &[
            ("statistics", "statistics"),
            ("schema", "schema"),
            ("examples", "examples"),
            ("previous", "previous statistics"),
        ],
    ),
    (
        "transform",
        ArtifactKind::TRANSFORM_GRAPH,
        &[("statistics", "statistics"), ("schema", "schema"), ("examples", "examples")],
    ),
    ("model", ArtifactKind::MODEL, &[("examples", "examples"), ("transform", "transform")]),
    ("evaluation", ArtifactKind::EVALUATION, &[("model", "model"), ("examples", "examples")]),
    ("difficulty", ArtifactKind::EXAMPLE_DIFFICULTY, &[("model", "model"), ("examples", "examples")]),
];
/// What the delivery is called among the outputs.
pub const DELIVERY: &str = "delivery";

/// What a run left.
pub struct Done {
    /// Its claim.
    pub claim: Claim,
    /// Its outputs by step.
    pub outputs: BTreeMap<&'static str, Artifact>,
    /// Its executions by step.
    pub executions: BTreeMap<&'static str, Execution>,
}

/// Makes facts that never repeat.
pub struct Facts {
    ids: AtomicU64,
    first: u64,
}

impl Facts {
    /// From now on.
    pub fn new() -> Self {
        Self { ids: AtomicU64::new(1), first: Wall.now().as_micros().unsigned_abs() / 1000 }
    }

    /// A new identifier; they sort in the order in which they were made.
    pub fn ulid(&self) -> Ulid {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        Ulid::from_parts(
            self.first + number,
            u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
        )
    }

    fn digest(&self) -> Digest {
        Digest::of(self.ulid().to_string().as_bytes())
    }

    /// Who does all this.
    pub fn actor() -> Actor {
        Actor::local("ada")
    }

    /// Puts a pipeline in force.
    pub async fn pipeline(&self, store: &SqlStore, name: &str) -> anyhow::Result<PipelineVersion> {
        let pipeline = Pipeline {
            name: name.to_string(),
            description: String::new(),
            trigger: Trigger::default(),
            sources: BTreeMap::new(),
            steps: Vec::new(),
        };
        let version = PipelineVersion {
            name: name.to_string(),
            digest: Digest::of(name.as_bytes()),
            pipeline,
            origin: format!("{name}.toml"),
            created_at: Wall.now(),
        };
        store.register_pipeline(&version, &Self::actor()).await?;
        Ok(version)
    }

    /// Accepts an event with a queued run.
    pub async fn queue(&self, store: &SqlStore, version: &PipelineVersion, span: &str) -> anyhow::Result<RunId> {
        let (event, now) = (EventId::from_ulid(self.ulid()), Wall.now());
        let run = Run {
            id: RunId::from_ulid(self.ulid()),
            pipeline: version.name.clone(),
            pipeline_digest: version.digest,
            event,
            cause: Cause::Person,
            started_by: Self::actor(),
            span: Some(span.to_string()),
            priority: 0,
            state: RunState::Queued,
            created_at: now,
            ended_at: None,
        };
        let (cause, actor) = (Cause::Person, Self::actor());
        let event =
            Event { id: event, pipeline: version.name.clone(), cause, actor, dedupe_key: event.to_string(), at: now };
        store.accept_event(&event, Proposal::Run(&run)).await?;
        Ok(run.id)
    }

    /// Claims that run, or whichever is next.
    pub async fn claim(&self, store: &SqlStore, run: Option<&RunId>) -> anyhow::Result<Claim> {
        let worker = WorkerId::from_ulid(self.ulid());
        store.claim_run(&worker, run, LEASE).await?.context("a run to claim")
    }

    /// A run of all steps, up to its end.
    pub async fn run(
        &self,
        store: &SqlStore,
        version: &PipelineVersion,
        span: &str,
        previous: Option<&Done>,
    ) -> anyhow::Result<Done> {
        let run = self.queue(store, version, span).await?;
        let claim = self.claim(store, Some(&run)).await?;
        let delivery = self.artifact(&claim, version, (DELIVERY, ArtifactKind::DELIVERY), None, span);
        store.record_delivery(&claim, &delivery).await?;
        let mut done = Done { claim, outputs: BTreeMap::from([(DELIVERY, delivery)]), executions: BTreeMap::new() };
        for (step, kind, inputs) in STEPS {
            let mut execution = self.execution(&done.claim, version, step);
            for (port, from) in inputs {
                let source = match (from.strip_prefix("previous "), previous) {
                    (Some(step), Some(previous)) => previous.outputs.get(step),
                    (Some(_), None) => None,
                    (None, _) => done.outputs.get(from),
                };
                let artifacts = source.map(|artifact| artifact.id).into_iter().collect();
                execution.inputs.insert((*port).to_string(), artifacts);
            }
            store.begin_execution(&done.claim, &execution).await?;
            let output = self.artifact(&done.claim, version, (step, kind), Some(execution.id), span);
            execution.state = ExecutionState::Succeeded { result: result(&output) };
            store.publish_execution(&done.claim, &execution, &[]).await?;
            done.outputs.insert(step, output);
            done.executions.insert(step, execution);
        }
        Ok(done)
    }

    /// Ends it well.
    pub async fn end(&self, store: &SqlStore, done: &Done) -> anyhow::Result<()> {
        Ok(store.end_run(&done.claim, &RunEnd::Succeeded, Wall.now(), &[]).await?)
    }

    fn execution(&self, claim: &Claim, version: &PipelineVersion, step: &str) -> Execution {
        Execution {
            id: ExecutionId::from_ulid(self.ulid()),
            run: claim.run,
            pipeline: version.name.clone(),
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
            cache_key: self.digest(),
            own_inputs: self.digest(),
            inputs: BTreeMap::new(),
            parameters: serde_json::json!({ "format": "csv", "split": { "train": 3, "eval": 1 } }),
            why: "delivery changed".to_string(),
            state: ExecutionState::Running,
            started_at: Wall.now(),
        }
    }

    fn artifact(
        &self,
        claim: &Claim,
        version: &PipelineVersion,
        (step, kind): (&str, &str),
        execution: Option<ExecutionId>,
        span: &str,
    ) -> Artifact {
        Artifact {
            id: ArtifactId::from_ulid(self.ulid()),
            kind: ArtifactKind::new(kind),
            digest: self.digest(),
            bytes: 4096,
            pipeline: version.name.clone(),
            step: step.to_string(),
            output: kind.to_lowercase(),
            run: claim.run,
            execution,
            span: Some(span.to_string()),
            created_at: Wall.now(),
        }
    }
}

fn result(output: &Artifact) -> StepResult {
    let metrics = ["rows", "bytes", "auc", "log_loss"].map(|name| (name.to_string(), 0.871));
    StepResult {
        summary: "15,002 rows in 2 splits".to_string(),
        verdict: Verdict::Pass,
        findings: Vec::new(),
        metrics: BTreeMap::from(metrics),
        outputs: BTreeMap::from([(output.output.clone(), output.clone())]),
        ended_at: Wall.now(),
    }
}
