//! `plugin list` and `plugin inspect`.

use crate::args::PluginCommand;
use crate::catalogue::{self, Installed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{self, WrongInput};
use crate::terminal::text;
use crate::wiring;
use countersign_model::component::{Capability, Description, Port};
use countersign_model::digest::Digest;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Serialize)]
struct Inspected {
    digest: Digest,
    origin: String,
    bytes: usize,
    description: Description,
}

/// Lists components or shows one.
///
/// # Errors
/// When a component can not be loaded.
pub async fn run(context: &Context, command: &PluginCommand) -> anyhow::Result<Exit> {
    let runner = wiring::sandbox(context)?;
    match command {
        PluginCommand::List => {
            let installed = Installed::load(&runner, &context.settings.component_dirs, &[]).await?;
            list(context, &installed.0.into_values().map(inspected).collect::<Vec<_>>())
        }
        PluginCommand::Inspect { component } if Path::new(component).extension().is_some_and(|end| end == "wasm") => {
            let component = catalogue::read(Path::new(component))?;
            let description = runner
                .describe(&component)
                .await
                .map_err(|error| WrongInput::new(format!("error: {}", failure::chain(&error))))?;
            inspect(context, &inspected(catalogue::Entry { component, description }))
        }
        PluginCommand::Inspect { component } => {
            let mut installed = Installed::load(&runner, &context.settings.component_dirs, &[]).await?;
            let entry = installed.0.remove(component).ok_or_else(|| {
                let names: Vec<&str> = installed.0.keys().map(String::as_str).collect();
                WrongInput::new(format!("error: there is no component `{component}`; there are {}", names.join(", ")))
            })?;
            inspect(context, &inspected(entry))
        }
    }
}

fn inspected(entry: catalogue::Entry) -> Inspected {
    Inspected {
        digest: entry.component.digest,
        origin: entry.component.origin,
        bytes: entry.component.wasm.len(),
        description: entry.description,
    }
}

fn list(context: &Context, components: &[Inspected]) -> anyhow::Result<Exit> {
    if context.json() {
        context.print_json("components", &components)?;
        return Ok(Exit::Done);
    }
    let row = |component: &Inspected| {
        let description = &component.description;
        vec![
            description.name.clone(),
            description.version.clone(),
            capabilities(&description.capabilities),
            component.digest.short(),
            component.origin.clone(),
            text::safe(&description.summary),
        ]
    };
    let rows: Vec<Vec<String>> = components.iter().map(row).collect();
    print!("{}", text::table(&["NAME", "VERSION", "ASKS FOR", "DIGEST", "ORIGIN", "WHAT IT DOES"], &rows));
    Ok(Exit::Done)
}

fn inspect(context: &Context, component: &Inspected) -> anyhow::Result<Exit> {
    if context.json() {
        context.print_json("component", component)?;
        return Ok(Exit::Done);
    }
    let description = &component.description;
    println!(
        "{} {}  ·  interface {}  ·  {}",
        description.name,
        description.version,
        description.interface,
        text::bytes(component.bytes as u64)
    );
    println!("{}", text::safe(&description.summary));
    println!(
        "digest   {}\norigin   {}\nasks for {}",
        component.digest,
        component.origin,
        capabilities(&description.capabilities)
    );
    for (title, ports) in [("inputs", &description.inputs), ("outputs", &description.outputs)] {
        println!("{title}");
        for port in ports {
            println!("  {}", port_line(port));
        }
    }
    println!("parameters (JSON Schema)\n{}", text::safe(&serde_json::to_string_pretty(&description.parameters)?));
    Ok(Exit::Done)
}

fn port_line(port: &Port) -> String {
    let optional = if port.optional { ", optional" } else { "" };
    let many = if port.many { ", several" } else { "" };
    format!("{:<12} {}{optional}{many}  {}", port.name, port.kind, text::safe(&port.description))
}

fn capabilities(asked: &BTreeSet<Capability>) -> String {
    if asked.is_empty() {
        return "nothing".to_string();
    }
    asked.iter().map(|capability| capability.as_str()).collect::<Vec<_>>().join(", ")
}
