//! `events`: why each run started, or why none did.

use super::follow::{self, Cursor};
use crate::args::EventsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::text;
use crate::wiring;
use countersign_model::event::{Cause, Event, EventOutcome};
use countersign_model::id::EventId;
use countersign_ports::MetadataStore;
use serde::Serialize;
use std::collections::HashSet;

#[derive(Serialize)]
struct Listed {
    event: Event,
    outcome: EventOutcome,
}

/// Lists events; with `--follow` goes on with those that come.
///
/// # Errors
/// When the store fails.
pub async fn run(context: &Context, arguments: &EventsArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    if arguments.follow {
        return follow(context, arguments, store.as_ref()).await;
    }
    let listed = listed(store.as_ref(), arguments, arguments.limit).await?;
    if context.json() {
        context.print_json("events", &listed)?;
    } else if listed.is_empty() {
        println!("no events yet");
    } else {
        let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
        print!("{}", text::table(&["AT", "PIPELINE", "CAUSE", "OUTCOME"], &rows));
    }
    Ok(Exit::Done)
}

/// Newest first.
async fn listed(store: &dyn MetadataStore, arguments: &EventsArgs, limit: u32) -> anyhow::Result<Vec<Listed>> {
    let events = store.events(arguments.pipeline.as_deref(), limit).await?;
    Ok(events.into_iter().map(|(event, outcome)| Listed { event, outcome }).collect())
}

/// Prints the last events, oldest first, and then each one that comes. Ends when nobody reads any more.
async fn follow(context: &Context, arguments: &EventsArgs, store: &dyn MetadataStore) -> anyhow::Result<Exit> {
    let mut cursor = Cursor::at_the_end(store).await?;
    let mut known = listed(store, arguments, arguments.limit).await?;
    known.reverse();
    // What came between the two questions is in both answers.
    let printed: HashSet<EventId> = known.iter().map(|listed| listed.event.id).collect();
    let mut events = known;
    while follow::print(&lines(context, &events)?)? {
        let entries = cursor.next(store).await?;
        let settled = |action: &str| matches!(action, "event.accepted" | "event.skipped");
        let ours = |pipeline: &serde_json::Value| arguments.pipeline.as_ref().is_none_or(|only| pipeline == only);
        let ids = entries.iter().filter(|entry| settled(&entry.fact.action) && ours(&entry.fact.detail["pipeline"]));
        let wanted = ids.filter_map(|entry| entry.fact.subject.parse().ok()).filter(|id| !printed.contains(id));
        events = found(store, arguments, wanted.collect()).await?;
    }
    Ok(Exit::Done)
}

/// The events of these identifiers, oldest first.
async fn found(
    store: &dyn MetadataStore,
    arguments: &EventsArgs,
    wanted: HashSet<EventId>,
) -> anyhow::Result<Vec<Listed>> {
    let mut window: u32 = 100;
    while !wanted.is_empty() {
        let newest = listed(store, arguments, window).await?;
        let all = newest.len() < window as usize;
        let mut found: Vec<Listed> = newest.into_iter().filter(|listed| wanted.contains(&listed.event.id)).collect();
        if found.len() == wanted.len() || all {
            found.reverse();
            return Ok(found);
        }
        window = window.saturating_mul(10);
    }
    Ok(Vec::new())
}

fn lines(context: &Context, events: &[Listed]) -> anyhow::Result<Vec<String>> {
    let line = |listed: &Listed| -> anyhow::Result<String> {
        if context.json() { Ok(follow::json_line("event", listed)?) } else { Ok(row(listed).join("  ")) }
    };
    events.iter().map(line).collect()
}

fn row(listed: &Listed) -> Vec<String> {
    let cause = match &listed.event.cause {
        Cause::Person => format!("asked by {}", listed.event.actor),
        Cause::Cron { wall_time, .. } => format!("clock: {wall_time}"),
        Cause::Arrival { path, .. } => format!("arrived: {path}"),
        Cause::Pushed { pipeline, .. } => format!("went live: {pipeline}"),
        Cause::Http { hook, kind, .. } => format!("hook {hook}: {kind}"),
        Cause::Backfill { source, span, .. } => format!("backfill: {source} {span}"),
    };
    let outcome = match &listed.outcome {
        EventOutcome::Run { run } => run.to_string(),
        EventOutcome::Skipped { reason } => format!("skipped: {reason}"),
        EventOutcome::SeenAgain { run } => {
            format!("seen again: {}", run.map_or("-".to_string(), |run| run.to_string()))
        }
    };
    let at = listed.event.at.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string();
    vec![at, listed.event.pipeline.clone(), text::safe(&cause), text::safe(&outcome)]
}
