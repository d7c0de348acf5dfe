//! `countersign`: the command line and the daemon. The only crate that knows every other one; the wiring file names the concrete
//! types, the commands work with seams.

mod args;
mod catalogue;
mod commands;
mod context;
mod demo;
mod directory;
mod exit;
mod failure;
mod lookup;
mod meter;
mod notifier;
mod service;
mod settle;
mod system;
mod telemetry;
mod terminal;
mod traces;
mod wiring;

use args::Cli;
use clap::Parser as _;
use exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.output == args::Output::Json;
    // For tests of what survives `kill -9`; read once, before anything happens.
    if let Some(place) = std::env::var_os("COUNTERSIGN_FAILPOINT")
        && let Err(error) = countersign_ports::failpoint::arm(&place.to_string_lossy())
    {
        eprintln!("error: COUNTERSIGN_FAILPOINT: {error}");
        return Exit::Usage.into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: start the runtime: {error}");
            return Exit::Failed.into();
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error, json).into(),
    }
}

/// Prints an error with its causes, once, here; for programs also as a document on standard output.
fn report(error: &anyhow::Error, json: bool) -> Exit {
    if json {
        println!("{:#}", document(error));
    }
    if let Some(wrong) = error.downcast_ref::<failure::WrongInput>() {
        eprintln!("{wrong}");
        return Exit::Usage;
    }
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    Exit::Failed
}

/// The error as a document: `diagnostics` has code, file, line and column of each mistake in a file.
fn document(error: &anyhow::Error) -> serde_json::Value {
    let wrong = error.downcast_ref::<failure::WrongInput>();
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let diagnostics = wrong.and_then(|wrong| wrong.diagnostics.as_ref());
    serde_json::json!({
        "schema": "countersign.error/1",
        "data": { "message": error.to_string(), "causes": causes, "diagnostics": diagnostics },
    })
}
