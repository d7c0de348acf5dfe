//! `events`: why each run started, or why none did.

use crate::args::EventsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::text;
use crate::wiring;
use countersign_model::event::{Cause, Event, EventOutcome};
use serde::Serialize;

#[derive(Serialize)]
struct Listed {
    event: Event,
    outcome: EventOutcome,
}

/// Lists events.
///
/// # Errors
/// When the store fails.
pub async fn run(context: &Context, arguments: &EventsArgs) -> anyhow::Result<Exit> {
    let events = wiring::store(context).await?.events(arguments.pipeline.as_deref(), arguments.limit).await?;
    let listed: Vec<Listed> = events.into_iter().map(|(event, outcome)| Listed { event, outcome }).collect();
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

fn row(listed: &Listed) -> Vec<String> {
    let cause = match &listed.event.cause {
        Cause::Person => format!("asked by {}", listed.event.actor),
        Cause::Cron { wall_time, .. } => format!("clock: {wall_time}"),
        Cause::Arrival { path, .. } => format!("arrived: {path}"),
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
