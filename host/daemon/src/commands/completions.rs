//! `completions`: a script for a shell.

use crate::args::Cli;
use crate::exit::Exit;
use clap::CommandFactory as _;

/// Prints the script.
pub fn run(shell: clap_complete::Shell) -> Exit {
    clap_complete::generate(shell, &mut Cli::command(), "countersign", &mut std::io::stdout());
    Exit::Done
}
