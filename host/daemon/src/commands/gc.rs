//! `gc`: removes what retention allows, after saying what. Needs no daemon, and stands in the way of none.

mod plan;
mod removal;
mod report;

use crate::args::GcArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::wiring::Stores;
use crate::{system, wiring};
use countersign_model::time::Timestamp;
use countersign_ports::retention_store::{Keep, Standing};
use countersign_ports::{ArtifactStore, Clock as _};
use indicatif::{ProgressBar, ProgressStyle};
use plan::Plan;
use report::Report;
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// Between publishing bytes that are there already and recording that.
const ABOUT_TO_RECORD: i64 = 60 * 60 * 1_000_000;
/// Bytes that no artifact was ever recorded with: a step that was killed left them, or one that has only just begun to publish.
const NEVER_RECORDED: i64 = DAY;

/// Removes what is old and not needed, or says what that is.
///
/// # Errors
/// When a store fails. What was removed until then was allowed to go, and the next `gc` goes on.
pub async fn run(context: &Context, arguments: &GcArgs) -> anyhow::Result<Exit> {
    let Some(keep) = keep(context, arguments) else {
        if context.json() {
            context.print_json("gc", &Report::of_nothing(arguments.dry_run))?;
        } else {
            println!(
                "every run is kept for ever: give --keep-days, or set `keep_days` under [retention] in the settings"
            );
        }
        return Ok(Exit::Done);
    };
    let collector = Collector {
        stores: wiring::stores(context).await?,
        artifacts: wiring::artifacts(context)?,
        quiet: context.json(),
    };
    let plan = Plan::make(&collector, &keep).await?;
    let mut report = Report::new(arguments.dry_run, keep, &plan, &collector.stores).await?;
    if arguments.dry_run {
        report.foresee(&plan);
    } else {
        removal::carry_out(&collector, &plan, &system::person()?, &mut report).await?;
    }
    if context.json() {
        context.print_json("gc", &report)?;
    } else {
        report.print();
    }
    Ok(Exit::Done)
}

/// What is kept; none when that is everything.
fn keep(context: &Context, arguments: &GcArgs) -> Option<Keep> {
    let settings = &context.settings.retention;
    // In the settings 0 stands for ever; on the command line somebody means it.
    let days = arguments.keep_days.or((settings.keep_days > 0).then_some(settings.keep_days))?;
    let age = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY);
    let newest = arguments.keep_runs.unwrap_or(settings.keep_runs);
    Some(Keep { since: before(system::SystemClock.now(), age), newest })
}

fn before(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_sub(micros))
}

/// What a collection works with.
struct Collector {
    stores: Stores,
    artifacts: Arc<dyn ArtifactStore>,
    quiet: bool,
}

impl Collector {
    /// How far it is, at which rate, and how long it still takes.
    fn bar(&self, what: &str, length: usize) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let template = format!("  {what:<18} {{human_pos}} of {{human_len}} · {{per_sec}} · {{eta}} left");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(length as u64).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// Until when bytes must have been published last to be removed. None: somebody has them.
fn removable_until(standing: Standing, now: Timestamp) -> Option<Timestamp> {
    match standing {
        Standing::Held => None,
        // Whoever published them after the newest artifact was recorded may be about to record another.
        Standing::Given { newest } => Some(newest.max(before(now, ABOUT_TO_RECORD))),
        Standing::Unknown => Some(before(now, NEVER_RECORDED)),
    }
}
