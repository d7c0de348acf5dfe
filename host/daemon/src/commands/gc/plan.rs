//! What goes and what stays, decided before anything is touched: a dry run is a plan that nobody carries out.

use super::{Collector, removable_until};
use crate::system::SystemClock;
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::id::{ArtifactId, RunId};
use countersign_ports::Clock as _;
use countersign_ports::retention_store::{Collecting, Holding, Keep, Need, Standing};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Why an artifact of an old run stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Pushed models need it.
    Pushed,
    /// Requests that are open or approved need it.
    Asked,
    /// Runs that are under way need it.
    UnderWay,
    /// A run that is kept read it or used it again.
    Used,
}

impl From<Need> for Why {
    fn from(need: Need) -> Self {
        match need {
            Need::Pushed => Self::Pushed,
            Need::Asked => Self::Asked,
            Need::UnderWay => Self::UnderWay,
        }
    }
}

/// A run that goes, with the artifacts that go with it: those that no later run of the plan holds too.
pub struct PlannedRun {
    pub pipeline: String,
    pub logs: u64,
    pub collecting: Collecting,
}

/// Bytes that go.
pub struct PlannedBytes {
    pub digest: Digest,
    pub bytes: u64,
}

/// The whole of it.
#[derive(Default)]
pub struct Plan {
    /// In the order in which they go.
    pub runs: Vec<PlannedRun>,
    /// The artifacts that go: kind and pipeline.
    pub artifacts: HashMap<ArtifactId, (String, ArtifactKind)>,
    /// Whose bytes are those: one of the artifacts that go.
    pub owners: HashMap<Digest, ArtifactId>,
    pub bytes: Vec<PlannedBytes>,
    /// How many artifacts' bytes nobody has any more, but were published again lately.
    pub later: u64,
    /// How many artifacts of the runs stay, by pipeline.
    pub stays: BTreeMap<String, BTreeMap<Why, u64>>,
}

impl Plan {
    pub async fn make(collector: &Collector, keep: &Keep) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        for version in collector.stores.metadata.pipelines().await? {
            for run in collector.stores.retention.expired_runs(&version.name, keep).await? {
                let collecting = Collecting { run, artifacts: Vec::new() };
                plan.runs.push(PlannedRun { pipeline: version.name.clone(), logs: 0, collecting });
            }
        }
        plan.choose(collector).await?;
        plan.weigh(collector).await?;
        Ok(plan)
    }

    /// Which artifacts go, and with which run.
    async fn choose(&mut self, collector: &Collector) -> anyhow::Result<()> {
        if self.runs.is_empty() {
            return Ok(());
        }
        let retention = &collector.stores.retention;
        let mut held: HashMap<ArtifactId, (usize, Holding)> = HashMap::new();
        let bar = collector.bar("runs read", self.runs.len());
        for (at, run) in self.runs.iter_mut().enumerate() {
            let holdings = retention.holdings(&run.collecting.run).await?;
            run.logs = holdings.logs;
            held.extend(holdings.artifacts.into_iter().map(|holding| (holding.id, (at, holding))));
            bar.inc(1);
        }
        bar.finish_and_clear();
        let mut needed: HashMap<ArtifactId, Need> = HashMap::new();
        for need in Need::ALL {
            let found = retention.needed(need).await?;
            for artifact in found.into_iter().filter(|artifact| held.contains_key(artifact)) {
                needed.entry(artifact).or_insert(need);
            }
        }
        let expired: HashSet<RunId> = self.runs.iter().map(|run| run.collecting.run).collect();
        let bar = collector.bar("artifacts judged", held.len());
        for (artifact, (at, holding)) in held {
            bar.inc(1);
            let why = match needed.get(&artifact) {
                Some(need) => Some(Why::from(*need)),
                None => retention.user(&artifact, &expired).await?.map(|_| Why::Used),
            };
            let run = &mut self.runs[at];
            if let Some(why) = why {
                *self.stays.entry(run.pipeline.clone()).or_default().entry(why).or_default() += 1;
                continue;
            }
            run.collecting.artifacts.push(artifact);
            self.owners.insert(holding.digest, artifact);
            self.artifacts.insert(artifact, (run.pipeline.clone(), holding.kind));
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Which bytes go. All that are stored are looked at, so that whatever a killed process left is found too.
    async fn weigh(&mut self, collector: &Collector) -> anyhow::Result<()> {
        let going: HashSet<ArtifactId> = self.artifacts.keys().copied().collect();
        let now = SystemClock.now();
        let digests = collector.artifacts.digests().await?;
        let bar = collector.bar("stored bytes", digests.len());
        for digest in digests {
            bar.inc(1);
            let standing = collector.stores.retention.standing(&digest, &going).await?;
            let Some(until) = removable_until(standing, now) else { continue };
            match collector.artifacts.removable(&digest, until).await? {
                Some(bytes) => self.bytes.push(PlannedBytes { digest, bytes }),
                None if standing != Standing::Unknown => self.later += 1,
                None => {}
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}
