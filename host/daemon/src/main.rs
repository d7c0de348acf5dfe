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
mod wiring;

use args::Cli;
use clap::Parser as _;
use exit::Exit;
use std::process::ExitCode;

/// As the shell shows a program that SIGPIPE ended.
const NOBODY_READS: i32 = 128 + 13;

fn main() -> ExitCode {
    system::keep_few_heaps();
    end_quietly_when_nobody_reads();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
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
    for cause in failure::causes(error) {
        eprintln!("  because: {cause}");
    }
    Exit::Failed
}

/// `countersign events | head` is no mistake: what is printed after `head` has ended is wanted by nobody.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(NOBODY_READS);
        }
        usual(panic);
    }));
}

/// A command line that can not be read, or that asks for help; programs get a document here too.
fn misused(error: &clap::Error) -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let json = words.iter().any(|word| word == "--output=json")
        || words.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if json && error.use_stderr() {
        println!("{:#}", document(&failure::WrongInput::new(error.to_string()).into()));
    }
    // With nobody there to read it, there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// The error as a document: `diagnostics` has code, file, line and column of each mistake in a file.
fn document(error: &anyhow::Error) -> serde_json::Value {
    let wrong = error.downcast_ref::<failure::WrongInput>();
    let causes = failure::causes(error);
    let diagnostics = wrong.and_then(|wrong| wrong.diagnostics.as_ref());
    let text = error.to_string();
    let message = console::strip_ansi_codes(text.strip_prefix("error: ").unwrap_or(&text)).into_owned();
    serde_json::json!({
        "schema": "countersign.error/1",
        "data": { "message": message, "causes": causes, "diagnostics": diagnostics },
    })
}
