//! `status`: how the installation stands, on one screen.

use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::text;
use crate::{system, wiring};
use countersign_model::time::Timestamp;
use countersign_ports::Clock as _;
use countersign_ports::lease_store::Held;
use countersign_ports::metadata_store::{Counts, RunFilter, Undelivered};
use countersign_ports::trigger_store::Paused;
use serde::Serialize;
use std::time::Duration;

/// Undelivered messages shown.
const UNDELIVERED: u32 = 10;
/// Failed runs looked at for how many there were lately; when all are recent, there may be more.
const FAILED: u32 = 100;
/// What "lately" means.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize)]
struct Status {
    state_dir: String,
    database: String,
    schema: i64,
    pipelines: usize,
    paused: Vec<Paused>,
    /// What one of several daemons does alone, and which.
    duties: Vec<Held>,
    counts: Counts,
    /// Runs that failed in the last 24 hours, at most a hundred.
    failed_in_a_day: usize,
    /// What the schedules start next.
    next: Option<Next>,
    undelivered: Vec<Failing>,
    audit_entries: i64,
    audit_head: String,
    slack: &'static str,
    page: Option<String>,
}

/// A run that a schedule will start.
#[derive(Serialize)]
struct Next {
    pipeline: String,
    at: Timestamp,
}

/// A message that did not arrive.
#[derive(Serialize)]
struct Failing {
    run: String,
    channel: String,
    attempts: u32,
    /// When it is tried again; none when it was given up.
    next_at: Option<Timestamp>,
    problem: String,
}

impl From<Undelivered> for Failing {
    fn from(undelivered: Undelivered) -> Self {
        Self {
            run: undelivered.notice.run.to_string(),
            channel: undelivered.notice.channel,
            attempts: undelivered.notice.attempts,
            next_at: undelivered.next_at,
            problem: undelivered.problem.unwrap_or_default(),
        }
    }
}

/// Shows the status.
///
/// # Errors
/// When the store fails.
pub async fn run(context: &Context) -> anyhow::Result<Exit> {
    let stores = wiring::stores(context).await?;
    let store = &stores.metadata;
    let (audit_entries, head) = store.audit_head().await?;
    let now = system::SystemClock.now();
    let pipelines = store.pipelines().await?;
    let paused = stores.triggers.paused().await?;
    let timetable = wiring::triggers::timetable();
    let runs = pipelines.iter().filter(|version| paused.iter().all(|paused| paused.pipeline != version.name));
    let next = runs.filter_map(|version| {
        let fire = timetable.next(&version.name, &version.pipeline.trigger, now, 1).pop()?;
        Some(Next { pipeline: version.name.clone(), at: fire.starts_at })
    });
    let failed = RunFilter { status: Some("failed".into()), limit: FAILED, ..RunFilter::default() };
    let failed = store.runs(&failed).await?;
    let lately = |at: Timestamp| at >= now.minus(DAY);
    let undelivered = store.undelivered(None, UNDELIVERED).await?.into_iter().map(Failing::from).collect();
    let status = Status {
        state_dir: context.settings.state_dir.display().to_string(),
        database: wiring::store::described(context),
        schema: stores.schema.version,
        pipelines: pipelines.len(),
        next: next.min_by_key(|next| next.at),
        failed_in_a_day: failed.iter().filter(|run| run.ended_at.is_some_and(lately)).count(),
        paused,
        duties: stores.leases.held().await?,
        counts: store.counts().await?,
        undelivered,
        audit_entries,
        audit_head: head.short(),
        slack: match &context.settings.slack {
            None => "not connected: there is no [slack] in the settings",
            Some(_) if wiring::slack::uses_socket(context) => "by socket; `countersign slack check` tests it",
            Some(_) => "by signed requests; `countersign slack check` tests it",
        },
        page: context.page_url(),
    };
    if context.json() {
        context.print_json("status", &status)?;
    } else {
        print(&status);
    }
    Ok(Exit::Done)
}

fn print(status: &Status) {
    let now = system::SystemClock.now();
    let counts = &status.counts;
    let since = |at: Option<Timestamp>| {
        at.map_or_else(String::new, |at| format!(" (oldest for {})", text::duration(now.since(at))))
    };
    println!("{} pipelines · state in {}", status.pipelines, status.state_dir);
    println!("{} · schema {}", status.database, status.schema);
    for paused in &status.paused {
        let reason = if paused.reason.is_empty() { String::new() } else { format!(": {}", text::safe(&paused.reason)) };
        let since = text::duration(now.since(paused.at));
        println!("  ‖ {} is paused by {} for {since}{reason}", paused.pipeline, paused.by);
    }
    for duty in &status.duties {
        println!("  {} is done by {} until {}", duty.name, duty.owner, duty.until.to_utc().format("%H:%M:%S UTC"));
    }
    println!(
        "{} running · {} queued · {} waiting for people{} · {}{} failed in 24 h",
        counts.running,
        counts.queued,
        counts.waiting,
        since(counts.oldest_request),
        status.failed_in_a_day,
        if status.failed_in_a_day == FAILED as usize { " or more" } else { "" },
    );
    if let Some(next) = &status.next {
        println!("next by schedule: {} in {}", next.pipeline, text::duration(next.at.since(now)));
    }
    match (counts.outbox_pending, counts.outbox_dead) {
        (0, 0) => println!("outbox empty"),
        (pending, dead) => println!("outbox: {pending} to deliver{} · {dead} given up", since(counts.outbox_oldest)),
    }
    for failing in &status.undelivered {
        let again = failing.next_at.map_or_else(
            || "given up".to_string(),
            |at| format!("tried again at {}", at.to_utc().format("%H:%M:%S UTC")),
        );
        let problem = text::safe(&failing.problem);
        println!("  ✘ {} about {}: {problem} · {} tries, {again}", failing.channel, failing.run, failing.attempts);
    }
    println!("audit log: {} entries · head #{} {}", status.audit_entries, status.audit_entries, status.audit_head);
    println!("Slack {}", status.slack);
    match &status.page {
        Some(page) => println!("pages at {page} while `serve` runs"),
        None => println!("pages are off"),
    }
}
