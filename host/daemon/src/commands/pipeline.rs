//! `pipeline check`, `pipeline graph`, `pipeline next`, `pipeline pause`, `pipeline resume`.

mod pause;

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
use countersign_triggers::JitteredSchedule;
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
        PipelineCommand::Next { pipeline } => next(context, &named(context, pipeline).await?)?,
        PipelineCommand::Pause(arguments) => pause::pause(context, arguments).await?,
        PipelineCommand::Resume { pipeline } => pause::resume(context, pipeline).await?,
    }
    Ok(Exit::Done)
}

/// The pipeline in that file, or the registered one of that name.
///
/// # Errors
/// When there is neither, or the file is wrong.
pub async fn named(context: &Context, text: &str) -> anyhow::Result<PipelineVersion> {
    let path = Path::new(text);
    if path.is_file() {
        return read(context, path, &[]).await;
    }
    let known = wiring::metadata(context).await?.pipelines().await?;
    if let Some(version) = known.iter().find(|version| version.name == text) {
        return Ok(version.clone());
    }
    let names: Vec<&str> = known.iter().map(|version| version.name.as_str()).collect();
    let known = match names.as_slice() {
        [] => "none is yet: `countersign serve` registers those that the setting `pipelines` names".to_string(),
        names => format!("those are {}", names.join(", ")),
    };
    let text = format!("error: `{text}` is neither a file nor a registered pipeline; {known}");
    Err(WrongInput::new(text).into())
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
    /// When it is accepted; later than scheduled by its share of the jitter.
    starts_at: String,
}

fn next(context: &Context, version: &PipelineVersion) -> anyhow::Result<()> {
    let trigger = &version.pipeline.trigger;
    let Some(jittered) = JitteredSchedule::of(&version.name, trigger)? else {
        return Err(WrongInput::new(format!("error: pipeline `{}` has no cron trigger", version.name)).into());
    };
    let fires: Vec<Fire> = jittered
        .upcoming(SystemClock.now())
        .take(NEXT)
        .map(|fire| Fire {
            local: jittered.schedule().wall_time(fire.scheduled_for),
            utc: fire.scheduled_for.to_utc().format("%Y-%m-%d %H:%M UTC").to_string(),
            starts_at: fire.starts_at.to_utc().format("%H:%M:%S UTC").to_string(),
        })
        .collect();
    if context.json() {
        return context.print_json("next-fires", &fires);
    }
    println!("{} fires by `{}` in {}", version.name, jittered.schedule().expression(), trigger.timezone);
    for fire in fires {
        let starts = match trigger.jitter_seconds {
            0 => String::new(),
            _ => format!("  starts at {}", fire.starts_at),
        };
        println!("  {:<40} {}{starts}", fire.local, fire.utc);
    }
    Ok(())
}
