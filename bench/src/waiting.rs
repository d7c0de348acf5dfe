//! What it costs that ten thousand runs wait for people: memory and CPU of the daemon, its start, and deciding, each beside the same daemon
//! with one run that waits.

use crate::clones;
use crate::home::Home;
use crate::serving::{Idle, Serving};
use crate::site::Site;
use crate::stopwatch::Times;
use crate::visitor::Visitor;
use crate::{REPEATS, median};
use std::time::Duration;

/// Runs that wait.
const MANY: usize = 10_000;
/// Runs that wait where deciding is measured for comparison.
const FEW: usize = 300;
/// Decisions measured, each on a request of its own.
const DECISIONS: usize = 300;
/// How long the daemon idles.
const IDLE: Duration = Duration::from_secs(10);

struct Cost {
    ready_ms: f64,
    idle: Idle,
}

/// Prints it.
pub async fn report(home: &Home) -> anyhow::Result<()> {
    let site = Site::demo(home, "waiting")?;
    let none = cost(&site)?;
    clones::write(&site, 0..FEW).await?;
    let few = decisions(&site, FEW as i64).await?;
    clones::write(&site, FEW..MANY).await?;
    let many = cost(&site)?;
    let bytes = std::fs::metadata(site.root.join("state/metadata.db"))?.len();
    println!("{MANY} runs that wait for people, {} MiB of records, beside one that does", bytes >> 20);
    let line = |what: &str, none: f64, many: f64, unit: &str| {
        println!("  {what:<24}  {many:>8.2} {unit:<5} beside {none:.2}   ratio {:.2}", many / none);
    };
    line("resident memory", none.idle.resident_mib, many.idle.resident_mib, "MiB");
    line("CPU while idle", none.idle.cpu_percent, many.idle.cpu_percent, "%");
    line("start until ready", none.ready_ms, many.ready_ms, "ms");
    let most = decisions(&site, MANY as i64).await?;
    line("recording a decision p99", few.recording.within(99), most.recording.within(99), "ms");
    line("recording a decision p50", few.recording.within(50), most.recording.within(50), "ms");
    line("the inbox p99", few.inbox.within(99), most.inbox.within(99), "ms");
    line("the review page p99", few.page.within(99), most.page.within(99), "ms");
    line("resident memory then", few.resident_mib, most.resident_mib, "MiB");
    println!("  (compared with {FEW} waiting; each decision is one form sent, of {DECISIONS})");
    Ok(())
}

fn cost(site: &Site) -> anyhow::Result<Cost> {
    let mut ready = Vec::new();
    for _ in 0..REPEATS {
        ready.push(Serving::start(site.command(&["serve"]))?.ready_ms);
    }
    let serving = Serving::start(site.command(&["serve"]))?;
    // What the start itself leaves to do is over by then.
    std::thread::sleep(Duration::from_secs(2));
    Ok(Cost { ready_ms: median(ready), idle: serving.idle(IDLE)? })
}

struct Looked {
    recording: Times,
    inbox: Times,
    page: Times,
    resident_mib: f64,
}

/// Decides, then looks around.
async fn decisions(site: &Site<'_>, waiting: i64) -> anyhow::Result<Looked> {
    let requests = site.open_requests(waiting).await?;
    let serving = Serving::start(site.command(&["serve"]))?;
    let mut visitor = Visitor::sign_in(site, &serving)?;
    let (mut recording, mut inbox, mut page) = (Times::default(), Times::default(), Times::default());
    let every = (requests.len() / DECISIONS).max(1);
    for (request, evidence) in requests.iter().step_by(every).take(DECISIONS) {
        recording.take(|| visitor.decide(request, evidence, "hold"))?;
    }
    for (request, _) in requests.iter().step_by(every).take(50) {
        inbox.take(|| visitor.get("/"))?;
        page.take(|| visitor.get(&format!("/requests/{request}")))?;
    }
    Ok(Looked { recording, inbox, page, resident_mib: serving.resident_mib()? })
}
