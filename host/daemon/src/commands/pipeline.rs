//! `pipeline check`, `pipeline graph`, `pipeline next`.

use crate::args::{GraphForm, PipelineCommand};
use crate::catalogue::Installed;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::system::SystemClock;
use crate::wiring;
use countersign_config::graph;
use countersign_model::pipeline::PipelineVersion;
use countersign_ports::Clock as _;
use countersign_triggers::Schedule;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Instants shown by `next`.
const NEXT: usize = 10;

/// Looks at a pipeline file.
///
/// # Errors
/// When the file is wrong: every mistake, located.
pub async fn run(context: &Context, command: &PipelineCommand) -> anyhow::Result<Exit> {
    match command {
        PipelineCommand::Check { pipeline, components } => {
            let version = read(context, pipeline, components).await?;
            if context.json() {
                context.print_json("pipeline", &version)?;
            } else {
                println!(
                    "{} is sound: {} steps, definition {}",
                    version.name,
                    version.pipeline.steps.len(),
                    version.digest.short()
                );
            }
        }
        PipelineCommand::Graph { pipeline, components, form } => {
            let version = read(context, pipeline, components).await?;
            match form {
                _ if context.json() => context.print_json("pipeline", &version)?,
                GraphForm::Text => print!("{}", graph::text(&version.pipeline)),
                GraphForm::Dot => print!("{}", graph::dot(&version.pipeline)),
                GraphForm::Mermaid => print!("{}", graph::mermaid(&version.pipeline)),
            }
        }
        PipelineCommand::Next { pipeline } => next(context, &read(context, pipeline, &[]).await?)?,
    }
    Ok(Exit::Done)
}

async fn read(context: &Context, pipeline: &Path, components: &[PathBuf]) -> anyhow::Result<PipelineVersion> {
    let runner = wiring::sandbox(context)?;
    let installed = Installed::load(&runner, &context.settings.component_dirs, components).await?;
    wiring::read_pipeline(pipeline, &installed.catalogue(), &SystemClock)
}

#[derive(Serialize)]
struct Fire {
    local: String,
    utc: String,
}

fn next(context: &Context, version: &PipelineVersion) -> anyhow::Result<()> {
    let trigger = &version.pipeline.trigger;
    let Some(cron) = &trigger.cron else {
        return Err(WrongInput::new(format!("error: pipeline `{}` has no cron trigger", version.name)).into());
    };
    let schedule = Schedule::parse(cron, &trigger.timezone)?;
    let fires: Vec<Fire> = schedule
        .upcoming(SystemClock.now())
        .take(NEXT)
        .map(|instant| Fire {
            local: schedule.wall_time(instant),
            utc: instant.to_utc().format("%Y-%m-%d %H:%M UTC").to_string(),
        })
        .collect();
    if context.json() {
        return context.print_json("next-fires", &fires);
    }
    println!("{} fires by `{cron}` in {}", version.name, trigger.timezone);
    for fire in fires {
        println!("  {:<40} {}", fire.local, fire.utc);
    }
    Ok(())
}
