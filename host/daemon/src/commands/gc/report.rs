//! What went, or would go, and what stays of old runs and why.

use super::plan::{Plan, Why};
use crate::terminal::text;
use crate::wiring::Stores;
use countersign_model::digest::Digest;
use countersign_model::id::ArtifactId;
use countersign_ports::retention_store::Keep;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many, and how much.
#[derive(Debug, Default, Serialize)]
pub struct Amount {
    artifacts: u64,
    /// On the disk. Equal bytes are stored once.
    bytes: u64,
}

/// Of one pipeline.
#[derive(Debug, Default, Serialize)]
pub struct OfPipeline {
    runs: u64,
    logs: u64,
    /// By kind.
    removed: BTreeMap<String, Amount>,
    /// Artifacts of these runs that stay.
    stays: BTreeMap<Why, u64>,
    /// The model that is live.
    live: Option<Digest>,
}

/// Of all of it.
#[derive(Debug, Serialize)]
pub struct Report {
    dry_run: bool,
    /// None: everything.
    keep: Option<Keep>,
    pipelines: BTreeMap<String, OfPipeline>,
    /// Bytes that nobody has: of an earlier `gc` or a step that was killed.
    left_over: Amount,
    /// Artifacts whose bytes somebody published again lately: they go another time.
    later: u64,
    /// On the disk.
    bytes: u64,
}

impl Report {
    /// Where everything is kept.
    pub fn of_nothing(dry_run: bool) -> Self {
        Self { dry_run, keep: None, pipelines: BTreeMap::new(), left_over: Amount::default(), later: 0, bytes: 0 }
    }

    /// What stays by the plan; nothing is removed yet.
    pub async fn new(dry_run: bool, keep: Keep, plan: &Plan, stores: &Stores) -> anyhow::Result<Self> {
        let mut pipelines: BTreeMap<String, OfPipeline> = BTreeMap::new();
        for run in &plan.runs {
            pipelines.entry(run.pipeline.clone()).or_default();
        }
        for (name, pipeline) in &mut pipelines {
            pipeline.stays = plan.stays.get(name).cloned().unwrap_or_default();
            pipeline.live = stores.metadata.pushes(Some(name), 1).await?.first().map(|push| push.model);
        }
        Ok(Self { keep: Some(keep), pipelines, later: plan.later, ..Self::of_nothing(dry_run) })
    }

    /// As if the plan had been carried out.
    pub fn foresee(&mut self, plan: &Plan) {
        for run in &plan.runs {
            self.collected(plan, &run.pipeline, run.logs, &run.collecting.artifacts);
        }
        for planned in &plan.bytes {
            self.freed(plan, &planned.digest, planned.bytes);
        }
    }

    /// A run was collected.
    pub fn collected(&mut self, plan: &Plan, pipeline: &str, logs: u64, artifacts: &[ArtifactId]) {
        let of_pipeline = self.pipelines.entry(pipeline.to_string()).or_default();
        of_pipeline.runs += 1;
        of_pipeline.logs += logs;
        for (_, kind) in artifacts.iter().filter_map(|artifact| plan.artifacts.get(artifact)) {
            of_pipeline.removed.entry(kind.to_string()).or_default().artifacts += 1;
        }
    }

    /// Bytes were removed.
    pub fn freed(&mut self, plan: &Plan, digest: &Digest, bytes: u64) {
        self.bytes += bytes;
        match plan.owners.get(digest).and_then(|owner| plan.artifacts.get(owner)) {
            Some((pipeline, kind)) => {
                let of_pipeline = self.pipelines.entry(pipeline.clone()).or_default();
                of_pipeline.removed.entry(kind.to_string()).or_default().bytes += bytes;
            }
            None => {
                self.left_over.artifacts += 1;
                self.left_over.bytes += bytes;
            }
        }
    }

    /// For people.
    pub fn print(&self) {
        if let Some(keep) = &self.keep {
            let since = keep.since.to_utc().format("%Y-%m-%d %H:%M:%S UTC");
            println!("runs that ended before {since} and are not among the newest {} of their pipeline", keep.newest);
        }
        for (name, pipeline) in &self.pipelines {
            pipeline.print(name);
        }
        if self.left_over.artifacts > 0 {
            let (count, bytes) = (text::count(self.left_over.artifacts), text::bytes(self.left_over.bytes));
            println!("left over from what was cut off earlier: {count} artifacts, {bytes}");
        }
        if self.later > 0 {
            println!("{} more were published again lately: they go another time", text::count(self.later));
        }
        let bytes = text::bytes(self.bytes);
        match (self.dry_run, self.pipelines.is_empty() && self.left_over.artifacts == 0) {
            (_, true) => println!("nothing to remove"),
            (true, false) => println!("would free {bytes}; nothing was removed: leave --dry-run out to do it"),
            (false, false) => println!("freed {bytes}"),
        }
    }
}

impl OfPipeline {
    fn print(&self, name: &str) {
        println!("{}: {} runs, {} logs", text::safe(name), text::count(self.runs), text::count(self.logs));
        let row = |(kind, amount): (&String, &Amount)| {
            vec![format!("  {}", text::safe(kind)), text::count(amount.artifacts), text::bytes(amount.bytes)]
        };
        let rows: Vec<Vec<String>> = self.removed.iter().map(row).collect();
        if !rows.is_empty() {
            print!("{}", text::table(&["  GOES", "ARTIFACTS", "BYTES"], &rows));
        }
        for (why, count) in &self.stays {
            let live = self.live.map_or_else(String::new, |live| format!("; live is {}", live.short()));
            let why = match why {
                Why::Pushed => format!("pushed models need them, as what they were made from or judged by{live}"),
                Why::Asked => "requests that are open or approved need them".to_string(),
                Why::UnderWay => "runs that are under way need them".to_string(),
                Why::Used => "newer runs read them or used them again".to_string(),
            };
            println!("  {} artifacts stay: {why}", text::count(*count));
        }
    }
}
