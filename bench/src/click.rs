//! From a click on the page to the next step: how long a run that waited takes to go on.

use crate::home::Home;
use crate::serving::Serving;
use crate::site::Site;
use crate::stopwatch::Times;
use crate::visitor::Visitor;
use anyhow::Context as _;
use sqlx::Connection as _;
use std::time::{Duration, UNIX_EPOCH};

/// Clicks.
const CLICKS: usize = 30;
/// How often the record is looked at, and how many times, until the step is there.
const LOOK: (Duration, usize) = (Duration::from_millis(20), 500);

/// Prints it.
pub async fn report(home: &Home) -> anyhow::Result<()> {
    let site = Site::demo(home, "click")?;
    let serving = Serving::start(site.command(&["serve"]))?;
    let mut visitor = Visitor::sign_in(&site, &serving)?;
    let (mut from_click, mut from_decision) = (Times::default(), Times::default());
    for click in 1..=CLICKS {
        // Another policy each time: what people approved before does not open this gate, and each model goes to another place.
        ask_anew(&site, click)?;
        let requests = site.open_requests(1).await?;
        let (request, evidence) = requests.first().context("a request")?;
        let clicked = UNIX_EPOCH.elapsed()?.as_micros() as f64;
        visitor.decide(request, evidence, "approve")?;
        let (decided, started) = went_on(&site, request).await?;
        from_click.add((started as f64 - clicked) / 1e3);
        from_decision.add((started - decided) as f64 / 1e3);
    }
    println!("from a click to the next step's start");
    let line = |what: &str, times: &Times| {
        println!("  {what:<24}  p50 {:>7.2} ms   p95 {:>7.2} ms   of {CLICKS}", times.within(50), times.within(95));
    };
    line("from sending the form", &from_click);
    line("from the decision's time", &from_decision);
    Ok(())
}

/// A run of the same pipeline under another policy, until it waits.
fn ask_anew(site: &Site, number: usize) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(site.root.join("taxi-tips.toml"))?;
    let text = text
        .replace("[signoff.release]\n", &format!("[signoff.release]\nconditions = {{ canary_percent = {number} }}\n"))
        .replace("target = \"models/taxi-tips\"", &format!("target = \"models/taxi-tips-{number}\""));
    let pipeline = site.root.join("asks-anew.toml");
    std::fs::write(&pipeline, text)?;
    site.run(&pipeline)
}

/// When the request was decided and when the step after its gate began, microseconds, as the record has it.
async fn went_on(site: &Site<'_>, request: &str) -> anyhow::Result<(i64, i64)> {
    let sql = "SELECT d.at, e.started_at FROM requests q JOIN decisions d ON d.request = q.id \
               JOIN executions e ON e.run = q.run AND e.started_at > d.at WHERE q.id = ?1 ORDER BY e.started_at LIMIT 1";
    let mut database = site.database().await?;
    for _ in 0..LOOK.1 {
        if let Some(times) = sqlx::query_as(sql).bind(request).fetch_optional(&mut database).await? {
            database.close().await?;
            return Ok(times);
        }
        std::thread::sleep(LOOK.0);
    }
    anyhow::bail!("the run of {request} did not go on")
}
