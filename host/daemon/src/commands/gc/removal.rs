//! Carrying a plan out: first the record says that something is given up, then its bytes go. A process that is killed in between leaves
//! bytes that nobody has, which the next plan finds.

use super::plan::Plan;
use super::report::Report;
use super::{Collector, removable_until};
use crate::system::SystemClock;
use countersign_model::actor::Actor;
use countersign_ports::Clock as _;
use countersign_ports::retention_store::Collecting;
use std::collections::HashSet;

/// Runs in one transaction: enough that its cost is shared, few enough that no daemon waits for long.
const RUNS: usize = 50;

/// Removes what the plan names, as far as nobody has taken it up again since, and reports what went.
pub async fn carry_out(collector: &Collector, plan: &Plan, by: &Actor, report: &mut Report) -> anyhow::Result<()> {
    let bar = collector.bar("runs collected", plan.runs.len());
    for runs in plan.runs.chunks(RUNS) {
        let collecting: Vec<Collecting> = runs.iter().map(|run| run.collecting.clone()).collect();
        let collected = collector.stores.retention.collect(&collecting, by, SystemClock.now()).await?;
        for gone in &collected {
            if let Some(run) = runs.iter().find(|run| run.collecting.run == gone.run) {
                report.collected(plan, &run.pipeline, gone.logs, &gone.artifacts);
            }
        }
        bar.inc(runs.len() as u64);
    }
    bar.finish_and_clear();
    let bar = collector.bar("bytes removed", plan.bytes.len());
    for planned in &plan.bytes {
        bar.inc(1);
        let standing = collector.stores.retention.standing(&planned.digest, &HashSet::new()).await?;
        if let Some(until) = removable_until(standing, SystemClock.now())
            && let Some(bytes) = collector.artifacts.remove(&planned.digest, until).await?
        {
            report.freed(plan, &planned.digest, bytes);
        }
    }
    bar.finish_and_clear();
    Ok(())
}
