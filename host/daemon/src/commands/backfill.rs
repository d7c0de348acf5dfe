//! `backfill`: starts runs for a range of old deliveries, after saying which.

use crate::args::BackfillArgs;
use crate::commands::pipeline;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::text;
use crate::wiring::triggers::{BackfillError, BackfillRange, Planned, Prospect, Started};
use crate::{system, wiring};
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::PipelineVersion;
use serde::Serialize;

#[derive(Serialize)]
struct Outcome {
    pipeline: String,
    range: BackfillRange,
    plan: Vec<Planned>,
    /// None after a dry run.
    started: Option<Started>,
}

/// Plans, and starts unless it is a dry run.
///
/// # Errors
/// When there is no such pipeline, source or range, or the store fails.
pub async fn run(context: &Context, arguments: &BackfillArgs) -> anyhow::Result<Exit> {
    let version = pipeline::named(context, &arguments.pipeline).await?;
    let range = BackfillRange {
        source: source(&version, arguments.source.as_deref())?,
        from: arguments.from.clone(),
        to: arguments.to.clone(),
    };
    let stores = wiring::stores(context).await?;
    let backfill = wiring::triggers::backfill(context, &stores);
    let plan = backfill.plan(&version, &range).await.map_err(|error| match error {
        BackfillError::UnknownSource { .. } | BackfillError::Range { .. } => {
            WrongInput::new(format!("error: {error}")).into()
        }
        BackfillError::Arrival(_) | BackfillError::Store(_) => anyhow::Error::from(error),
    })?;
    let started = if arguments.dry_run {
        None
    } else {
        let person = system::person()?;
        stores.metadata.register_pipeline(&version, &person).await?;
        Some(backfill.start(&version, &range, &plan, arguments.again, &person).await?)
    };
    let outcome = Outcome { pipeline: version.name.clone(), range, plan, started };
    if context.json() {
        context.print_json("backfill", &outcome)?;
    } else {
        print(context, &outcome, arguments.again);
    }
    Ok(Exit::Done)
}

/// The named source, or the only one.
fn source(version: &PipelineVersion, named: Option<&str>) -> anyhow::Result<String> {
    let sources: Vec<&str> = version.pipeline.sources.keys().map(String::as_str).collect();
    match (named, sources.as_slice()) {
        (Some(name), _) => Ok(name.to_string()),
        (None, [only]) => Ok((*only).to_string()),
        (None, []) => Err(WrongInput::new(format!("error: `{}` has no source to backfill from", version.name)).into()),
        (None, several) => {
            let text = format!("error: `{}` has several sources: say --source {}", version.name, several.join(" or "));
            Err(WrongInput::new(text).into())
        }
    }
}

fn print(context: &Context, outcome: &Outcome, again: bool) {
    if outcome.plan.is_empty() {
        println!("nothing lies between {} and {}", outcome.range.from, outcome.range.to);
        return;
    }
    let became = |planned: &Planned| {
        let events = outcome.started.iter().flat_map(|started| &started.events);
        let found = events.into_iter().find(|(span, _)| *span == planned.span);
        found.map_or_else(|| words(&planned.what, again), |(_, outcome)| happened(outcome))
    };
    let row = |planned: &Planned| {
        let path = planned.path.as_deref().map_or_else(|| "–".to_string(), text::safe);
        vec![planned.span.clone(), path, text::safe(&became(planned))]
    };
    let rows: Vec<Vec<String>> = outcome.plan.iter().map(row).collect();
    print!("{}", text::table(&["SPAN", "FILE", "WHAT"], &rows));
    match &outcome.started {
        None => println!("nothing was started: leave --dry-run out to do it"),
        Some(started) if started.left.is_empty() => {
            println!("`serve` carries what was queued: {} runs", context.prefix)
        }
        Some(started) => println!(
            "the queue has no room for {} more spans, from {}: give the same command again later",
            started.left.len(),
            started.left[0]
        ),
    }
}

fn words(what: &Prospect, again: bool) -> String {
    match what {
        Prospect::WouldRun => "runs".to_string(),
        Prospect::RanBefore { run } => format!("runs; the same content ran before in {run}"),
        Prospect::AskedBefore { .. } if again => "runs again".to_string(),
        Prospect::AskedBefore { run } => {
            let run = run.map_or_else(String::new, |run| format!(" as {run}"));
            format!("was backfilled before{run}: --again runs it again")
        }
        Prospect::Missing => "there is no file".to_string(),
        Prospect::Unreadable { problem } => format!("can not be read: {problem}"),
    }
}

fn happened(outcome: &EventOutcome) -> String {
    match outcome {
        EventOutcome::Run { run } => format!("queued as {run}"),
        EventOutcome::Skipped { reason } => format!("skipped: {reason}"),
        EventOutcome::SeenAgain { run: Some(run) } => format!("was backfilled before as {run}"),
        EventOutcome::SeenAgain { run: None } => "was asked for before, and skipped".to_string(),
    }
}
