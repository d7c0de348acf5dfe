//! `countersign`: the command line and the daemon. The only crate that knows every other one; the wiring file names the concrete
//! types, the commands work with seams.

mod args;
mod catalogue;
mod commands;
mod context;
mod demo;
mod exit;
mod lookup;
mod notifier;
mod settle;
mod system;
mod telemetry;
mod terminal;
mod wiring;

use args::Cli;
use clap::Parser as _;
use exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: start the runtime: {error}");
            return Exit::Failed.into();
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error).into(),
    }
}

/// Prints an error with its causes, once, here.
fn report(error: &anyhow::Error) -> Exit {
    if let Some(wrong) = error.downcast_ref::<context::WrongInput>() {
        eprintln!("{wrong}");
        return Exit::Usage;
    }
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    Exit::Failed
}
