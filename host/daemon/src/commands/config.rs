//! `config show`, `config check`.

use crate::args::ConfigCommand;
use crate::catalogue::Installed;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::service::registry;
use crate::system::SystemClock;
use crate::telemetry;
use crate::terminal::text;
use crate::wiring;
use countersign_config::settings::{Explained, Settings};
use countersign_config::{Catalogue, Diagnostics, disagreements};
use countersign_model::pipeline::PipelineVersion;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Looks at the settings.
///
/// # Errors
/// When a folder of pipelines can not be read, or a component can not be loaded.
pub async fn run(context: &Context, command: &ConfigCommand) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Show { concurrency: None } => show(context, &context.settings),
        ConfigCommand::Show { concurrency: Some(most) } => {
            show(context, &context.settings.clone().with_concurrency("--concurrency", *most))
        }
        ConfigCommand::Check => check(context).await,
    }
}

#[derive(Serialize)]
struct Shown<'s> {
    /// None: there is no settings file.
    file: Option<&'s Path>,
    settings: Vec<Explained>,
}

fn show(context: &Context, settings: &Settings) -> anyhow::Result<Exit> {
    let shown = Shown { file: settings.origin.as_deref(), settings: settings.explain() };
    if context.json() {
        context.print_json("config", &shown)?;
        return Ok(Exit::Done);
    }
    let cells = |one: &Explained| [one.key.clone(), one.text(), one.origin.to_string()];
    let rows: Vec<Vec<String>> =
        shown.settings.iter().map(|one| cells(one).iter().map(|cell| text::safe(cell)).collect()).collect();
    print!("{}", text::table(&["KEY", "VALUE", "ORIGIN"], &rows));
    Ok(Exit::Done)
}

/// What came of one pipeline file.
#[derive(Serialize)]
struct Checked {
    path: PathBuf,
    /// Its name, when it is sound.
    name: Option<String>,
    /// What is wrong with it, for people.
    problem: Option<String>,
    /// What is wrong in its text, for programs.
    diagnostics: Option<Diagnostics>,
}

#[derive(Serialize)]
struct Report<'s> {
    file: Option<&'s Path>,
    pipelines: Vec<Checked>,
    /// What is wrong between sound files.
    disagreements: Vec<String>,
}

/// The settings were checked when they were read; a mistake in them has ended the command by now.
async fn check(context: &Context) -> anyhow::Result<Exit> {
    let settings = &context.settings;
    telemetry::filter(&settings.log)?;
    let files = registry::pipeline_files(&settings.pipelines)?;
    let catalogue = if files.is_empty() { Catalogue::default() } else { catalogue(context).await? };
    let mut versions: Vec<PipelineVersion> = Vec::new();
    let mut pipelines = Vec::new();
    for path in files {
        let (name, problem, diagnostics) = match wiring::read_pipeline(&path, &catalogue, &SystemClock) {
            Ok(version) => {
                versions.push(version);
                (versions.last().map(|version| version.name.clone()), None, None)
            }
            Err(error) => {
                let diagnostics = error.downcast_ref::<WrongInput>().and_then(|wrong| wrong.diagnostics.clone());
                (None, Some(format!("{error:#}")), diagnostics)
            }
        };
        pipelines.push(Checked { path, name, problem, diagnostics });
    }
    let disagreements = disagreements(settings, versions.iter().map(|version| &version.pipeline));
    let report = Report { file: settings.origin.as_deref(), pipelines, disagreements };
    if context.json() {
        context.print_json("config-check", &report)?;
    } else {
        tell(&report);
    }
    let sound = report.disagreements.is_empty() && report.pipelines.iter().all(|checked| checked.problem.is_none());
    Ok(if sound { Exit::Done } else { Exit::Usage })
}

async fn catalogue(context: &Context) -> anyhow::Result<Catalogue> {
    let runner = wiring::sandbox(context)?;
    Ok(Installed::load(&runner, &context.settings.component_dirs, &[]).await?.catalogue())
}

/// Mistakes on standard error, what was checked on standard output.
fn tell(report: &Report<'_>) {
    for problem in report.pipelines.iter().filter_map(|checked| checked.problem.as_deref()) {
        eprintln!("{problem}\n");
    }
    for problem in &report.disagreements {
        eprintln!("error: {problem}\n");
    }
    match report.file {
        Some(file) => println!("settings   {} and the environment: sound", file.display()),
        None => println!("settings   no file, defaults and the environment: sound"),
    }
    for checked in &report.pipelines {
        let found = checked.name.as_ref().map_or("wrong".to_string(), |name| format!("{name} is sound"));
        println!("pipeline   {}: {found}", checked.path.display());
    }
    if report.pipelines.is_empty() {
        println!("pipeline   none: the setting `pipelines` names no file");
    }
}
