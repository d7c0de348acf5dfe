//! Pipelines: what they are, what they did lately, what is live.

use super::history::PushLine;
use super::lineage::GraphNode;
use super::runs::{self, RunLine};
use super::sources::{ReviewError, Sources};
use countersign_model::decision::DecisionKind;
use countersign_model::pipeline::{Input, Pipeline, PipelineVersion, Step, Work};
use countersign_model::policy::{RoleQuorum, SignoffPolicy};
use countersign_ports::Fire;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::trigger_store::Paused;
use schemars::JsonSchema;
use serde::Serialize;

/// Runs and pushes shown.
const RECENT: u32 = 10;
/// Instants of its schedule shown.
const NEXT: usize = 3;

/// All pipelines.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelinesPage {
    /// By name.
    pub pipelines: Vec<PipelineLine>,
}

/// One pipeline.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelineLine {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// What starts it by itself, in words; empty for nothing.
    pub trigger: String,
    /// Whether nothing new of it begins until somebody lets it go on.
    pub paused: bool,
    /// Its newest run.
    pub last_run: Option<RunLine>,
    /// What is live.
    pub live: Option<LiveModel>,
}

/// What is live.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LiveModel {
    /// The push.
    pub push: PushLine,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// Whether a check had failed, and they said yes all the same.
    pub overridden: bool,
}

/// One pipeline, whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelinePage {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The file it was read from.
    pub origin: String,
    /// Digest of its definition.
    pub digest: String,
    /// When this definition was first seen, RFC 3339.
    pub since: String,
    /// What starts it by itself, in words; empty for nothing.
    pub trigger: String,
    /// When its schedule fires next.
    pub next: Vec<NextFire>,
    /// Since when and why nothing new of it begins; none: it is not paused.
    pub paused: Option<PauseLine>,
    /// Where its data comes from: name and path.
    pub sources: Vec<(String, String)>,
    /// Its steps.
    pub steps: Vec<PipelineStep>,
    /// The graph: sources, then steps.
    pub nodes: Vec<GraphNode>,
    /// Its edges, from node to node by position.
    pub edges: Vec<(usize, usize)>,
    /// What is live.
    pub live: Option<LiveModel>,
    /// Recent runs, newest first.
    pub runs: Vec<RunLine>,
    /// Models that went live, newest first.
    pub pushes: Vec<PushLine>,
}

/// An instant of a schedule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NextFire {
    /// When, RFC 3339.
    pub at: String,
    /// The wall time and zone it stands for.
    pub wall_time: String,
    /// When a run starts, RFC 3339, where the schedule has jitter.
    pub starts_at: Option<String>,
}

/// That a pipeline is paused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PauseLine {
    /// Who paused it.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
    /// Since when, RFC 3339.
    pub at: String,
}

/// One step of a definition.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelineStep {
    /// Its name.
    pub name: String,
    /// The component; `sign-off` for a gate.
    pub component: String,
    /// What it reads, in words.
    pub reads: Vec<String>,
    /// Parameters as JSON, or who must sign; empty for none.
    pub detail: String,
}

/// Loads all pipelines.
///
/// # Errors
/// When the record fails.
pub async fn load_pipelines(sources: &Sources) -> Result<PipelinesPage, ReviewError> {
    let paused = sources.triggers.paused().await?;
    let mut pipelines = Vec::new();
    for version in sources.store.pipelines().await? {
        let filter = RunFilter { pipeline: Some(version.name.clone()), limit: 1, ..RunFilter::default() };
        let runs = sources.store.runs(&filter).await?;
        pipelines.push(PipelineLine {
            description: version.pipeline.description.clone(),
            trigger: trigger(&version.pipeline),
            paused: paused.iter().any(|paused| paused.pipeline == version.name),
            last_run: runs.first().map(|run| runs::line(run, sources.clock.now())),
            live: live(sources, &version.name).await?,
            name: version.name,
        });
    }
    Ok(PipelinesPage { pipelines })
}

/// Loads one pipeline.
///
/// # Errors
/// When there is no such pipeline or the record fails.
pub async fn load_pipeline(sources: &Sources, name: &str) -> Result<PipelinePage, ReviewError> {
    let versions = sources.store.pipelines().await?;
    let Some(version) = versions.into_iter().find(|version| version.name == name) else {
        return Err(ReviewError::NotFound(format!("pipeline {name}")));
    };
    let filter = RunFilter { pipeline: Some(name.to_string()), limit: RECENT, ..RunFilter::default() };
    let runs = sources.store.runs(&filter).await?;
    let pushes = sources.store.pushes(Some(name), RECENT).await?;
    let (nodes, edges) = graph(&version.pipeline);
    let next = next_fires(sources, &version);
    let paused = sources.triggers.paused().await?.into_iter().find(|paused| paused.pipeline == name);
    let PipelineVersion { pipeline, digest, origin, created_at, .. } = version;
    Ok(PipelinePage {
        name: name.to_string(),
        trigger: trigger(&pipeline),
        next,
        paused: paused.map(PauseLine::from),
        sources: pipeline.sources.iter().map(|(name, source)| (name.clone(), source.path.clone())).collect(),
        steps: pipeline.steps.iter().map(step).collect(),
        description: pipeline.description,
        origin,
        digest: digest.to_string(),
        since: created_at.to_string(),
        nodes,
        edges,
        live: live(sources, name).await?,
        runs: runs.iter().map(|run| runs::line(run, sources.clock.now())).collect(),
        pushes: pushes.iter().map(PushLine::from).collect(),
    })
}

impl From<Paused> for PauseLine {
    fn from(paused: Paused) -> Self {
        Self { by: paused.by.to_string(), reason: paused.reason, at: paused.at.to_string() }
    }
}

async fn live(sources: &Sources, name: &str) -> Result<Option<LiveModel>, ReviewError> {
    let Some(push) = sources.store.live_at(name, sources.clock.now()).await? else { return Ok(None) };
    let decisions = sources.store.decisions(&push.request).await?;
    let approving = || decisions.iter().filter(|decision| decision.kind.approves() && !decision.late);
    let overridden = approving().any(|decision| decision.kind == DecisionKind::Override);
    let mut approved_by: Vec<String> = approving().map(|decision| decision.person.clone()).collect();
    approved_by.sort();
    approved_by.dedup();
    Ok(Some(LiveModel { push: PushLine::from(&push), approved_by, overridden }))
}

fn next_fires(sources: &Sources, version: &PipelineVersion) -> Vec<NextFire> {
    let trigger = &version.pipeline.trigger;
    let fires = sources.timetable.next(&version.name, trigger, sources.clock.now(), NEXT);
    let shown = |fire: Fire| NextFire {
        at: fire.at.to_string(),
        wall_time: fire.wall_time,
        starts_at: (trigger.jitter_seconds > 0).then(|| fire.starts_at.to_string()),
    };
    fires.into_iter().map(shown).collect()
}

fn trigger(pipeline: &Pipeline) -> String {
    let trigger = &pipeline.trigger;
    let cron = trigger.cron.as_ref().map(|cron| format!("cron {cron} ({})", trigger.timezone));
    let arrivals = trigger.arrival.iter().map(|source| format!("a new file of {source}"));
    let requests = trigger.http.iter().map(|hook| format!("a request to the hook {hook}"));
    let pushes = trigger.after.iter().map(|pipeline| format!("a push of {pipeline}"));
    cron.into_iter().chain(arrivals).chain(requests).chain(pushes).collect::<Vec<_>>().join(", ")
}

fn step(step: &Step) -> PipelineStep {
    let (component, reads, detail) = match &step.work {
        Work::Component(work) => {
            let reads = work.inputs.iter().map(|(port, input)| format!("{port}: {}", told(input))).collect();
            let parameters = work.parameters.as_object().filter(|object| !object.is_empty());
            (work.component.clone(), reads, parameters.map(|_| work.parameters.to_string()).unwrap_or_default())
        }
        Work::Signoff(policy) => {
            let after = step.after.iter().map(|step| format!("after {step}")).collect();
            ("sign-off".to_string(), after, signers(policy))
        }
    };
    PipelineStep { name: step.name.clone(), component, reads, detail }
}

fn signers(policy: &SignoffPolicy) -> String {
    let told = |quorum: &RoleQuorum| format!("{} × {}", quorum.count, quorum.role);
    let approvers: Vec<String> = policy.approvers.iter().map(told).collect();
    if approvers.is_empty() { "nobody may approve".to_string() } else { approvers.join(", ") }
}

fn told(input: &Input) -> String {
    match input {
        Input::Step { step, output } if step == output => step.clone(),
        Input::Step { step, output } => format!("{output} of {step}"),
        Input::Source { source } => format!("source {source}"),
        Input::Resolve { resolver } => resolver.to_string(),
    }
}

fn graph(pipeline: &Pipeline) -> (Vec<GraphNode>, Vec<(usize, usize)>) {
    let names: Vec<&String> = pipeline.sources.keys().collect();
    let node =
        |label: &str, detail: &str| GraphNode { label: label.to_string(), detail: detail.to_string(), artifact: None };
    let mut nodes: Vec<GraphNode> = names.iter().map(|name| node(name, "source")).collect();
    let mut edges = Vec::new();
    for (at, step) in pipeline.steps.iter().enumerate() {
        let at = at + names.len();
        let place = |name: &String| {
            let found = pipeline.steps.iter().position(|other| other.name == *name);
            found.map(|found| found + names.len())
        };
        let mut from: Vec<usize> = step.after.iter().filter_map(place).collect();
        match &step.work {
            Work::Signoff(_) => nodes.push(node(&step.name, "sign-off")),
            Work::Component(work) => {
                nodes.push(node(&step.name, &work.component));
                from.extend(work.release.iter().filter_map(place));
                from.extend(work.inputs.values().filter_map(|input| match input {
                    Input::Step { step, .. } => place(step),
                    Input::Source { source } => names.iter().position(|name| *name == source),
                    Input::Resolve { .. } => None,
                }));
            }
        }
        from.sort_unstable();
        from.dedup();
        edges.extend(from.into_iter().map(|from| (from, at)));
    }
    (nodes, edges)
}
